#pragma once

#include "base/delegate.h"
#include "base/shortage.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/timer.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

struct ares_addrinfo;
struct ares_channeldata;

namespace net {

/// What became of the look-up of a name.
struct Resolved {
    std::vector<Address> addresses; ///< in the order of RFC 6724; empty when there is none
    std::string error;              ///< why there is none, for people: "no such host"
    std::optional<base::Resource> shortage = {}; ///< what ran out here, if that is why
};

/// Name servers in place of those of resolv.conf(5), for tests.
struct NameServers {
    std::string addresses; ///< "127.0.0.1:5353,[::1]:5353"
    Millis timeout;        ///< for each of them in the first round; it doubles with each round
    int attempts;          ///< rounds
};

/// One name that is looked up, by c-ares, which never waits: it is asked in the thread of a loop, and reads /etc/hosts
/// there. resolv.conf(5) and nsswitch.conf(5) are read anew for each name, so that a change needs no signal; and each
/// name has a socket, and so a port, of its own, which makes a forged answer harder.
///
/// Of nsswitch.conf it knows `files`, `dns` and `resolve`, which is dns to it, and their order.
class NameQuery {
public:
    using Done = base::Delegate<void(NameQuery&)>;
    enum class Sources {
        all,
        files, ///< /etc/hosts: no name server is asked
    };

    /// Begins. When there is a result() afterwards, that is it; otherwise `done` comes once, never in here, and may
    /// destroy the query. The destructor gives up.
    NameQuery(Loop& loop, std::string host, const std::optional<NameServers>& servers, Sources sources, Done done);
    ~NameQuery();
    NameQuery(const NameQuery&) = delete;
    NameQuery& operator=(const NameQuery&) = delete;

    const std::string& host() const noexcept { return host_; }
    /// Without ports. Nothing while it is under way.
    const std::optional<Resolved>& result() const noexcept { return result_; }
    /// Who is asked, for people: "the name servers (192.0.2.1, 192.0.2.2)".
    std::string servers() const;

private:
    class Socket;

    static void on_socket(void* self, int fd, int readable, int writable) noexcept;
    static void on_answer(void* self, int status, int timeouts, ares_addrinfo* list) noexcept;
    void on_event(int fd, std::uint32_t events) noexcept;
    void on_timeout() noexcept;
    void go_on() noexcept;
    void fail(int status);
    bool asks_servers() const;

    Loop& loop_;
    const std::string host_;
    const Done done_;
    Timer timer_;
    std::optional<Resolved> result_;
    std::vector<std::unique_ptr<Socket>> sockets_;
    ares_channeldata* channel_ = nullptr;
};

} // namespace net
