#include "leg/reply.h"

#include <cstdio>

namespace leg {

std::string rpc_error_reply(std::uint32_t code)
{
    char digits[9];
    std::snprintf(digits, sizeof digits, "%x", static_cast<unsigned>(code));
    return std::string("HTTP/1.0 503 RPC Error: ") + digits + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
}

} // namespace leg
