#pragma once

#include <cstdint>
#include <string>

namespace leg {

/// Numbers for `RPC Error:`, of MS-ERREF section 2.2.
namespace rpc_code {
constexpr std::uint32_t invalid_endpoint_format = 0x6aa;
constexpr std::uint32_t invalid_net_addr = 0x6ab;
constexpr std::uint32_t out_of_resources = 0x6b9;
constexpr std::uint32_t server_unavailable = 0x6ba;
constexpr std::uint32_t server_too_busy = 0x6bb;
} // namespace rpc_code

/// MS-RPCH section 2.1.2.1.3: `HTTP/1.0 503 RPC Error: 6ba`. Ends the connection.
std::string rpc_error_reply(std::uint32_t code);

} // namespace leg
