#pragma once

#include <cstdint>

namespace http {

/// Whom RPC_CONNECT, version 1 of the protocol (MS-RPCH 2.1.1), is served to. Never over TLS: version 1 has none.
enum class RpcConnect : std::uint8_t {
    no,            ///< an unknown method
    authenticated, ///< those who log in as for version 2
    anonymous,     ///< anybody: the clients of its time cannot log in
};

} // namespace http
