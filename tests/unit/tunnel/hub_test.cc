#include "base/log.h"
#include "directory/database.h"
#include "rpch/pdu.h"
#include "rpch/rts_fields.h"
#include "tunnel/hub.h"
#include "unit/rpch/role_fixture.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <CppUTest/TestHarness.h>

using role_test::ack;
using role_test::ack_to;
using role_test::conn_a1;
using role_test::conn_b1;
using role_test::conn_b3;
using role_test::conn_c1;
using role_test::vc;
using rpch::RtsId;
using tunnel::Method;

namespace {

std::string text_of(base::Bytes bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string rpc_pdu(std::size_t size, std::uint8_t fill = 0x55)
{
    std::vector<std::uint8_t> pdu(size, fill);
    rpch::PduHeader header;
    header.frag_length = static_cast<std::uint16_t>(size);
    base::Writer out(pdu);
    header.encode(out);
    return text_of(pdu);
}

std::string a1(std::uint8_t v = vc, std::uint32_t window = 65536)
{
    return text_of(rpch::encode(conn_a1(window, v)));
}

std::string b1(std::uint8_t v = vc)
{
    return text_of(rpch::encode(conn_b1(300'000, v)));
}

/// A socket of the test: what it was sent, and what it says.
struct Peer {
    base::UniqueFd fd;
    std::string got;
    bool ended = false;

    void say(const std::string& text) const { LONGS_EQUAL(text.size(), ::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL)); }
    void listen()
    {
        char buffer[8192];
        for (;;) {
            const ssize_t n = ::recv(fd.get(), buffer, sizeof buffer, MSG_DONTWAIT);
            if (n > 0)
                got.append(buffer, static_cast<std::size_t>(n));
            else {
                ended = ended || n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
                return;
            }
        }
    }
};

} // namespace

TEST_GROUP(Hub) {
    std::string database = "/tmp/rpctunnel-hub-test-" + std::to_string(getpid()) + ".db";
    tunnel::Settings settings;
    tunnel::Nodes nodes;
    std::unique_ptr<net::Loop> loop;
    std::unique_ptr<base::Workers> workers;
    std::unique_ptr<directory::Policy> policy;
    std::unique_ptr<tunnel::Hub> hub;
    base::UniqueFd listener;
    std::uint16_t port = 0;
    std::uint64_t ids = 0;

    void setup() override
    {
        directory::Database(database, directory::Database::Mode::create);
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
        workers = std::make_unique<base::Workers>(1, 16);
        policy = std::make_unique<directory::Policy>(database);
        hub = std::make_unique<tunnel::Hub>(tunnel::Environment{*loop, *workers, *policy, settings, nodes});
    }
    void teardown() override
    {
        if (hub)
            hub->close_all("the test is over");
        if (loop)
            loop->run_once(net::Millis(0));
        hub.reset();
        workers.reset();
        policy.reset();
        loop.reset();
        listener.reset();
        for (const char* suffix : {"", "-wal", "-shm"})
            ::unlink((database + suffix).c_str());
        base::log::set_level(base::log::Level::info);
    }
    /// A channel request as the HTTP engine hands it over; what the client's end of it is.
    Peer arrive(Method method, directory::Transport transport, const std::string& body = {},
                const std::function<void(tunnel::Arrival&)>& change = {})
    {
        int fds[2];
        ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);
        tunnel::Arrival arrival;
        arrival.id = ++ids;
        arrival.method = method;
        arrival.stream = net::Stream(base::UniqueFd(fds[0]));
        arrival.content_length = method == Method::in_data ? 0x40000000 : 76;
        arrival.principal = "alice";
        arrival.target = "ex1:6001";
        arrival.route = {transport, "127.0.0.1", port, "EX1"};
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
    static constexpr char head[] = "HTTP/1.1 200 Success\r\nContent-Type: application/rpc\r\nContent-Length: 1073741824\r\n\r\n";
    static constexpr std::size_t established = sizeof head - 1 + 28 + 44;

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

TEST(Hub, plainServerBothOrdersAndDataBothWays)
{
    start();
    for (const bool in_first : {true, false}) {
        Peer in, out;
        if (in_first)
            in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1());
        out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1());
        Peer server = accept();
        if (!in_first)
            in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1());
        until_got(out, established);
        CHECK(out.got.substr(0, sizeof head - 1) == head);
        CHECK_TRUE(in.got.empty());
        LONGS_EQUAL(28, static_cast<std::uint8_t>(out.got[sizeof head - 1 + 8]));
        LONGS_EQUAL(44, static_cast<std::uint8_t>(out.got[sizeof head - 1 + 28 + 8]));
        out.got.clear();
        CHECK_TRUE(nobody_connects()); // one connection for both channels

        in.say(rpc_pdu(72) + rpc_pdu(30));
        until_got(server, 102);
        CHECK(server.got == rpc_pdu(72) + rpc_pdu(30));
        server.say(rpc_pdu(500));
        until_got(out, 500);
        CHECK(out.got == rpc_pdu(500));
        LONGS_EQUAL(2, hub->size());
        in.fd.reset();
        until_ended(out);
        until_ended(server);
        LONGS_EQUAL(0, hub->size());
    }
}

TEST(Hub, firstPduComesByteByByteAndEarlyBytesAreNotLost)
{
    start();
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp);
    for (const char c : a1()) {
        out.say(std::string(1, c));
        loop->run_once(net::Millis(0));
    }
    const std::string early = b1() + text_of(rpch::RtsBuilder(RtsId::ping).done()) + rpc_pdu(40).substr(0, 7);
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, {},
                     [&](tunnel::Arrival& arrival) { arrival.early.assign(early.begin(), early.end()); });
    Peer server = accept();
    until_got(out, established);
    in.say(rpc_pdu(40).substr(7));
    until_got(server, 40);
    CHECK(server.got == rpc_pdu(40));
}

