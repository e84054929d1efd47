#pragma once

#include "base/cursor.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace rpch {

/// PTYPE of C706 12.6.4, and RTS of MS-RPCH 2.2.3.6.1. A PDU can carry any other value; it is then an
/// RPC PDU that is passed on unread.
enum class PacketType : std::uint8_t {
    request = 0,
    ping = 1,
    response = 2,
    fault = 3,
    working = 4,
    nocall = 5,
    reject = 6,
    ack = 7,
    cl_cancel = 8,
    fack = 9,
    cancel_ack = 10,
    bind = 11,
    bind_ack = 12,
    bind_nak = 13,
    alter_context = 14,
    alter_context_response = 15,
    auth3 = 16,
    shutdown = 17,
    co_cancel = 18,
    orphaned = 19,
    rts = 20,
};

constexpr std::size_t header_size = 16;      ///< the common header, and the smallest PDU
constexpr std::size_t framing_size = 10;     ///< as much of it as tells where the PDU ends
constexpr std::size_t max_pdu_size = 65535;
constexpr std::size_t rts_header_size = 20;  ///< the smallest RTS PDU
constexpr std::size_t max_rts_size = 256;    ///< our ceiling; the longest of MS-RPCH 2.2.4 has 140 bytes

constexpr std::uint8_t rpc_version = 5;
constexpr std::uint8_t first_fragment = 0x01;
constexpr std::uint8_t last_fragment = 0x02;
constexpr std::array<std::uint8_t, 4> little_endian_drep{0x10, 0, 0, 0}; ///< little-endian, ASCII, IEEE

/// The fragment length in the sender's byte order, from the first `framing_size` bytes of a PDU.
constexpr std::uint16_t frag_length(std::span<const std::uint8_t, framing_size> framing) noexcept
{
    const bool little = (framing[4] & 0xf0) == 0x10;
    return static_cast<std::uint16_t>(little ? framing[8] | framing[9] << 8 : framing[8] << 8 | framing[9]);
}

/// The common header of connection-oriented PDUs (C706 12.6.1). The defaults are those of a PDU in one
/// fragment, little-endian.
struct PduHeader {
    std::uint8_t version = rpc_version;
    std::uint8_t version_minor = 0;
    PacketType type = PacketType::request;
    std::uint8_t flags = first_fragment | last_fragment;
    std::array<std::uint8_t, 4> drep = little_endian_drep;
    std::uint16_t frag_length = header_size; ///< of the whole PDU, header included
    std::uint16_t auth_length = 0;
    std::uint32_t call_id = 0;

    bool operator==(const PduHeader&) const = default;
    bool little_endian() const noexcept { return (drep[0] & 0xf0) == 0x10; }

    /// Reads the first 16 bytes in the sender's byte order; nothing when there are fewer. Judges no value.
    static std::optional<PduHeader> decode(base::Bytes pdu) noexcept;
    /// Writes 16 bytes, in the byte order that `drep` tells.
    void encode(base::Writer& out) const noexcept;
};

} // namespace rpch
