#include "net/resolve.h"

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <system_error>

namespace net {

Resolved resolve(const std::string& host, std::uint16_t port)
{
    // getaddrinfo would stop at a zero byte.
    if (host.find('\0') != std::string::npos)
        return {{}, ::gai_strerror(EAI_NONAME)};
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
    if (code != 0)
        return {{}, code == EAI_SYSTEM ? std::generic_category().message(errno) : ::gai_strerror(code)};
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(found, ::freeaddrinfo);
    Resolved resolved;
    for (const addrinfo* entry = list.get(); entry; entry = entry->ai_next)
        if (auto address = Address::from_sockaddr(entry->ai_addr, entry->ai_addrlen)) {
            address->set_port(port);
            resolved.addresses.push_back(*address);
        }
    if (resolved.addresses.empty())
        resolved.error = "no address";
    return resolved;
}

} // namespace net