TEST(Hub, continueIsWrittenBeforeAnythingElse)
{
    start();
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, {},
                      [](tunnel::Arrival& arrival) { arrival.expect_continue = true; });
    until_got(out, 25);
    CHECK(out.got == "HTTP/1.1 100 Continue\r\n\r\n");
    CHECK_TRUE(nobody_connects());
}

TEST(Hub, serverThatHasGoneStillDeliversItsLastWords)
{
    start();
    Tunnel t = plain_tunnel();
    t.server.say(rpc_pdu(2000));
    t.server.fd.reset();
    until_ended(t.out);
    CHECK(t.out.got == rpc_pdu(2000));
    until_ended(t.in);
    LONGS_EQUAL(0, hub->size());
}

TEST(Hub, unreachableServerGetsTheClientA503)
{
    start();
    listener.reset();
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1());
    until_ended(in);
    CHECK_TRUE(in.got.empty());
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1());
    until_ended(out);
    STRCMP_EQUAL("HTTP/1.0 503 RPC Error: 6ba\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", out.got.c_str());
    out = arrive(Method::out_data, directory::Transport::ncacn_http, a1());
    until_ended(out);
    CHECK(out.got.starts_with("HTTP/1.0 503 RPC Error: 6ba\r\n"));
    LONGS_EQUAL(0, hub->size());
}

