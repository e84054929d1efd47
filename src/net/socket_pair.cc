#include "net/socket_pair.h"

#include <sys/socket.h>

namespace net {

std::optional<std::pair<base::UniqueFd, base::UniqueFd>> socket_pair() noexcept
{
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
        return std::nullopt;
    return std::pair(base::UniqueFd(ends[0]), base::UniqueFd(ends[1]));
}

} // namespace net
