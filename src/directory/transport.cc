#include "directory/transport.h"

#include "base/text.h"

namespace directory {

const char* name(Transport transport) noexcept
{
    switch (transport) {
    case Transport::ncacn_http: return "ncacn_http";
    case Transport::ncacn_ip_tcp: return "ncacn_ip_tcp";
    case Transport::https: return "https";
    }
    return "";
}

std::optional<Transport> parse_transport(std::string_view text) noexcept
{
    for (const Transport transport : {Transport::ncacn_http, Transport::ncacn_ip_tcp, Transport::https})
        if (base::equal_nocase(text, name(transport)))
            return transport;
    return std::nullopt;
}

} // namespace directory
