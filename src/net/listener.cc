#include "net/listener.h"

#include "base/log.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace net {

namespace {

constexpr int backlog = 4096;
constexpr int keep_idle_s = 60;
// Per round, so that a storm of new clients does not starve the connections that are served.
constexpr int accept_limit = 8;
constexpr Millis pause_time{100};
constexpr Millis warning_interval{10'000};

bool switch_on(int fd, int level, int option, int value = 1) noexcept
{
    return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

[[noreturn]] void cannot_listen(const Address& address)
{
    throw std::runtime_error("cannot listen on " + address.text() + ": " + std::generic_category().message(errno));
}

/// Accepted sockets inherit the options of the listening one (Linux): no call per connection.
base::UniqueFd bound_socket(const Address& address, bool shared)
{
    sockaddr_storage storage;
    const socklen_t size = address.to_sockaddr(storage);
    base::UniqueFd fd(::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd || !switch_on(fd.get(), SOL_SOCKET, SO_REUSEADDR)
        || (shared && !switch_on(fd.get(), SOL_SOCKET, SO_REUSEPORT))
        || !switch_on(fd.get(), SOL_SOCKET, SO_KEEPALIVE)
        || !switch_on(fd.get(), IPPROTO_TCP, TCP_KEEPIDLE, keep_idle_s)
        || !switch_on(fd.get(), IPPROTO_TCP, TCP_NODELAY)
        || (address.ipv6() && !switch_on(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY))
        || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0)
        cannot_listen(address);
    return fd;
}

base::UniqueFd listening_socket(const Address& address)
{
    base::UniqueFd fd = bound_socket(address, true);
    if (::listen(fd.get(), backlog) != 0)
        cannot_listen(address);
    return fd;
}

base::UniqueFd spare_descriptor(bool wanted) noexcept
{
    return base::UniqueFd(wanted ? ::eventfd(0, EFD_CLOEXEC) : -1);
}

} // namespace

Listener::Listener(Loop& loop, const Address& address, Callback callback, Callback overflow)
    : loop_(loop), callback_(callback), overflow_(overflow), reserve_(spare_descriptor(static_cast<bool>(overflow))),
      socket_(listening_socket(address)), local_(Address::local_of(socket_.get())),
      watch_(loop, Watch::Callback::of<&Listener::on_event>(this)),
      more_(loop, Task::Callback::of<&Listener::accept_some>(this)),
      retry_(loop, Timer::Callback::of<&Listener::accept_some>(this))
{
    if (!watch_.add(socket_.get(), EPOLLIN | EPOLLET, Loop::Turn::door))
        cannot_listen(address);
}

void Listener::check_free(const Address& address)
{
    bound_socket(address, false);
}

Listener::~Listener()
{
    if (destroyed_)
        *destroyed_ = true;
}

void Listener::on_event(std::uint32_t) noexcept
{
    // A pause looks again by itself when it ends.
    if (!retry_.armed())
        accept_some();
}

void Listener::accept_some() noexcept
{
    if (overflow_ && !reserve_)
        reserve_ = spare_descriptor(true);
    bool destroyed = false;
    destroyed_ = &destroyed;
    for (int count = 0; count < accept_limit; ++count) {
        const int reason = accept_one();
        if (destroyed)
            return;
        if (reason == 0)
            continue;
        destroyed_ = nullptr;
        if (reason != EAGAIN)
            pause(reason);
        return;
    }
    destroyed_ = nullptr;
    more_.schedule();
}

/// Answers why it has not taken a client in: EAGAIN when there is none, or what has run out. 0 is also for one that is
/// gone by now (accept(2), "Error handling").
int Listener::accept_one() noexcept
{
    sockaddr_storage storage;
    socklen_t size = sizeof storage;
    auto* const peer = reinterpret_cast<sockaddr*>(&storage);
    base::UniqueFd fd(::accept4(socket_.get(), peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
        callback_(std::move(fd), Address::from_sockaddr(peer, size).value_or(Address()));
        return 0;
    }
    int reason = errno;
    // The kernel looks for a descriptor first, so nobody needs to wait for it.
    if (reason == EMFILE || reason == ENFILE)
        reason = accept_overflow(reason);
    switch (reason) {
    case EAGAIN:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return reason;
    default: return 0;
    }
}

void Listener::finish() noexcept
{
    more_.cancel();
    retry_.cancel();
    for (int left = backlog; left > 0 && accept_one() == 0; --left) {
    }
    watch_.remove();
    socket_.reset();
}

/// Takes a client in with the descriptor that is kept for this. Answers why it did not, 0 when it did; `reason` is why
/// accept4() has failed without it.
int Listener::accept_overflow(int reason) noexcept
{
    if (!overflow_ || !reserve_)
        return reason;
    reserve_.reset();
    sockaddr_storage storage;
    socklen_t size = sizeof storage;
    auto* const peer = reinterpret_cast<sockaddr*>(&storage);
    base::UniqueFd fd(::accept4(socket_.get(), peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    reason = fd ? 0 : errno;
    if (fd)
        overflow_(std::move(fd), Address::from_sockaddr(peer, size).value_or(Address()));
    reserve_ = spare_descriptor(true);
    return reason;
}

void Listener::pause(int reason) noexcept
{
    const Millis now = loop_.now();
    if (!warned_ || now - *warned_ >= warning_interval) {
        warned_ = now;
        base::log::warning("accept-paused",
                           {{"listen", local_.text()}, {"reason", std::strerror(reason)}});
    }
    retry_.set(pause_time);
}

} // namespace net
