#include "net/name_query.h"

#include "base/text.h"

#include <ares.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <resolv.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace net {

namespace {

/// RFC 1035 section 2.3.4, as text.
constexpr std::size_t longest_name = 254;

/// What nobody is to be asked for; empty for all else.
std::string objection(std::string_view host)
{
    if (host.empty())
        return "the name is empty";
    if (host.size() > longest_name)
        return "not a host name: it is too long";
    // Servers' names have no other characters, and not every name server is at ease with the rest.
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    };
    if (std::any_of(host.begin(), host.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
        return "not a host name: it is not in ASCII (an international name is written as xn--...)";
    if (!std::all_of(host.begin(), host.end(), fits))
        return "not a host name: letters, digits, '-', '_' and '.' are all it may have";
    // RFC 6761 section 6.4: such names never exist.
    if (host.ends_with('.'))
        host.remove_suffix(1);
    constexpr std::string_view invalid = "invalid";
    const std::size_t dot = host.rfind('.');
    return base::equal_nocase(dot == std::string_view::npos ? host : host.substr(dot + 1), invalid) ? "no such host" : "";
}

/// c-ares tells a lack of descriptors as one of many failures of its parts: whether that is what happened.
int descriptor_error() noexcept
{
    const base::UniqueFd probe(::eventfd(0, EFD_CLOEXEC));
    return probe ? 0 : errno;
}

/// c-ares 1.18 does not know `timeout` and `attempts` of resolv.conf(5).
void take_patience(ares_options& options, int& mask) noexcept
{
    struct __res_state system{};
    if (::res_ninit(&system) != 0)
        return;
    options.timeout = std::max(1, system.retrans) * 1000;
    options.tries = std::max(1, system.retry);
    mask |= ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
    ::res_nclose(&system);
}

} // namespace

/// One that c-ares has opened and will close.
class NameQuery::Socket {
public:
    Socket(NameQuery& owner, int fd) : fd_(fd), owner_(owner), watch_(owner.loop_, Watch::Callback::of<&Socket::on_event>(this)) {}

    int fd() const noexcept { return fd_; }
    /// False: errno says why. Level-triggered: c-ares reads TCP in portions and does not ask for what is left.
    bool wait_for(std::uint32_t events) noexcept
    {
        watch_.remove();
        return watch_.add(fd_, events);
    }

private:
    void on_event(std::uint32_t events) noexcept { owner_.on_event(fd_, events); } // may destroy this

