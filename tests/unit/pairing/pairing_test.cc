#include "unit/tunnel/pairing_fixture.h"

TEST_GROUP_BASE(Pairing, PairingGroup) {};

// MS-RPCH 2.1.2.2.1: the server speaks first.
TEST(Pairing, theBannerComesBeforeTheProxyHasSpoken)
{
    start();
    Peer proxy = arrive_paired("");
    expect(proxy, banner);
    LONGS_EQUAL(1, pairing().size());
    Peer fixed = arrive_paired("", "ex1:6001", *net::Address::parse("198.51.100.9:4711"));
    expect(fixed, banner);
}

TEST(Pairing, bothOrdersMeetAtOneConnectionToTheService)
{
    start();
    for (const bool in_first : {true, false}) {
        for (const bool at_once : {true, false}) {
            Tunnel t;
            (in_first ? t.in : t.out) = arrive_paired(header() + (in_first ? b2() : a2()));
            if (!at_once)
                t.server = accept();
            (in_first ? t.out : t.in) = arrive_paired(header() + (in_first ? a2() : b2()));
            if (at_once)
                t.server = accept();
            expect(t.out, banner + c1);
            expect(t.in, banner + b3);
            CHECK_TRUE(nobody_connects());
            LONGS_EQUAL(1, pairing().virtual_servers());
            LONGS_EQUAL(2, pairing().size());
            expect_traffic(t);
            (in_first ? t.in : t.out).fd.reset();
            until_ended(in_first ? t.out : t.in);
            until_ended(t.server);
            until([&] { return nothing_left(); });
        }
    }
}

// Proxies of other products name no target: the port has it. They are nobody's user.
TEST(Pairing, aPortWithAFixedTargetTakesEveryProxy)
{
    start();
    const net::Address stranger = *net::Address::parse("198.51.100.9:4711");
    Tunnel t;
    t.out = arrive_paired(a2(), "ex1:6001", stranger);
    t.in = arrive_paired(b2(), "ex1:6001", stranger);
    t.server = accept();
    expect(t.out, banner + c1);
    expect(t.in, banner + b3);
    expect_traffic(t);
}

// C1 tells the client what the inbound proxy has announced, 3.2.5.5.3.
TEST(Pairing, theInboundProxysFiguresReachTheOutboundProxy)
{
    start();
    Peer out = join(a2());
    Peer in = join(text_of(rpch::RtsBuilder(RtsId::conn_b2).version().cookie(role_test::cookie(vc))
                               .cookie(role_test::cookie(role_test::in)).receive_window(32768).connection_timeout(240'000)
                               .association_group(role_test::cookie(role_test::group)).client_address({}).done()));
    expect(out, text_of(rpch::encode(conn_c1(32768, 240'000))));
    expect(in, b3);
}

TEST(Pairing, pdusSplitAtEveryBoundaryArriveWhole)
{
    start();
    Tunnel t = paired_tunnel();
    const std::string rpc = rpc_pdu(30, 1) + rpc_pdu(24, 2);
    const std::string in_words = rpc_pdu(30, 1) + rts(RtsId::ping) + rpc_pdu(24, 2);
    for (std::size_t at = 1; at < in_words.size(); ++at) {
        t.in.say(in_words.substr(0, at));
        loop->run_once(net::Millis(0));
        loop->run_once(net::Millis(0));
        t.in.say(in_words.substr(at));
        until_got(t.server, rpc.size());
        CHECK(t.server.got == rpc);
        t.server.got.clear();
    }
    for (std::size_t at = 1; at < rpc.size(); ++at) {
        t.server.say(rpc.substr(0, at));
        loop->run_once(net::Millis(1));
        loop->run_once(net::Millis(0));
        t.server.say(rpc.substr(at));
        until_got(t.out, rpc.size());
        CHECK(t.out.got == rpc);
        t.out.got.clear();
    }
}

// One channel's client is here, the other one's on another node.
TEST(Pairing, channelsMeetWhicheverWayTheyCome)
{
    start();
    {
        Tunnel t = local_in_tunnel();
        CHECK_TRUE(nobody_connects());
        LONGS_EQUAL(1, pairing().size());
        LONGS_EQUAL(1, hub->size());
        expect_traffic(t);
        t.in.fd.reset();
        until_ended(t.out);
        until_ended(t.server);
    }
    until([&] { return nothing_left(); });
    {
        Tunnel t = local_out_tunnel();
        CHECK_TRUE(nobody_connects());
        expect_traffic(t);
        t.in.fd.reset();
        until_ended(t.out);
        until_ended(t.server);
    }
    until([&] { return nothing_left(); });
}

TEST(Pairing, virtualConnectionsAreApart)
{
    start();
    Tunnel first = paired_tunnel();
    Tunnel second;
    second.in = join(b2(0x11));
    second.server = accept();
    second.out = join(a2(65536, 0x40000000, 0x11));
    expect(second.out, c1);
    expect(second.in, b3);
    LONGS_EQUAL(2, pairing().virtual_connections().size());
    CHECK_TRUE(pairing().meets_here(role_test::cookie(0x11)));
    pairing().end(role_test::cookie(vc), "an administrator wants it");
    until_ended(first.in);
    until_ended(first.out);
    until_ended(first.server);
    CHECK_FALSE(pairing().meets_here(role_test::cookie(vc)));
    expect_traffic(second);
}

TEST(Pairing, closeAllLeavesNothing)
{
    start();
    Tunnel t = local_in_tunnel();
    Peer half = join(b2(0x11));
    accept();
    Peer silent = arrive_paired("");
    LONGS_EQUAL(3, pairing().size());
    hub->close_all("the daemon stops");
    for (Peer* const peer : {&t.in, &t.out, &t.server, &half, &silent})
        until_ended(*peer);
    until([&] { return nothing_left(); });
    Peer late = arrive_paired(header() + a2());
    until_ended(late);
    CHECK_TRUE(nobody_connects());
}

TEST(Pairing, aProxyThatDoesNotReadDelaysNobodysEnd)
{
    start();
    Tunnel t = paired_tunnel(262144);
    for (std::uint8_t i = 0; i < 43; ++i)
        t.server.say(rpc_pdu(6000, i)); // more than its socket takes
    settle();
    hub->close_all("the daemon stops");
    LONGS_EQUAL(0, pairing().size());
}

// A client of version 1 on a port with a fixed target is a mixed proxy's, and the port of the nodes takes none.
TEST(Pairing, version1ReachesTheFixedTarget)
{
    start();
    Peer client = arrive_paired(rpc_pdu(72), "ex1:6001", *net::Address::parse("198.51.100.9:4711"));
    Peer service = accept();
    expect(service, rpc_pdu(72));
    service.say(rpc_pdu(60));
    expect(client, banner + rpc_pdu(60));
    LONGS_EQUAL(0, pairing().size() + pairing().virtual_servers());
    LONGS_EQUAL(1, hub->size());
    client.fd.reset();
    until_ended(service);
    until([&] { return nothing_left(); });
}
