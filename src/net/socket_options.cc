#include "net/socket_options.h"

#include "base/unique_fd.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

namespace net {

void set_keep_alive(int fd, Millis idle) noexcept
{
    const int seconds = static_cast<int>(std::clamp<long long>(idle.count() / 1000, 1, 32767));
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
}

bool is_own_address(Address address) noexcept
{
    address.set_port(0);
    sockaddr_storage storage;
    const socklen_t size = address.to_sockaddr(storage);
    const base::UniqueFd probe(::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return probe && ::bind(probe.get(), reinterpret_cast<const sockaddr*>(&storage), size) == 0;
}

bool has_source_towards(const Address& peer) noexcept
{
    // Connecting a datagram socket sends nothing.
    sockaddr_storage storage;
    const socklen_t size = peer.to_sockaddr(storage);
    const base::UniqueFd probe(::socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    return probe && ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&storage), size) == 0;
}

} // namespace net