    const int fd_;
    NameQuery& owner_;
    Watch watch_;
};

NameQuery::NameQuery(Loop& loop, std::string host, const std::optional<NameServers>& servers, Sources sources, Done done)
    : loop_(loop), host_(std::move(host)), done_(done), timer_(loop, Timer::Callback::of<&NameQuery::on_timeout>(this))
{
    static const int library = ares_library_init(ARES_LIB_INIT_ALL);
    if (std::string reason = objection(host_); !reason.empty()) {
        result_ = Resolved{{}, std::move(reason)};
        return;
    }
    ares_options options{};
    int mask = ARES_OPT_SOCK_STATE_CB;
    options.sock_state_cb = &NameQuery::on_socket;
    options.sock_state_cb_data = this;
    char files[] = "f";
    if (sources == Sources::files) {
        options.lookups = files;
        mask |= ARES_OPT_LOOKUPS;
    }
    if (servers) {
        options.timeout = static_cast<int>(servers->timeout.count());
        options.tries = servers->attempts;
        mask |= ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
    } else {
        take_patience(options, mask);
    }
    int status = library == ARES_SUCCESS ? ares_init_options(&channel_, &options, mask) : library;
    if (status == ARES_SUCCESS && servers)
        status = ares_set_servers_ports_csv(channel_, servers->addresses.c_str());
    if (status != ARES_SUCCESS) {
        fail(status);
        return;
    }
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    ares_getaddrinfo(channel_, host_.c_str(), nullptr, &hints, &NameQuery::on_answer, this);
    go_on();
}

NameQuery::~NameQuery()
{
    if (channel_)
        ares_destroy(channel_);
}

std::string NameQuery::servers() const
{
    std::string list;
    int count = 0;
    ares_addr_port_node* servers = nullptr;
    if (channel_ && ares_get_servers_ports(channel_, &servers) == ARES_SUCCESS) {
        for (const ares_addr_port_node* server = servers; server; server = server->next, ++count) {
            char text[INET6_ADDRSTRLEN] = "";
            ::inet_ntop(server->family, &server->addr, text, sizeof text);
            list += (list.empty() ? "" : ", ") + std::string(text);
        }
        ares_free_data(servers);
    }
    return (count == 1 ? "the name server (" : "the name servers (") + list + ')';
}

void NameQuery::on_socket(void* self, int fd, int readable, int writable) noexcept
{
    NameQuery& query = *static_cast<NameQuery*>(self);
    auto& sockets = query.sockets_;
    auto place = std::find_if(sockets.begin(), sockets.end(), [fd](const auto& socket) { return socket->fd() == fd; });
    if (!readable && !writable) {
        if (place != sockets.end())
            sockets.erase(place);
        return;
    }
    if (place == sockets.end())
        place = sockets.insert(place, std::make_unique<Socket>(query, fd));
    if ((*place)->wait_for((readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u)) || query.result_)
        return;
    const int error = errno; // no event will come
    query.result_ = Resolved{{}, std::strerror(error), base::resource_of(error).value_or(base::Resource::watches)};
}

void NameQuery::on_answer(void* self, int status, int, ares_addrinfo* list) noexcept
{
    NameQuery& query = *static_cast<NameQuery*>(self);
    if (status == ARES_EDESTRUCTION || query.result_) {
        // Nobody waits for it.
    } else if (status != ARES_SUCCESS) {
        query.fail(status);
    } else {
        Resolved resolved;
        for (const ares_addrinfo_node* node = list->nodes; node; node = node->ai_next)
            if (const auto address = Address::from_sockaddr(node->ai_addr, node->ai_addrlen))
                resolved.addresses.push_back(*address);
        if (resolved.addresses.empty())
            resolved.error = "the name has no address";
        query.result_ = std::move(resolved);
    }
    ares_freeaddrinfo(list);
}

void NameQuery::fail(int status)
{
    Resolved failure;
    const int lack = status == ARES_ENOMEM ? ENOMEM : descriptor_error();
    if (lack != 0) {
        failure.error = std::strerror(lack);
        failure.shortage = base::resource_of(lack).value_or(base::Resource::descriptors);
    } else if (status == ARES_ENOTFOUND || (status == ARES_ECONNREFUSED && !asks_servers())) {
        failure.error = "no such host";
    } else if (status == ARES_ENODATA) {
        failure.error = "the name has no address";
    } else if (status == ARES_EBADNAME) {
        failure.error = "not a host name";
    } else if (status == ARES_ETIMEOUT) {
        failure.error = "no answer from " + servers();
    } else if (status == ARES_ECONNREFUSED) {
        // Also when each of them has answered with SERVFAIL or REFUSED.
        failure.error = "refused, or a failure told, by " + servers();
    } else {
        failure.error = std::string(ares_strerror(status)) + ", " + servers();
    }
    result_ = std::move(failure);
}

bool NameQuery::asks_servers() const
{
    ares_options options{};
    int mask = 0;
    const bool known = ares_save_options(channel_, &options, &mask) == ARES_SUCCESS && options.lookups;
    const bool asks = !known || std::strchr(options.lookups, 'b');
    ares_destroy_options(&options);
    return asks;
}

void NameQuery::on_event(int fd, std::uint32_t events) noexcept
{
    const bool failed = events & (EPOLLERR | EPOLLHUP); // what c-ares then reads or writes tells how
    ares_process_fd(channel_, (events & EPOLLIN) || failed ? fd : ARES_SOCKET_BAD, events & EPOLLOUT ? fd : ARES_SOCKET_BAD);
    go_on();
    if (result_)
        done_(*this);
}

void NameQuery::on_timeout() noexcept
{
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    go_on();
    if (result_)
        done_(*this);
}

void NameQuery::go_on() noexcept
{
    timeval left{};
    if (!result_ && ares_timeout(channel_, nullptr, &left))
        timer_.set(Millis(left.tv_sec * 1000 + left.tv_usec / 1000 + 1));
    else
        timer_.cancel();
}

} // namespace net