// A protocol error costs the newcomer alone, without an answer; the tunnel it named does not notice.
TEST(Hub, refusesNewcomersAndLeavesTheTunnelAlone)
{
    start();
    Tunnel t = plain_tunnel();
    struct Row { Method method; std::string body; std::function<void(tunnel::Arrival&)> change; };
    const Row rows[] = {
        {Method::in_data, b1(), {}},                                                            // a second IN
        {Method::out_data, a1(), {}},                                                           // a second OUT
        {Method::in_data, a1(0x11), {}},                                                        // A1 on IN
        {Method::out_data, b1(0x11), [](tunnel::Arrival& a) { a.content_length = 104; }},       // B1 on OUT
        {Method::out_data, b1(0x11), {}},                                                       // longer than its body
        {Method::in_data, rpc_pdu(40), {}},                                                     // no RTS PDU
        {Method::in_data, std::string(104, '\0'), {}},                                          // no PDU
        {Method::in_data, std::string("\x05\x00\x14\x03\x10\x00\x00\x00\xff\xff", 10), {}},     // frag_length 65535
        {Method::in_data, std::string("\x05\x00\x14\x03\x10\x00\x00\x00\x0f\x00", 10), {}},     // 15
        {Method::in_data, std::string("\x05\x00\x14\x03\x10\x00\x00\x00\x00\x00", 10), {}},     // 0
        {Method::in_data, text_of(rpch::RtsBuilder(RtsId::ping).done()), {}},
        {Method::out_data, a1(0), {}},                                                          // an all-zero cookie
    };
    for (const Row& row : rows) {
        Peer peer = arrive(row.method, directory::Transport::ncacn_ip_tcp, row.body, row.change);
        until_ended(peer);
        CHECK_TRUE(peer.got.empty());
        until([&] { return hub->size() == 2; });
    }
    CHECK_TRUE(nobody_connects());
    t.in.say(rpc_pdu(60));
    until_got(t.server, 60);
}

TEST(Hub, bothChannelsBelongToOneUserAndOneTarget)
{
    start();
    const std::function<void(tunnel::Arrival&)> changes[] = {
        [](tunnel::Arrival& arrival) { arrival.principal = "mallory"; },
        [](tunnel::Arrival& arrival) { arrival.target = "ex2:6001"; },
    };
    for (const auto& change : changes) {
        Peer in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1());
        Peer out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1(), change);
        until_ended(out);
        CHECK_TRUE(out.got.empty());
        in.listen();
        CHECK_FALSE(in.ended);
        in.fd.reset();
        until([&] { return hub->size() == 0; });
    }
}

TEST(Hub, halfOfAVirtualConnectionWaitsABoundedTime)
{
    settings.setup_timeout = 150;
    start();
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1(0x11));
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1(0x12));
    Peer silent = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, "\x05");
    until_ended(in);
    until_ended(out);
    until_ended(silent);
    LONGS_EQUAL(0, hub->size());
}

TEST(Hub, whatTheClientMayNotSendEndsTheTunnel)
{
    start();
    const std::string on_in[] = {text_of(rpch::encode(conn_b1())), text_of(rpch::encode(ack(1, 1, role_test::in))),
                                 std::string("\x05\x00\x00\x03\x10\x00\x00\x00\x0f\x00", 10), "GET / HTTP/1.1\r\n"};
    for (const std::string& bytes : on_in) {
        Tunnel t = plain_tunnel();
        t.in.say(bytes);
        until_ended(t.in);
        until_ended(t.out);
        until_ended(t.server);
        LONGS_EQUAL(0, hub->size());
    }
    Tunnel t = plain_tunnel();
    t.out.say(rpc_pdu(20));
    until_ended(t.out);
    until_ended(t.in);
}

// The true proxies: a connection of its own for each channel, and the server pairs them.
TEST(Hub, ncacnHttpServer)
{
    start();
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_http, a1());
    Peer out_server = accept();
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_http, b1());
    Peer in_server = accept();
    until_got(out_server, 84);
    until_got(in_server, 128);
    until_got(out, sizeof head - 1 + 28);
    out_server.say("ncacn_http/1.0");
    in_server.say("ncacn_http");
    settle();
    in_server.say("/1.0" + text_of(rpch::encode(conn_b3())));
    out_server.say(text_of(rpch::encode(conn_c1())) + rpc_pdu(60));
    until_got(out, established + 60);
    in_server.got.clear();
    in.say(rpc_pdu(72) + text_of(rpch::encode(ack_to(rpch::Destination::outbound_proxy, 60, 65536, role_test::out))));
    until_got(in_server, 72 + 56);
    CHECK(in_server.got.substr(0, 72) == rpc_pdu(72));
    // The server forwards the acknowledgement on the OUT leg, behind as many RPC PDUs as it likes.
    out_server.say(text_of(rpch::encode(ack_to(rpch::Destination::outbound_proxy, 60, 65536, role_test::out))));
    settle();
    LONGS_EQUAL(2, hub->size());
    out_server.fd.reset();
    until_ended(out);
    in_server.fd.reset();
    until_ended(in);
}

