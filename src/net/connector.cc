#include "net/connector.h"

#include "base/text.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace net {

namespace {

constexpr int keep_idle_s = 60;

std::string error_message(int error)
{
    return error == ETIMEDOUT ? "timed out" : std::generic_category().message(error);
}

void set_options(int fd) noexcept
{
    // Neither can fail on a TCP socket, and a connection without them still works.
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &keep_idle_s, sizeof keep_idle_s);
}

/// False: errno says why.
bool bind_source(int fd, Address source) noexcept
{
    // The port is chosen at connect(), so that it has to be free towards that one peer only.
    const int on = 1;
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    source.set_port(0);
    sockaddr_storage storage;
    const socklen_t size = source.to_sockaddr(storage);
    return ::bind(fd, reinterpret_cast<const sockaddr*>(&storage), size) == 0;
}

/// RFC 6761 section 6.4: such names never exist, and nobody is to be asked.
bool never_exists(std::string_view host)
{
    if (host.ends_with('.'))
        host.remove_suffix(1);
    constexpr std::string_view invalid = "invalid";
    if (host.size() < invalid.size() || !base::equal_nocase(host.substr(host.size() - invalid.size()), invalid))
        return false;
    return host.size() == invalid.size() || host[host.size() - invalid.size() - 1] == '.';
}

} // namespace

std::vector<Address> interleave(const std::vector<Address>& addresses)
{
    std::vector<Address> families[2]; // IPv6, IPv4
    for (const Address& address : addresses) {
        std::vector<Address>& family = families[address.ipv6() ? 0 : 1];
        if (std::find(family.begin(), family.end(), address) == family.end())
            family.push_back(address);
    }
    std::vector<Address> result;
    for (std::size_t i = 0; i < std::max(families[0].size(), families[1].size()); ++i)
        for (const std::vector<Address>& family : families)
            if (i < family.size())
                result.push_back(family[i]);
    return result;
}

/// What the worker's answer finds its connector by. Touched in the loop's thread only, but for its count.
struct Connector::Lookup {
    Connector* owner;
};

/// One address that is tried.
class Connector::Attempt {
public:
    Attempt(Connector& owner, const Address& address)
        : address_(address), owner_(owner), watch_(owner.loop_, Watch::Callback::of<&Attempt::on_event>(this))
    {
    }

    /// Afterwards it is pending, failed or connected.
    void begin() noexcept
    {
        sockaddr_storage storage;
        const socklen_t size = address_.to_sockaddr(storage);
        fd_.reset(::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (!fd_) {
            failed(errno);
            return;
        }
        set_options(fd_.get());
        if (owner_.source_ && owner_.source_->ipv6() == address_.ipv6() && !bind_source(fd_.get(), *owner_.source_)) {
            failed(errno);
            return;
        }
        const int result = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&storage), size);
        if (result != 0 && errno != EINPROGRESS && errno != EINTR)
            failed(errno);
        else if (!watch_.add(fd_.get(), EPOLLOUT | EPOLLET))
            failed(errno);
    }

    bool pending() const noexcept { return static_cast<bool>(fd_); }
    /// Why it failed; zero while it is pending.
    int error() const noexcept { return error_; }
    const Address& address() const noexcept { return address_; }

    base::UniqueFd take() noexcept
    {
        watch_.remove();
        return std::move(fd_);
    }

private:
    void failed(int error) noexcept
    {
        error_ = error;
        watch_.remove();
        fd_.reset();
    }

    void on_event(std::uint32_t events) noexcept
    {
        int error = 0;
        socklen_t size = sizeof error;
        if ((events & (EPOLLERR | EPOLLHUP)) && ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0)
            error = errno;
        // TCP lets a socket reach itself when its own port is the free one it was to connect to.
        if (error == 0) {
            const Address local = Address::local_of(fd_.get());
            if (local.port() == address_.port() && local == Address::peer_of(fd_.get()))
                error = local == Address() ? ENOTCONN : ECONNREFUSED;
        }
        if (error == 0) {
            owner_.connected(*this);
            return;
        }
        failed(error);
        owner_.try_next();
    }

    const Address address_;
    Connector& owner_;
    base::UniqueFd fd_;
    Watch watch_;
    int error_ = 0;
};

Connector::Connector(Loop& loop, base::Workers& workers) noexcept
    : loop_(loop), workers_(workers), begin_(loop, Task::Callback::of<&Connector::on_begin>(this)),
      next_(loop, Timer::Callback::of<&Connector::try_next>(this)),
      limit_(loop, Timer::Callback::of<&Connector::on_limit>(this))
{
}

Connector::~Connector()
{
    cancel();
}

void Connector::bind_to(const Address& source) noexcept
{
    source_ = source;
}

void Connector::prepare(std::string name, Millis timeout, Callback callback)
{
    cancel();
    name_ = std::move(name);
    callback_ = callback;
    limit_.set(timeout);
    begin_.schedule();
}

void Connector::start(const std::string& host, std::uint16_t port, Millis timeout, Callback callback)
{
    const auto numeric = Address::from_host(host, port);
    prepare(numeric ? numeric->text() : host + ':' + std::to_string(port), timeout, callback);
    if (numeric) {
        addresses_.push_back(*numeric);
    } else {
        host_ = host;
        port_ = port;
    }
}

