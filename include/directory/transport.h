#pragma once

#include <optional>
#include <string_view>

namespace directory {

/// How the next hop is spoken to.
enum class Transport {
    ncacn_http,   ///< a server port of RPC over HTTP: RTS over TCP
    ncacn_ip_tcp, ///< plain DCE/RPC over TCP
    https         ///< another RPC proxy
};

/// The name as the directory stores it and rpctunnelctl prints it.
const char* name(Transport transport) noexcept;
std::optional<Transport> parse_transport(std::string_view text) noexcept;

} // namespace directory