TEST(Hub, rpcFromTheServerOnTheInLegEndsTheChannel)
{
    start();
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_http, b1());
    Peer server = accept();
    until_got(server, 128);
    server.say(rpc_pdu(60));
    until_ended(in);
}

TEST(Hub, requiredBannerThatDoesNotComeIsAnUnavailableServer)
{
    settings.require_banner = true;
    settings.connect_timeout = 200;
    start();
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_http, a1());
    Peer server = accept();
    until_ended(out);
    CHECK(out.got.starts_with("HTTP/1.0 503 RPC Error: 6ba\r\n"));
    server.listen();
    CHECK_TRUE(server.got.empty()); // a port that never asked for RPC over HTTP was told nothing
    out = arrive(Method::out_data, directory::Transport::ncacn_http, a1());
    server = accept();
    server.say("ncacn_http/1.0");
    until_got(server, 84);
}

// The client announces 8192 and acknowledges nothing while it does not read: nothing more may come.
TEST(Hub, theClientsWindowHoldsAndIsGivenUpOnlyForAReader)
{
    start();
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1());
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1(vc, 8192));
    Peer server = accept();
    until_got(out, established);
    out.got.clear();
    for (int i = 0; i < 8; ++i)
        server.say(rpc_pdu(2048, static_cast<std::uint8_t>(i)));
    until_got(out, 8192);
    settle();
    out.listen();
    LONGS_EQUAL(8192, out.got.size());
    in.say(text_of(rpch::encode(ack_to(rpch::Destination::outbound_proxy, 4096, 8192, role_test::out))));
    until_got(out, 8192 + 4096);
    settle();
    out.listen();
    LONGS_EQUAL(8192 + 4096, out.got.size());
    until_got(out, 8 * 2048); // it has read everything and says nothing more: after 2 s its window is lifted
}

namespace {

constexpr std::uint8_t in_next = 0x30, out_next = 0x50;

std::string in_a1(std::uint8_t from, std::uint8_t to)
{
    return text_of(rpch::RtsBuilder(RtsId::in_r1_a1).version().cookie(role_test::cookie(vc)).cookie(role_test::cookie(from))
                       .cookie(role_test::cookie(to)).done());
}

std::string in_a5(std::uint8_t to)
{
    return text_of(rpch::RtsBuilder(RtsId::in_r1_a5).cookie(role_test::cookie(to)).done());
}

std::string out_a3(std::uint8_t from, std::uint8_t to)
{
    return text_of(rpch::RtsBuilder(RtsId::out_r1_a3).version().cookie(role_test::cookie(vc)).cookie(role_test::cookie(from))
                       .cookie(role_test::cookie(to)).receive_window(65536).done());
}

} // namespace

// IN_R2, 3.2.1.5.3.3, several times in a row, with RPC PDUs right before A5 and right behind it.
TEST(Hub, inChannelIsReplacedOnTheSameNode)
{
    start();
    Tunnel t = plain_tunnel();
    t.server.say(rpc_pdu(40)); // before the first answer nothing else may follow C2
    until_got(t.out, 40);
    std::string expected;
    std::uint8_t from = role_test::in;
    for (std::uint8_t to = in_next; to < in_next + 5; ++to) {
        t.in.say(rpc_pdu(50, to));
        Peer next = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, in_a1(from, to));
        t.out.got.clear();
        until_got(t.out, 28); // A4
        t.in.say(rpc_pdu(60, to) + in_a5(to));
        next.say(rpc_pdu(70, to));
        until_ended(t.in);
        t.in = std::move(next);
        expected += rpc_pdu(50, to) + rpc_pdu(60, to) + rpc_pdu(70, to);
        from = to;
    }
    until_got(t.server, expected.size());
    CHECK(t.server.got == expected);
    LONGS_EQUAL(2, hub->size());
}

