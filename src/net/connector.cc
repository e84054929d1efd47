#include "net/connector.h"

#include "base/text.h"
#include "net/socket_options.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace net {

namespace {

constexpr int keep_idle_s = 60;

std::string error_message(int error)
{
    return error == ETIMEDOUT ? "timed out" : std::strerror(error);
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
bool bind_source(int fd, const Address& source) noexcept
{
    // The port is chosen at connect(), so that it has to be free towards that one peer only.
    const int on = 1;
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    sockaddr_storage storage;
    const socklen_t size = source.to_sockaddr(storage);
    return ::bind(fd, reinterpret_cast<const sockaddr*>(&storage), size) == 0;
}

/// getaddrinfo tells a lack of descriptors as one of many failures of its parts: whether that is what happened.
int descriptor_error() noexcept
{
    const base::UniqueFd probe(::eventfd(0, EFD_CLOEXEC));
    return probe ? 0 : errno;
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

/// What the lane's answer finds its connector by. Touched in the loop's thread only, but for its count.
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

    /// Afterwards it is pending or has failed.
    void begin() noexcept
    {
        const Sources::Turn sources = owner_.sources_for(address_);
        if (sources.empty()) {
            open(nullptr);
            return;
        }
        for (std::size_t i = 0; i < sources.size(); ++i) {
            open(&sources[i]);
            if (error_ != EADDRNOTAVAIL)
                return;
        }
    }

    bool pending() const noexcept { return static_cast<bool>(fd_); }
    /// Why it failed; zero while it is pending.
    int error() const noexcept { return error_; }
    /// What ran out, if that is why.
    std::optional<base::Resource> shortage() const noexcept { return shortage_; }
    std::string error_text() const
    {
        const bool ports = shortage_ == base::Resource::ports || shortage_ == base::Resource::node_ports;
        if (!ports)
            return error_message(pending() ? ETIMEDOUT : error_);
        return used_up_ == 0   ? "no local port is left"
               : used_up_ == 1 ? "no local port is left from one address"
                               : "no local port is left from " + std::to_string(used_up_) + " addresses";
    }
    const Address& address() const noexcept { return address_; }

    base::UniqueFd take() noexcept
    {
        watch_.remove();
        return std::move(fd_);
    }

private:
    void open(const Address* source) noexcept
    {
        error_ = 0;
        Sources* const pool = owner_.sources_;
        const Address from = source ? *source : Address();
        if (pool && pool->used_up(from, address_, owner_.loop_.now()))
            return no_port(source);
        sockaddr_storage storage;
        const socklen_t size = address_.to_sockaddr(storage);
        fd_.reset(::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (!fd_)
            return failed(errno);
        set_options(fd_.get());
        if (source && !bind_source(fd_.get(), *source)) {
            failed(errno);
            if (error_ != EADDRNOTAVAIL)
                return;
            shortage_ = used_up_ > 0 ? base::Resource::ports : base::Resource::source_address;
            return base::report_shortage(base::Resource::source_address, "a connection to " + owner_.name_,
                                         source->host_text() + ": " + error_message(error_));
        }
        const int result = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&storage), size);
        if (result != 0 && errno != EINPROGRESS && errno != EINTR) {
            failed(errno);
            // Without a source the error can also mean that no address of ours can reach the peer at all.
            if (error_ == EADDRNOTAVAIL && (source || has_source_towards(address_))) {
                if (pool)
                    pool->note_used_up(from, address_, owner_.loop_.now());
                no_port(source);
            }
        } else if (!watch_.add(fd_.get(), EPOLLOUT | EPOLLET)) {
            failed(errno);
        }
    }

    void no_port(const Address* source) noexcept
    {
        failed(EADDRNOTAVAIL);
        used_up_ += source ? 1 : 0;
        shortage_ = owner_.source_ ? base::Resource::node_ports : base::Resource::ports;
    }

    void failed(int error) noexcept
    {
        error_ = error;
        shortage_ = base::resource_of(error);
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
    std::optional<base::Resource> shortage_;
    std::size_t used_up_ = 0; // sources without a port towards this address
};

Connector::Connector(Loop& loop, base::Lane& lane) noexcept
    : loop_(loop), lane_(lane), begin_(loop, Task::Callback::of<&Connector::on_begin>(this)),
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
    source_->set_port(0);
}

Sources::Turn Connector::sources_for(const Address& peer) noexcept
{
    if (source_)
        return source_->ipv6() == peer.ipv6() ? Sources::Turn({&*source_, 1}, 0) : Sources::Turn();
    return sources_ ? sources_->next(peer) : Sources::Turn();
}

void Connector::prepare(std::string name, Millis timeout, Callback callback)
{
    cancel();
    name_ = std::move(name);
    callback_ = callback;
    limit_.set(timeout);
    waited_ = false;
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
    if (!std::exchange(waited_, true))
        return begin_.schedule();
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
    auto job = [&loop = loop_, lookup = lookup_, host = host_, port = port_](base::Lane::Turn) {
        addrinfo hints{};
        hints.ai_family = AF_UNSPEC;
        hints.ai_socktype = SOCK_STREAM;
        addrinfo* list = nullptr;
        const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
        const int system_error = code == EAI_SYSTEM ? errno : code == EAI_MEMORY ? ENOMEM : 0;
        const int shortage = code == 0 ? 0 : base::resource_of(system_error) ? system_error : descriptor_error();
        std::vector<Address> found;
        for (const addrinfo* entry = code == 0 ? list : nullptr; entry; entry = entry->ai_next) {
            if (auto address = Address::from_sockaddr(entry->ai_addr, entry->ai_addrlen)) {
                address->set_port(port);
                found.push_back(*address);
            }
        }
        if (code == 0)
            ::freeaddrinfo(list);
        loop.post([lookup, code, shortage, found, reason = system_error != 0 ? error_message(system_error)
                                                                         : std::string(::gai_strerror(code))] {
            if (Connector* const owner = lookup->owner)
                owner->on_resolved(code == 0 ? "" : reason, shortage, found);
        });
    };
    if (lane_.submit("the look-up of a name", std::move(job)))
        return;
    fail(ConnectResult::Cause::too_busy, "too many look-ups wait");
}

void Connector::on_resolved(const std::string& failure, int shortage, std::vector<Address> found) noexcept
{
    lookup_.reset();
    if (shortage != 0) {
        const std::string reason = error_message(shortage);
        base::report_shortage(base::resource_of(shortage).value_or(base::Resource::descriptors),
                              "the look-up of " + name_, reason);
        return fail(ConnectResult::Cause::exhausted, reason);
    }
    if (!failure.empty())
        return fail(ConnectResult::Cause::not_resolved, failure);
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
    std::optional<base::Resource> shortage;
    for (const auto& attempt : attempts_) {
        if (!shortage)
            shortage = attempt->shortage();
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
        text += attempt->error_text();
    }
    // The address that was not tried may be the one that answers.
    if (shortage) {
        cause = ConnectResult::Cause::exhausted;
        base::report_shortage(*shortage, "a connection to " + name_, text);
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
