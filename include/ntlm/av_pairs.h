#pragma once

#include "base/cursor.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ntlm {

/// MS-NLMP 2.2.2.1. A list can hold any other value.
enum class AvId : std::uint16_t {
    eol = 0,
    nb_computer_name = 1,
    nb_domain_name = 2,
    dns_computer_name = 3,
    dns_domain_name = 4,
    dns_tree_name = 5,
    flags = 6,
    timestamp = 7,
    single_host = 8,
    target_name = 9,
    channel_bindings = 10,
};

/// Bits of AvId::flags.
constexpr std::uint32_t av_mic_present = 0x2;
constexpr std::uint32_t av_untrusted_target = 0x4; ///< the client has the target name from where it cannot be sure of it

struct AvPair {
    AvId id;
    base::Bytes value; ///< not owned
};

/// Pairs in their order, without the last one.
using AvPairs = std::vector<AvPair>;

/// Views into `list`, which may go on behind MsvAvEOL. Nullopt: no MsvAvEOL, a pair that ends behind the list, or one that
/// is there twice; no client sends that, and who takes the first and who the last would judge different things.
std::optional<AvPairs> parse_av_pairs(base::Bytes list);

/// Null when it is not there.
const AvPair* find(const AvPairs& pairs, AvId id) noexcept;

/// With MsvAvEOL.
std::vector<std::uint8_t> build_av_pairs(std::span<const AvPair> pairs);

} // namespace ntlm
