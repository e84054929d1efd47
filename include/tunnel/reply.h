#pragma once

#include <cstdint>
#include <string>

namespace tunnel {

/// MS-RPCH section 2.1.2.1.3: `HTTP/1.0 503 RPC Error: 6ba`. Ends the connection.
std::string rpc_error_reply(std::uint32_t code);

} // namespace tunnel