TEST(Hub, forgedSuccessorsAreRefusedAlone)
{
    start();
    Tunnel t = plain_tunnel();
    struct Row { Method method; std::string body; std::function<void(tunnel::Arrival&)> change; };
    const auto as_mallory = [](tunnel::Arrival& arrival) { arrival.principal = "mallory"; };
    const auto elsewhere = [](tunnel::Arrival& arrival) { arrival.target = "ex2:6001"; };
    const Row rows[] = {
        {Method::in_data, in_a1(role_test::in, in_next), as_mallory},
        {Method::in_data, in_a1(role_test::in, in_next), elsewhere},
        {Method::in_data, in_a1(0x77, in_next), {}},
        {Method::in_data, in_a1(role_test::in, role_test::in), {}},
        {Method::out_data, out_a3(role_test::out, out_next), [](tunnel::Arrival& a) { a.content_length = 120; }}, // not asked for
        {Method::in_data, out_a3(role_test::out, out_next), {}},
    };
    for (const Row& row : rows) {
        Peer peer = arrive(row.method, directory::Transport::ncacn_ip_tcp, row.body, row.change);
        until_ended(peer);
        CHECK_TRUE(peer.got.empty());
        until([&] { return hub->size() == 2; });
    }
    t.in.say(rpc_pdu(60));
    until_got(t.server, 60);
}

// IN_R1, 3.2.1.5.3.2: this node has the successor.
TEST(Hub, inSuccessorOfAChannelOnAnotherNode)
{
    start();
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_http, in_a1(role_test::in, in_next));
    Peer server = accept();
    until_got(server, 104); // IN_R1/A2
    in.say(rpc_pdu(60));    // right behind A5, which went to the other node
    settle();
    server.listen();
    LONGS_EQUAL(104, server.got.size()); // plugged until B2
    server.say(text_of(rpch::RtsBuilder(RtsId::in_r1_b2).receive_window(65536).done()));
    until_got(server, 164);
    CHECK(server.got.substr(104) == rpc_pdu(60));
}

// IN_R1: this node has the predecessor. A6 at once, then what waited for the server's window, then B1, then the end.
TEST(Hub, inPredecessorOfAChannelOnAnotherNode)
{
    start();
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_http, b1());
    Peer server = accept();
    until_got(server, 128);
    server.say(text_of(rpch::encode(conn_b3(8192))));
    settle();
    in.say(rpc_pdu(8000, 1) + rpc_pdu(5000, 2) + in_a5(in_next));
    until_got(server, 128 + 8000 + 40);
    settle();
    server.listen();
    CHECK(server.got.substr(128) == rpc_pdu(8000, 1) + text_of(rpch::RtsBuilder(RtsId::in_r1_a6).cookie(role_test::cookie(in_next)).done()));
    CHECK_FALSE(server.ended);
    server.say(text_of(rpch::encode(ack(8000, 8192, role_test::in))));
    until_ended(server);
    CHECK(server.got.substr(128 + 8000 + 40) == rpc_pdu(5000, 2) + text_of(rpch::RtsBuilder(RtsId::in_r1_b1).empty().done()));
    until([&] { return hub->size() == 0; });
}

