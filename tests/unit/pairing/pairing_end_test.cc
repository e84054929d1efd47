#include "unit/tunnel/pairing_fixture.h"

TEST_GROUP_BASE(PairingEnd, PairingGroup) {};

TEST(PairingEnd, unreachableServiceClosesTheLegs)
{
    start();
    listener.reset();
    Peer in = join(b2());
    Peer out = join(a2());
    until_ended(in);
    until_ended(out);
    CHECK_TRUE(in.got.empty());
    CHECK_TRUE(out.got.empty());
    until([&] { return nothing_left(); });
    Peer proxy = arrive_paired(header("ex1:6004") + b2());
    Peer client = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1(), [](leg::Arrival& arrival) {
        arrival.grant.party.target = "ex1:6004";
        arrival.grant.route.port = 1;
    });
    until_ended(proxy);
    until_ended(client);
    CHECK(client.got.starts_with("HTTP/1.0 503 RPC Error: 6ba\r\n"));
    until([&] { return nothing_left(); });
}

// The only channel leaves while the service is being connected: nothing is left of it, at once.
TEST(PairingEnd, theOnlyChannelLeavesBeforeTheServiceIsReached)
{
    start();
    fill_backlog();
    Peer client = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1());
    until([&] { return pairing().virtual_servers() == 1; });
    settle();
    client.fd.reset();
    until([&] { return nothing_left(); });

    for (const bool abruptly : {false, true}) {
        Peer proxy = join(b2());
        until([&] { return pairing().virtual_servers() == 1; });
        settle();
        if (abruptly)
            proxy.fd.reset();
        else
            ::shutdown(proxy.fd.get(), SHUT_WR);
        until([&] { return nothing_left(); });
    }
}

TEST(PairingEnd, halfOfAVirtualConnectionWaitsABoundedTime)
{
    settings.setup_timeout = 100;
    start();
    for (const std::string& first_pdu : {a2(), b2()}) {
        Peer half = join(first_pdu);
        Peer server = accept();
        until_ended(half);
        until_ended(server);
        until([&] { return nothing_left(); });
    }
}

// What the service has said before it closed is delivered first, whatever the window of the proxy.
TEST(PairingEnd, theServicesLastWordsAreDelivered)
{
    start();
    for (const std::uint32_t window : {65536u, 8192u}) {
        Tunnel t = paired_tunnel(window);
        std::string words;
        for (std::uint8_t i = 0; i < 10; ++i)
            words += rpc_pdu(900, i);
        t.server.say(words);
        t.server.fd.reset();
        until_got(t.out, window == 8192 ? 8100 : words.size());
        if (window == 8192)
            t.out.say(text_of(rpch::encode(ack(8100, 8192, role_test::out))));
        until_ended(t.out);
        LONGS_EQUAL(words.size(), t.out.got.size());
        CHECK(t.out.got == words);
        until_ended(t.in);
        until([&] { return nothing_left(); });
    }
}

// The proxy reads nothing while the service says a lot and goes: what waits here still reaches it.
TEST(PairingEnd, whatWaitsForASlowProxyIsDelivered)
{
    start();
    Tunnel t = paired_tunnel(262144);
    const int small = 4096;
    ::setsockopt(t.out.fd.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    std::string words;
    for (std::uint8_t i = 0; i < 40; ++i)
        words += rpc_pdu(6000, i);
    t.server.say(words);
    settle();
    t.server.fd.reset();
    settle();
    until_ended(t.out);
    LONGS_EQUAL(words.size(), t.out.got.size());
    CHECK(t.out.got == words);
    until([&] { return nothing_left(); });
}

// Behind the end nobody acknowledges any more: what waits for the window must not keep the connection.
TEST(PairingEnd, theEndDoesNotWaitForTheProxysWindow)
{
    start();
    Tunnel t = paired_tunnel(8192);
    const std::string words = rpc_pdu(5000, 1) + rpc_pdu(5000, 2);
    t.server.say(words);
    expect(t.out, rpc_pdu(5000, 1));
    t.in.fd.reset();
    until_ended(t.out);
    CHECK(words.substr(5000).starts_with(t.out.got));
    until([&] { return nothing_left(); });
}

TEST(PairingEnd, whatAProxyMayNotSendEndsTheVirtualConnection)
{
    start();
    const struct {
        bool on_in;
        std::string words;
    } rows[] = {
        {true, b2()},
        {true, rts(RtsId::in_r1_b1)},
        {true, rts(RtsId::out_r1_a8, {out_next}, rpch::Destination::server)},
        {true, std::string("\x05\x00\x00\x03\x10\x00\x00\x00\x0f\x00", 10)},
        {true, "GET / HTTP/1.1\r\n"},
        {false, rpc_pdu(40)},
        {false, a2()},
        {false, rts(RtsId::out_r2_a4, {out_next})},
        {false, text_of(rpch::encode(ack(1, 65536, role_test::out)))}, // of what was never sent
    };
    for (const auto& row : rows) {
        Tunnel t = paired_tunnel();
        (row.on_in ? t.in : t.out).say(row.words);
        until_ended(t.in);
        until_ended(t.out);
        until_ended(t.server);
        until([&] { return nothing_left(); });
    }
}

TEST(PairingEnd, rpcBeforeTheOtherChannelHasComeEndsIt)
{
    start();
    Peer in = join(b2() + rpc_pdu(40));
    Peer server = accept();
    until_ended(in);
    until_ended(server);
    CHECK_TRUE(server.got.empty());
    until([&] { return nothing_left(); });
}

TEST(PairingEnd, aChannelWithoutACookieIsRefused)
{
    start();
    for (const RtsId id : {RtsId::conn_a2, RtsId::conn_b2}) {
        Peer peer = join(rts(id, {vc, 0}));
        Peer server = accept();
        until_ended(peer);
        until_ended(server);
        CHECK_TRUE(peer.got.empty());
        until([&] { return nothing_left(); });
    }
}
