#pragma once

#include "rpch/rpc.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace rpch::mgmt {

/// The remote management interface, which every RPC runtime offers (C706 appendix Q).
inline constexpr Syntax interface{
    {{0x80, 0xbd, 0xa8, 0xaf, 0x8a, 0x7d, 0xc9, 0x11, 0xbe, 0xf4, 0x08, 0x00, 0x2b, 0x10, 0x29, 0x89}}, 1, 0};

constexpr std::uint16_t op_inq_if_ids = 0;          ///< request without stub
constexpr std::uint16_t op_is_server_listening = 2; ///< request without stub

/// The interfaces that a server offers; `status` is not 0 when the server could not tell.
struct InterfaceIds {
    std::uint32_t status = 0;
    std::vector<Syntax> interfaces;
};
/// Of the stub of a response; nothing when it is malformed.
std::optional<InterfaceIds> decode_inq_if_ids(base::Bytes stub, bool little_endian);

struct ServerListening {
    std::uint32_t status = 0;
    bool listening = false;
};
std::optional<ServerListening> decode_is_server_listening(base::Bytes stub, bool little_endian);

/// What an administrator calls an interface ("EMSMDB, Exchange mailbox store"); null when it is not known.
const char* interface_name(const Guid& uuid) noexcept;

} // namespace rpch::mgmt