void Connector::start(const std::string& name, const std::vector<Address>& addresses, Millis timeout,
                      Callback callback)
{
    prepare(name, timeout, callback);
    addresses_ = interleave(addresses);
}

void Connector::cancel() noexcept
{
    if (lookup_)
        std::exchange(lookup_, nullptr)->owner = nullptr;
    begin_.cancel();
    next_.cancel();
    limit_.cancel();
    attempts_.clear();
    addresses_.clear();
    next_address_ = 0;
    host_.clear();
    callback_ = {};
}

void Connector::on_begin() noexcept
{
    if (host_.empty()) {
        try_next();
        return;
    }
    // getaddrinfo would stop at a zero byte.
    if (never_exists(host_) || host_.find('\0') != std::string::npos) {
        fail(ConnectResult::Cause::not_resolved, ::gai_strerror(EAI_NONAME));
        return;
    }

    lookup_ = std::make_shared<Lookup>(Lookup{this});
    auto job = [&loop = loop_, lookup = lookup_, host = host_, port = port_] {
        addrinfo hints{};
        hints.ai_family = AF_UNSPEC;
        hints.ai_socktype = SOCK_STREAM;
        addrinfo* list = nullptr;
        const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
        const int system_error = errno;
        std::vector<Address> found;
        for (const addrinfo* entry = code == 0 ? list : nullptr; entry; entry = entry->ai_next) {
            if (auto address = Address::from_sockaddr(entry->ai_addr, entry->ai_addrlen)) {
                address->set_port(port);
                found.push_back(*address);
            }
        }
        if (code == 0)
            ::freeaddrinfo(list);
        loop.post([lookup, code, system_error, found] {
            if (Connector* const owner = lookup->owner)
                owner->on_resolved(code, system_error, found);
        });
    };
    if (!workers_.submit(std::move(job)))
        fail(ConnectResult::Cause::too_busy, "too many look-ups wait");
}

void Connector::on_resolved(int code, int system_error, std::vector<Address> found) noexcept
{
    lookup_.reset();
    if (code != 0) {
        fail(ConnectResult::Cause::not_resolved,
             code == EAI_SYSTEM ? std::generic_category().message(system_error) : ::gai_strerror(code));
        return;
    }
    addresses_ = interleave(found);
    if (addresses_.size() > address_limit)
        addresses_.resize(address_limit);
    try_next();
}

void Connector::try_next() noexcept
{
    next_.cancel();
    while (next_address_ < addresses_.size()) {
        Attempt& attempt = *attempts_.emplace_back(std::make_unique<Attempt>(*this, addresses_[next_address_++]));
        attempt.begin();
        if (attempt.pending()) {
            if (next_address_ < addresses_.size())
                next_.set(stagger);
            return;
        }
    }
    if (std::none_of(attempts_.begin(), attempts_.end(), [](const auto& attempt) { return attempt->pending(); }))
        fail_all(false);
}

void Connector::connected(Attempt& attempt) noexcept
{
    ConnectResult result;
    result.cause = ConnectResult::Cause::ok;
    result.remote = attempt.address();
    result.fd = attempt.take();
    finish(std::move(result));
}

void Connector::on_limit() noexcept
{
    if (lookup_ || begin_.scheduled())
        fail(ConnectResult::Cause::timed_out, lookup_ ? "the name look-up timed out" : "timed out");
    else
        fail_all(true);
}

void Connector::fail_all(bool timed_out) noexcept
{
    auto cause = timed_out ? ConnectResult::Cause::timed_out : ConnectResult::Cause::unreachable;
    std::string text;
    for (const auto& attempt : attempts_) {
        const int error = attempt->pending() ? ETIMEDOUT : attempt->error();
        if (!timed_out && error == ECONNREFUSED)
            cause = ConnectResult::Cause::refused;
        if (!timed_out && error == ETIMEDOUT && cause == ConnectResult::Cause::unreachable)
            cause = ConnectResult::Cause::timed_out;
        const Address& address = attempt->address();
        if (!text.empty())
            text += "; ";
        if (address.text() != name_)
            text += (address.ipv6() ? '[' + address.host_text() + ']' : address.host_text()) + ": ";
        text += error_message(error);
    }
    fail(cause, text.empty() ? "no address" : text);
}

void Connector::fail(ConnectResult::Cause cause, const std::string& reason) noexcept
{
    ConnectResult result;
    result.cause = cause;
    result.error = name_ + ": " + reason;
    finish(std::move(result));
}

void Connector::finish(ConnectResult result) noexcept
{
    const Callback callback = callback_;
    // Attempts may be on the stack: an event of theirs brought us here. They go at the end of the round.
    std::vector<std::unique_ptr<Attempt>> attempts;
    attempts.swap(attempts_);
    for (const auto& attempt : attempts)
        attempt->take();
    if (!attempts.empty())
        loop_.defer([keep = std::make_shared<decltype(attempts)>(std::move(attempts))] {});
    cancel();
    callback(std::move(result)); // may destroy the connector
}

} // namespace net
