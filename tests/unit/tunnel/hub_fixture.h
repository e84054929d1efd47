#pragma once

// Included last: it brings CppUTest, whose macros redefine new.

#include "base/log.h"
#include "directory/directory.h"
#include "rpch/pdu.h"
#include "rpch/rts_fields.h"
#include "tunnel/hub.h"
#include "unit/directory/fixture.h"
#include "unit/rpch/role_fixture.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <CppUTest/TestHarness.h>

using role_test::ack;
using role_test::ack_to;
using role_test::conn_a1;
using role_test::conn_b1;
using role_test::conn_b3;
using role_test::conn_c1;
using role_test::in_next;
using role_test::out_next;
using role_test::vc;
using rpch::RtsId;
using leg::Method;

inline std::string text_of(base::Bytes bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::string rpc_pdu(std::size_t size, std::uint8_t fill = 0x55)
{
    std::vector<std::uint8_t> pdu(size, fill);
    rpch::PduHeader header;
    header.frag_length = static_cast<std::uint16_t>(size);
    base::Writer out(pdu);
    header.encode(out);
    return text_of(pdu);
}

inline std::string a1(std::uint8_t v = vc, std::uint32_t window = 65536)
{
    return text_of(rpch::encode(conn_a1(window, v)));
}

inline std::string b1(std::uint8_t v = vc)
{
    return text_of(rpch::encode(conn_b1(300'000, v)));
}

/// A socket of the test: what it was sent, and what it says.
struct Peer {
    base::UniqueFd fd;
    std::string got;
    bool ended = false;

    void say(const std::string& text) const { LONGS_EQUAL(text.size(), ::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL)); }
    /// As much as goes; how much that was.
    std::size_t push(std::string_view text) const
    {
        const ssize_t n = ::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        return n > 0 ? static_cast<std::size_t>(n) : 0;
    }
    void listen(std::size_t limit = 1 << 30)
    {
        char buffer[8192];
        while (limit > 0) {
            const ssize_t n = ::recv(fd.get(), buffer, std::min(limit, sizeof buffer), MSG_DONTWAIT);
            if (n <= 0) {
                ended = ended || n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
                return;
            }
            got.append(buffer, static_cast<std::size_t>(n));
            limit -= static_cast<std::size_t>(n);
        }
    }
    /// Closes with a reset.
    void abort()
    {
        const linger now{1, 0};
        ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
        fd.reset();
    }
};

/// A hub in the test's own loop, a service that the test plays, and clients at its door.
struct HubGroup : Utest {
    TemporaryDirectory directory;
    leg::Settings settings;
    leg::Nodes nodes;
    net::Sources sources;
    std::unique_ptr<net::Loop> loop;
    std::unique_ptr<base::Lane> lane;
    std::unique_ptr<net::Resolver> resolver;
    std::unique_ptr<directory::Directory> database;
    std::unique_ptr<tunnel::Hub> hub;
    base::UniqueFd listener;
    std::uint16_t port = 0;
    std::uint64_t ids = 0;

    virtual std::unique_ptr<net::Resolver> make_resolver() { return std::make_unique<net::Resolver>(); }
    void setup() override
    {
        base::log::set_level(base::log::Level::error);
        listener.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        ::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size);
        ::listen(listener.get(), 16);
        ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
        port = ntohs(address.sin_port);
    }
    void start()
    {
        loop = std::make_unique<net::Loop>();
        lane = std::make_unique<base::Lane>(base::Lane::Plan{base::Resource::directory, 1, 16});
        resolver = make_resolver();
        database = std::make_unique<directory::Directory>(directory.path);
        hub = std::make_unique<tunnel::Hub>(leg::Environment{*loop, *lane, *resolver, database->judge, settings, nodes, sources});
    }
    void teardown() override
    {
        hub.reset(); // whatever it still has
        resolver.reset();
        lane.reset();
        database.reset();
        loop.reset();
        listener.reset();
        base::log::set_level(base::log::Level::info);
    }
    /// A channel request as the HTTP engine hands it over; what the client's end of it is.
    Peer arrive(Method method, directory::Transport transport, const std::string& body = {},
                const std::function<void(leg::Arrival&)>& change = {})
    {
        int fds[2];
        ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);
        leg::Arrival arrival;
        arrival.id = ++ids;
        arrival.method = method;
        arrival.stream = net::Stream(base::UniqueFd(fds[0]));
        arrival.content_length = method == Method::in_data ? 0x40000000 : 76;
        arrival.grant.party.principal = "alice";
        arrival.grant.party.target = "ex1:6001";
        arrival.grant.route = {transport, "127.0.0.1", port, "EX1"};
        arrival.judged_at = database->judge.generation();
        if (change)
            change(arrival);
        Peer peer;
        peer.fd.reset(fds[1]);
        if (!body.empty())
            peer.say(body);
        hub->arrive(std::move(arrival));
        return peer;
    }
    void until(const std::function<bool()>& done)
    {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        while (!done()) {
            CHECK_TRUE_TEXT(std::chrono::steady_clock::now() < end, "it did not happen within 5 s");
            loop->run_once(net::Millis(5));
        }
    }
    /// The same for what takes its time: once all that can happen at once should have happened, that time is skipped.
    void until_later(const std::function<bool()>& done)
    {
        const auto at_once = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
        until([&] {
            if (std::chrono::steady_clock::now() > at_once)
                loop->skip(net::Millis(100));
            return done();
        });
    }
    void settle()
    {
        for (int i = 0; i < 20; ++i)
            loop->run_once(net::Millis(1));
    }
    Peer accept()
    {
        Peer peer;
        until([&] {
            peer.fd.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
            return static_cast<bool>(peer.fd);
        });
        return peer;
    }
    bool nobody_connects()
    {
        settle();
        const int fd = ::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            ::close(fd);
        return fd < 0;
    }
    void until_got(Peer& peer, std::size_t size)
    {
        until([&] {
            peer.listen();
            return peer.got.size() >= size;
        });
    }
    void until_ended(Peer& peer)
    {
        until([&] {
            peer.listen();
            return peer.ended;
        });
    }
    /// MS-RPCH 2.1.2.1.4, with what keeps proxies in between from buffering.
    static std::string success_head(std::uint32_t lifetime)
    {
        return "HTTP/1.1 200 Success\r\nContent-Type: application/rpc\r\nContent-Length: " + std::to_string(lifetime) +
               "\r\nCache-Control: no-store, no-transform\r\nX-Accel-Buffering: no\r\n\r\n";
    }
    static inline const std::string head = success_head(1073741824);
    static inline const std::size_t established = head.size() + 28 + 44;

    struct Tunnel {
        Peer in, out, server;
    };
    Tunnel plain_tunnel()
    {
        Tunnel t;
        t.in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1());
        t.out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1());
        t.server = accept();
        until_got(t.out, established);
        t.out.got.clear();
        return t;
    }
};
