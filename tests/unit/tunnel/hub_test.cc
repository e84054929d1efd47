#include "hub_fixture.h"

TEST_GROUP_BASE(Hub, HubGroup) {};

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
        CHECK(out.got.substr(0, head.size()) == head);
        CHECK_TRUE(in.got.empty());
        LONGS_EQUAL(28, static_cast<std::uint8_t>(out.got[head.size() + 8]));
        LONGS_EQUAL(44, static_cast<std::uint8_t>(out.got[head.size() + 28 + 8]));
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
                     [&](leg::Arrival& arrival) { arrival.early.assign(early.begin(), early.end()); });
    Peer server = accept();
    until_got(out, established);
    in.say(rpc_pdu(40).substr(7));
    until_got(server, 40);
    CHECK(server.got == rpc_pdu(40));
}

TEST(Hub, theLastTokenOfALoginComesWithTheSuccess)
{
    start();
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1(),
                      [](leg::Arrival& arrival) { arrival.last_token = "Negotiate b2s="; });
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1());
    Peer server = accept();
    const std::string line = "\r\nWWW-Authenticate: Negotiate b2s=\r\n";
    until_got(out, established + line.size() - 2);
    CHECK(out.got.find(line) < out.got.find("\r\n\r\n"));
}

TEST(Hub, continueIsWrittenBeforeAnythingElse)
{
    start();
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, {},
                      [](leg::Arrival& arrival) { arrival.expect_continue = true; });
    until_got(out, 25);
    CHECK(out.got == "HTTP/1.1 100 Continue\r\n\r\n");
    CHECK_TRUE(nobody_connects());
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
    struct Row { Method method; std::string body; std::function<void(leg::Arrival&)> change; };
    const Row rows[] = {
        {Method::in_data, b1(), {}},                                                            // a second IN
        {Method::out_data, a1(), {}},                                                           // a second OUT
        {Method::in_data, a1(0x11), {}},                                                        // A1 on IN
        {Method::out_data, b1(0x11), [](leg::Arrival& a) { a.content_length = 104; }},       // B1 on OUT
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
    const std::function<void(leg::Arrival&)> changes[] = {
        [](leg::Arrival& arrival) { arrival.grant.party.principal = "mallory"; },
        [](leg::Arrival& arrival) { arrival.grant.party.target = "ex2:6001"; },
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
    until_got(out, head.size() + 28);
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

// The directory has moved the mailbox between the decision and the connection: what the second look-up has found is where
// the tunnel is, and a check of the routes leaves it alone.
TEST(Hub, theRouteOfASecondLookUpIsTheTunnels)
{
    for (const auto transport : {directory::Transport::ncacn_ip_tcp, directory::Transport::ncacn_http}) {
        directory.servers().remove("EX1");
        directory.add_server("EX1", "ex1.example");
        directory.servers().add_endpoint({.server = "EX1", .port = 6001, .transport = transport,
                                          .connect_host = "127.0.0.1", .connect_port = port, .default_connect = false});
        if (!hub)
            start();
        database->valid_ports.rebuild();
        const auto moved = [](leg::Arrival& arrival) {
            arrival.grant.mailbox = true;
            arrival.grant.route.port = 1;
        };
        Peer out = arrive(Method::out_data, transport, a1(), moved);
        Peer server = accept();
        settle(); // the server is reached before the other channel comes
        Peer in = arrive(Method::in_data, transport, b1(), moved);
        Peer second;
        if (transport == directory::Transport::ncacn_http)
            second = accept();
        settle();
        LONGS_EQUAL(2, hub->size());
        hub->recheck_routes();
        for (int i = 0; i < 5; ++i)
            settle();
        LONGS_EQUAL(2, hub->size());
        hub->find_outbound(role_test::cookie(vc))->end("the test is over");
        settle();
    }
}