// OUT_R1, 3.2.1.5.3.4: this node has the successor. Nothing is answered before A11, then the head and what waited.
TEST(Hub, outSuccessorOfAChannelOnAnotherNode)
{
    start();
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_http, out_a3(role_test::out, out_next),
                      [](tunnel::Arrival& a) { a.content_length = 120; });
    Peer server = accept();
    until_got(server, 112); // OUT_R1/A4
    server.say(rpc_pdu(60));
    settle();
    out.listen();
    CHECK_TRUE(out.got.empty());
    out.say(text_of(rpch::RtsBuilder(RtsId::out_r1_a11).ance().done()));
    until_got(out, sizeof head - 1 + 60);
    CHECK(out.got == head + rpc_pdu(60));
}

// OUT_R1: this node has the predecessor. A5 is forwarded as A6; on A9 what waits, A10, and the end.
TEST(Hub, outPredecessorOfAChannelOnAnotherNode)
{
    start();
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_http, a1());
    Peer server = accept();
    until_got(server, 84);
    const std::string recycle = text_of(rpch::RtsBuilder(RtsId::out_r1_a1).destination(rpch::Destination::client).done());
    const std::string a5 = text_of(
        rpch::RtsBuilder(RtsId::out_r1_a5).destination(rpch::Destination::client).version().connection_timeout(120'000).done());
    const std::string a9 = text_of(rpch::RtsBuilder(RtsId::out_r1_a9).ance().done());
    server.say(text_of(rpch::encode(conn_c1())) + rpc_pdu(60) + recycle + a5 + rpc_pdu(70) + a9);
    until_ended(out);
    CHECK(out.got.substr(established) == rpc_pdu(60) + recycle + a5 + rpc_pdu(70) + a9);
    until_ended(server);
    until([&] { return hub->size() == 0; });
}

// OUT_R2, 3.2.1.5.3.5, with channels of 128 KiB: a MiB crosses a dozen of them, nothing is lost or repeated.
TEST(Hub, outChannelIsReplacedBeforeItsLifetimeEnds)
{
    settings.channel_lifetime = 131072;
    start();
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1());
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1());
    Peer server = accept();
    const std::string short_head = "HTTP/1.1 200 Success\r\nContent-Type: application/rpc\r\nContent-Length: 131072\r\n\r\n";
    until_got(out, short_head.size() + 72);
    std::string expected, got;
    std::size_t sent = 0, body = 72, recycled = 0;
    std::uint8_t channel = role_test::out, next_channel = out_next;
    std::uint32_t received = 0, acknowledged = 0;
    Peer next;
    std::string input = out.got.substr(short_head.size() + 72);
    out.got.clear();
    for (int i = 0; i < 250; ++i)
        expected += rpc_pdu(4200, static_cast<std::uint8_t>(i));
    until([&] {
        if (sent < expected.size()) {
            const ssize_t n = ::send(server.fd.get(), expected.data() + sent, std::min<std::size_t>(30000, expected.size() - sent),
                                     MSG_NOSIGNAL | MSG_DONTWAIT);
            sent += n > 0 ? static_cast<std::size_t>(n) : 0;
        }
        out.listen();
        input += out.got;
        body += out.got.size();
        out.got.clear();
        for (base::Bytes bytes; input.size() >= 16; input.erase(0, bytes.size())) {
            const auto* const data = reinterpret_cast<const std::uint8_t*>(input.data());
            const std::size_t size = rpch::frag_length(std::span<const std::uint8_t, 10>(data, 10));
            if (input.size() < size)
                break;
            bytes = {data, size};
            if (data[2] != 20) {
                got += text_of(bytes);
                received += static_cast<std::uint32_t>(size);
                if (received - acknowledged > 32768) {
                    acknowledged = received;
                    in.say(text_of(rpch::encode(ack_to(rpch::Destination::outbound_proxy, received, 65536, channel))));
                }
                continue;
            }
            rpch::Rts pdu;
            CHECK_TRUE(rpch::decode(bytes, pdu).ok());
            if (pdu.is(RtsId::out_r1_a2)) {
                next = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, out_a3(channel, next_channel),
                              [](tunnel::Arrival& a) { a.content_length = 120; });
            } else if (pdu.is(RtsId::out_r2_a6)) {
                next.say(text_of(rpch::RtsBuilder(RtsId::out_r2_c1).empty().done()));
                in.say(text_of(rpch::RtsBuilder(RtsId::out_r2_a7).destination(rpch::Destination::server)
                                   .cookie(role_test::cookie(next_channel)).version().done()));
            } else if (pdu.is(RtsId::out_r2_b3)) {
                LONGS_EQUAL(size, input.size()); // nothing follows
                CHECK(body <= 131072);
                until_ended(out);
                until_got(next, short_head.size());
                CHECK(next.got.starts_with(short_head));
                out = std::move(next);
                input = out.got.substr(short_head.size()).insert(0, size, ' ');
                body = input.size() - size;
                out.got.clear();
                channel = next_channel++;
                received = acknowledged = 0;
                ++recycled;
                bytes = {reinterpret_cast<const std::uint8_t*>(input.data()), size};
            } else {
                FAIL("an RTS PDU that has no place here");
            }
        }
        return got.size() >= expected.size();
    });
    CHECK(got == expected);
    CHECK(recycled >= 8);
    LONGS_EQUAL(2, hub->size());
}

