#include "hub_fixture.h"

#include <netinet/tcp.h>

// What happens while nothing does. Times are checked from below only: a slow machine is later, never sooner.

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto timeout = std::chrono::milliseconds(200); // pings come after half of it
constexpr auto tick = std::chrono::milliseconds(2);      // the loop's time is that of the beginning of a round

const std::string ping = text_of(rpch::RtsBuilder(RtsId::ping).done());

} // namespace

TEST_GROUP_BASE(HubSilence, HubGroup)
{
    /// A tunnel on which the server has answered: before that nothing may follow C2.
    Tunnel answered_tunnel()
    {
        settings.connection_timeout = static_cast<std::uint32_t>(timeout.count());
        start();
        Tunnel t = plain_tunnel();
        t.server.say(rpc_pdu(40));
        until_got(t.out, 40);
        return t;
    }
    /// The descriptor at the other end of a TCP connection, which is in this process too.
    int other_end(int fd)
    {
        for (int other = 3; other < 1024; ++other)
            if (net::Address::local_of(other) == net::Address::peer_of(fd) && net::Address::peer_of(other) == net::Address::local_of(fd))
                return other;
        FAIL("the connection has no other end");
        return -1;
    }
    /// Seconds.
    static int probed_after(int fd)
    {
        int seconds = 0;
        socklen_t size = sizeof seconds;
        ::getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, &size);
        return seconds;
    }
    void wait(Clock::duration time)
    {
        const auto end = Clock::now() + time;
        until([&] { return Clock::now() >= end; });
    }
    /// The OUT channel's next ping, while the client goes on acknowledging. That is nothing which is sent to it.
    void until_pinged(Tunnel& t)
    {
        t.out.got.clear();
        auto said = Clock::now();
        until([&] {
            if (Clock::now() - said > timeout / 8) {
                t.in.say(text_of(rpch::encode(ack_to(rpch::Destination::outbound_proxy, 40, 65536, role_test::out))));
                said = Clock::now();
            }
            t.out.listen();
            return !t.out.got.empty();
        });
        CHECK(t.out.got == ping);
    }
};

// MS-RPCH 3.2.4.6.1: a ping for each half of the connection timeout in which nothing was sent. What is sent puts the next
// one off, by so much and no more.
TEST(HubSilence, pingsFillTheSilence)
{
    Tunnel t = answered_tunnel();
    for (int i = 0; i < 2; ++i) {
        wait(timeout / 4);
        const auto before = Clock::now();
        t.server.say(rpc_pdu(50));
        until([&] {
            t.out.listen();
            return t.out.got.ends_with(rpc_pdu(50));
        });
        for (int pings = 1; pings <= 2; ++pings) {
            until_pinged(t);
            CHECK(Clock::now() - before >= pings * (timeout / 2 - tick));
        }
    }
}

// The client must let itself be heard within the connection timeout.
TEST(HubSilence, aClientThatIsHeardOfIsKeptAndASilentOneIsNot)
{
    for (const std::string& words : {ping, rpc_pdu(30)}) {
        Tunnel t = answered_tunnel();
        auto said = Clock::now();
        for (int i = 0; i < 6; ++i) {
            said = Clock::now();
            t.in.say(words);
            wait(timeout / 4);
            t.in.listen();
            t.out.listen();
            if (t.in.ended || t.out.ended)
                break; // a machine so slow that it is silent by mistake
        }
        until_ended(t.out);
        CHECK(Clock::now() - said >= timeout - tick);
        until_ended(t.in);
        until_ended(t.server);
        teardown();
        setup();
    }
}

// The client is pinged while it is still being waited for, so that one which waits for a word of the server says one too.
TEST(HubSilence, aPingComesBeforeTheClientIsGivenUp)
{
    Tunnel t = answered_tunnel();
    wait(timeout / 20);
    t.server.say(rpc_pdu(50)); // puts the ping off a little
    until_got(t.out, 40 + 50);
    t.out.got.clear();
    until_ended(t.in);
    t.out.listen();
    CHECK(t.out.got.starts_with(ping));
}

// Without its mate an OUT channel waits for the server's last words, longer than for a ping.
TEST(HubSilence, lastWordsAreWaitedForWithoutTheInChannel)
{
    settings.connection_timeout = static_cast<std::uint32_t>(timeout.count());
    start();
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_http, a1());
    Peer out_server = accept();
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_http, b1());
    Peer in_server = accept();
    until_got(out_server, 84);
    out_server.say(text_of(rpch::encode(conn_c1())) + rpc_pdu(60));
    until_got(out, established + 60);
    in.fd.reset();
    until_ended(in_server);
    wait(2 * timeout);
    out_server.say(rpc_pdu(70));
    until([&] {
        out.listen();
        return out.got.ends_with(rpc_pdu(70));
    });
}

// The client says after how much silence the server's connection is probed, and may say so again, 3.2.3.5.2.
TEST(HubSilence, theClientsKeepAliveIsThatOfTheServersConnection)
{
    start();
    for (const auto transport : {directory::Transport::ncacn_ip_tcp, directory::Transport::ncacn_http}) {
        Peer in = arrive(Method::in_data, transport, b1());
        Peer server = accept();
        if (transport == directory::Transport::ncacn_http)
            until_got(server, 128);
        const int ours = other_end(server.fd.get());
        until([&] { return probed_after(ours) == 300; });
        in.say(text_of(rpch::RtsBuilder(RtsId::keep_alive).client_keepalive(90'000).done()));
        until([&] { return probed_after(ours) == 90; });
        in.fd.reset();
        until_ended(server);
    }
}

// A client that has nothing to acknowledge keeps its window, however long that lasts.
TEST(HubSilence, aWindowThatIsOpenIsNotGivenUp)
{
    start();
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1());
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1(vc, 8192));
    Peer server = accept();
    until_got(out, established);
    server.say(rpc_pdu(100));
    until_got(out, established + 100);
    out.got.clear();
    loop->skip(tunnel::OutboundChannel::stall_patience + std::chrono::milliseconds(100));
    settle();
    server.say(rpc_pdu(5000) + rpc_pdu(5000));
    until_got(out, 5000);
    settle();
    out.listen();
    LONGS_EQUAL(5000, out.got.size());
}