// A server in this process can answer OUT_R2/A8 while a PDU of the service is half through: it ends where it began.
TEST(Hub, anRpcPduThatHasBegunEndsOnThePredecessor)
{
    settings.channel_lifetime = 2 * 1024 * 1024;
    start();
    Tunnel t;
    t.in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1());
    t.out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1());
    t.server = accept();
    until_got(t.out, established - 3); // three digits less in the Content-Length
    t.out.got.clear();
    const std::string pdu = rpc_pdu(4200);
    std::uint32_t received = 0;
    while (t.out.got.size() <= received) {
        CHECK(received < settings.channel_lifetime);
        t.server.say(pdu);
        received += 4200;
        until_got(t.out, received);
        t.in.say(text_of(rpch::encode(ack_to(rpch::Destination::outbound_proxy, received, 65536, role_test::out))));
        for (int i = 0; i < 4; ++i)
            loop->run_once(net::Millis(0));
        t.out.listen();
    }
    LONGS_EQUAL(received + 28, t.out.got.size()); // A2
    Peer next = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, out_a3(role_test::out, out_next),
                       [](tunnel::Arrival& a) { a.content_length = 120; });
    until_got(t.out, received + 28 + 32); // A6
    t.out.got.clear();
    t.server.say(pdu.substr(0, 2000));
    until_got(t.out, 2000);
    next.say(text_of(rpch::RtsBuilder(RtsId::out_r2_c1).empty().done()));
    t.in.say(text_of(rpch::RtsBuilder(RtsId::out_r2_a7).destination(rpch::Destination::server)
                         .cookie(role_test::cookie(out_next)).version().done()));
    settle();
    t.server.say(pdu.substr(2000) + rpc_pdu(100));
    until_ended(t.out);
    CHECK(t.out.got == pdu + text_of(rpch::RtsBuilder(RtsId::out_r2_b3).ance().done()));
    settle();
    next.listen();
    CHECK(next.got.ends_with("\r\n\r\n" + rpc_pdu(100)));
}

TEST(Hub, aServerThatReadsNothingStopsTheClient)
{
    start();
    Tunnel t = plain_tunnel();
    std::size_t sent = 0;
    const std::string pdu = rpc_pdu(5000);
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
    while (std::chrono::steady_clock::now() < end) {
        const ssize_t n = ::send(t.in.fd.get(), pdu.data(), pdu.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0 && n < 5000)
            break;
        sent += n > 0 ? static_cast<std::size_t>(n) : 0;
        loop->run_once(net::Millis(0));
    }
    CHECK(sent < 40'000'000); // the kernel's buffers and one window
    std::size_t got = 0;
    until([&] {
        t.server.listen();
        got += t.server.got.size();
        t.server.got.clear();
        return got >= sent;
    });
}
