#include "unit/rpch/recycling_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace recycling_test;

TEST_GROUP(InRecycling1) {
    /// The client after recycle_in() and IN_Rx/A1; its random successor cookie.
    rpch::Cookie ask(Client& client)
    {
        Effects effects;
        CHECK_TRUE(client.recycle_in(effects));
        STRCMP_EQUAL("connect:in_successor", words(effects).c_str());
        Effects request;
        client.on_successor_request(Leg::in_successor, request);
        STRCMP_EQUAL("in_successor:IN_R1/A1", words(request).c_str());
        const Rts a1 = parse(request.begin()->pdu);
        rpch::RtsFields fields(a1);
        fields.version();
        CHECK(fields.cookie() == cookie(vc));
        CHECK(fields.cookie() == client.cookies().in_channel);
        return fields.cookie();
    }
};

// 3.2.1.5.3.2, client: A1 on the successor; A4; what waits, A5 on the predecessor; then the successor.
TEST(InRecycling1, client)
{
    Client client = opened_client();
    const rpch::Cookie next = ask(client);
    CHECK_TRUE(client.admits(100)); // the predecessor goes on until A4
    client.sent(100);
    STRCMP_EQUAL("promote:in last:in_predecessor:IN_R1/A5", to_client(client, make(RtsId::in_r1_a4)).c_str());
    CHECK(client.cookies().in_channel == next);
    CHECK_FALSE(client.admits(100)); // plugged
    CHECK_TRUE(client.admits(100, Leg::in_predecessor));
    // On the client's hop acknowledgements for the predecessor count while it drains, and not later.
    STRCMP_EQUAL("flow:in_predecessor", to_client(client, ack_to(rpch::Destination::client, 100, 65536, in)).c_str());
    Effects effects;
    client.on_drained(Leg::in_predecessor, effects);
    STRCMP_EQUAL("flow", words(effects).c_str());
    CHECK_TRUE(client.admits(65536));
    STRCMP_EQUAL("", to_client(client, ack_to(rpch::Destination::client, 9999, 65536, in)).c_str());
    Effects again;
    CHECK_FALSE(client.recycle_in(again)); // the predecessor's proxy is not done
    STRCMP_EQUAL("", closed(client, Leg::in_predecessor).c_str());
    ask(client);
}

// 3.2.1.5.3.2, successor inbound proxy: A1, A2, Wait_B2, B2. RPC PDUs wait for B2.
TEST(InRecycling1, successorProxy)
{
    InboundProxy proxy = new_inbound();
    Effects first, connected;
    proxy.on_first_pdu(make(RtsId::in_r1_a1, {vc, in, in_next}), first);
    STRCMP_EQUAL("connect", words(first).c_str());
    proxy.on_server_connected({}, connected);
    STRCMP_EQUAL("keep-alive server:IN_R1/A2", words(connected).c_str());
    const Rts a2 = parse((connected.end() - 1)->pdu);
    rpch::RtsFields fields(a2);
    fields.version();
    CHECK(fields.cookie() == cookie(vc) && fields.cookie() == cookie(in) && fields.cookie() == cookie(in_next));
    LONGS_EQUAL(65536, fields.receive_window());
    LONGS_EQUAL(120'000, fields.connection_timeout());
    CHECK_TRUE(proxy.awaits());
    POINTERS_EQUAL(nullptr, proxy.on_client_rpc(100));
    CHECK_FALSE(proxy.admits(100));
    STRCMP_EQUAL("opened flow", from_server(proxy, make(RtsId::in_r1_b2)).c_str());
    CHECK_TRUE(proxy.admits(100));
    CHECK_FALSE(proxy.awaits());
}

// 3.2.1.5.3.2, predecessor inbound proxy: A5, A6, what waits, B1, the end.
TEST(InRecycling1, predecessorProxy)
{
    InboundProxy proxy = opened_inbound();
    proxy.on_client_rpc(65536);
    proxy.sent(65536);
    proxy.on_client_rpc(100);
    STRCMP_EQUAL("server:IN_R1/A5 last:server:IN_R1/B1 finish",
                 from_client(proxy, make(RtsId::in_r1_a5, {in_next})).c_str());
    CHECK_FALSE(proxy.reads_client());
    CHECK_FALSE(proxy.admits(100));
    STRCMP_EQUAL("", closed(proxy, Leg::client).c_str());
    STRCMP_EQUAL("", closed(proxy, Leg::successor).c_str()); // it never had one
    CHECK_FALSE(proxy.reads_client());
    STRCMP_EQUAL("flow", from_server(proxy, ack(65536, 65536, in)).c_str()); // what waits still obeys the window
    CHECK_TRUE(proxy.admits(100));
    CHECK_TRUE(proxy.on_client_rpc(100) != nullptr);
    STRCMP_EQUAL("close", expired(proxy).c_str());
}

// 3.2.1.5.3.2, server: A2, A3; A6; B1, B2. The predecessor leg may still carry RPC PDUs between A6 and B1.
TEST(InRecycling1, server)
{
    Server server = opened_server();
    STRCMP_EQUAL("out:IN_R1/A3", newcomer(server, make(RtsId::in_r1_a2, {vc, in, in_next})).c_str());
    CHECK_TRUE(server.awaits(Leg::in));
    STRCMP_EQUAL("", from_inbound(server, make(RtsId::in_r1_a6, {in_next})).c_str());
    POINTERS_EQUAL(nullptr, server.on_in_rpc(Leg::in, 100));
    CHECK_TRUE(server.on_in_rpc(Leg::in_successor, 100) != nullptr);
    STRCMP_EQUAL("promote:in drop:in_predecessor in:IN_R1/B2", from_inbound(server, make(RtsId::in_r1_b1)).c_str());
    CHECK_FALSE(server.awaits(Leg::in));
    POINTERS_EQUAL(nullptr, server.on_in_rpc(Leg::in, 40'000));
    Effects effects;
    server.on_consumed(100, effects); // of the predecessor: its proxy needs no room any more
    STRCMP_EQUAL("", words(effects).c_str());
    server.on_consumed(40'000, effects);
    const Rts pdu = parse(effects.begin()->pdu);
    const rpch::FlowControlAck sent = rpch::RtsFields(pdu).flow_control_ack();
    LONGS_EQUAL(40'000, sent.bytes_received); // from zero again
    CHECK(sent.channel == cookie(in_next));
}

// 3.2.1.5.3.2 A3 and A4: the outbound proxy passes A3 on as it is.
TEST(InRecycling1, outboundProxyForwards)
{
    OutboundProxy proxy = new_outbound();
    Effects effects, more;
    proxy.on_first_pdu(make(RtsId::conn_a1, {vc, out}), effects);
    proxy.on_server_connected(effects);
    proxy.on_server_rts(make(RtsId::conn_c1), effects);
    proxy.on_server_rpc(60, more);
    proxy.on_server_rts(make(RtsId::in_r1_a3), more);
    proxy.on_server_rts(make(RtsId::in_r2_a3), more);
    STRCMP_EQUAL("client:IN_R1/A3 client:IN_R2/A3", words(more).c_str());
}

TEST(InRecycling1, whatIsRefused)
{
    for (const Rts& pdu : {make(RtsId::in_r1_a2, {vc, in_next, 0x31}), make(RtsId::in_r1_a2, {vc, in, in}),
                           make(RtsId::in_r1_a2, {vc, in, 0})}) {
        Server server = opened_server();
        STRCMP_EQUAL("refused", newcomer(server, pdu).c_str());
        CHECK(server.in_state() == RoleState::in_opened); // the victim does not notice
    }
    for (const Rts& pdu : {make(RtsId::in_r1_a1, {vc, in, in}), make(RtsId::in_r1_a1, {0, in, in_next}),
                           make(RtsId::in_r1_a1, {vc, in, 0})}) {
        InboundProxy proxy = new_inbound();
        Effects effects;
        proxy.on_first_pdu(pdu, effects);
        STRCMP_EQUAL("close", words(effects).c_str());
    }
    Server server = opened_server();
    newcomer(server, make(RtsId::in_r1_a2, {vc, in, in_next}));
    STRCMP_EQUAL("refused", newcomer(server, make(RtsId::in_r1_a2, {vc, in, in_next})).c_str());
    STRCMP_EQUAL("close", from_inbound(server, make(RtsId::in_r1_a6, {0x31})).c_str());
}

// A successor that never completes: before A6 the predecessor goes on; after it both end.
TEST(InRecycling1, successorThatNeverCompletes)
{
    Server server = opened_server();
    newcomer(server, make(RtsId::in_r1_a2, {vc, in, in_next}));
    STRCMP_EQUAL("drop:in_successor", expired(server, Leg::in).c_str());
    POINTERS_EQUAL(nullptr, server.on_in_rpc(Leg::in, 100));
    newcomer(server, make(RtsId::in_r1_a2, {vc, in, in_next}));
    STRCMP_EQUAL("", closed(server, Leg::in_successor).c_str());
    newcomer(server, make(RtsId::in_r1_a2, {vc, in, in_next}));
    from_inbound(server, make(RtsId::in_r1_a6, {in_next}));
    STRCMP_EQUAL("close", expired(server, Leg::in).c_str());

    Client client = opened_client();
    ask(client);
    STRCMP_EQUAL("drop:in_successor", expired(client, Leg::in).c_str());
    CHECK_TRUE(client.admits(100));
    STRCMP_EQUAL("", to_client(client, make(RtsId::in_r1_a4)).c_str()); // too late: not heeded
    ask(client);
    to_client(client, make(RtsId::in_r1_a4));
    STRCMP_EQUAL("close", closed(client, Leg::in).c_str());
}

TEST_GROUP(InRecycling2) {
    InboundProxy proxy = opened_inbound();
};

// 3.2.1.5.3.3, inbound proxy: A1 on the successor, A2; A5 on the predecessor, which is closed.
TEST(InRecycling2, proxy)
{
    proxy.on_client_rpc(1000);
    STRCMP_EQUAL("server:IN_R1/A5",
                 successor(proxy, make(RtsId::in_r2_a1, {vc, in, in_next})).c_str()); // the bytes of A2
    CHECK_TRUE(proxy.awaits());
    CHECK(proxy.channel() == cookie(in)); // until A5
    POINTERS_EQUAL(nullptr, proxy.on_client_rpc(1000));
    STRCMP_EQUAL("promote:client drop:predecessor", from_client(proxy, make(RtsId::in_r2_a5, {in_next})).c_str());
    CHECK(proxy.channel() == cookie(in_next));
    CHECK_FALSE(proxy.awaits());
    // The leg to the server goes on with its counters, whatever cookie the server names.
    proxy.sent(2000);
    STRCMP_EQUAL("flow", from_server(proxy, ack(1000, 65536, in)).c_str());
    STRCMP_EQUAL("flow", from_server(proxy, ack(2000, 65536, in_next)).c_str());
    // The successor's count begins at zero.
    Effects effects;
    proxy.on_client_rpc(40'000);
    proxy.on_consumed(2'000, effects); // of the predecessor, whose client needs no room any more
    STRCMP_EQUAL("", words(effects).c_str());
    proxy.on_consumed(40'000, effects);
    const Rts pdu = parse(effects.begin()->pdu);
    rpch::RtsFields fields(pdu);
    fields.destination();
    const rpch::FlowControlAck sent = fields.flow_control_ack();
    LONGS_EQUAL(40'000, sent.bytes_received);
    CHECK(sent.channel == cookie(in_next));
}

// 3.2.1.5.3.3, client: A4 has no window; the old size stays, the count begins at zero.
TEST(InRecycling2, client)
{
    Client client = opened_client();
    Effects effects;
    client.sent(60'000);
    client.recycle_in(effects);
    client.on_successor_request(Leg::in_successor, effects);
    STRCMP_EQUAL("promote:in last:in_predecessor:IN_R1/A5", to_client(client, make(RtsId::in_r2_a4)).c_str());
    Effects drained;
    client.on_drained(Leg::in_predecessor, drained);
    LONGS_EQUAL(65536, client.in_window());
    CHECK_TRUE(client.admits(65536));
}

// 3.2.1.5.3.3, server: A2, A3. The state does not change.
TEST(InRecycling2, server)
{
    Server server = opened_server();
    STRCMP_EQUAL("out:IN_R2/A3", from_inbound(server, make(RtsId::in_r2_a2, {in_next})).c_str());
    CHECK(server.in_state() == RoleState::in_opened);
    // The proxy may give the successor up: the next one names the old predecessor, and no other.
    STRCMP_EQUAL("refused", newcomer(server, make(RtsId::in_r1_a2, {vc, 0x77, 0x31})).c_str());
    STRCMP_EQUAL("out:IN_R1/A3", newcomer(server, make(RtsId::in_r1_a2, {vc, in, 0x31})).c_str());
}

TEST(InRecycling2, whatIsRefused)
{
    for (const Rts& pdu : {make(RtsId::in_r2_a1, {vc, 0x31, in_next}), make(RtsId::in_r2_a1, {vc, in, in}),
                           make(RtsId::in_r2_a1, {vc, in, 0}), make(RtsId::in_r2_a1, {0x11, in, in_next}),
                           make(RtsId::conn_b1, {vc, in_next}), make(RtsId::ping)})
        STRCMP_EQUAL_TEXT("refused", successor(proxy, pdu).c_str(), describe(pdu).c_str());
    CHECK(proxy.state() == InboundProxy::State::opened);
    successor(proxy, make(RtsId::in_r2_a1, {vc, in, in_next}));
    STRCMP_EQUAL("refused", successor(proxy, make(RtsId::in_r2_a1, {vc, in, 0x31})).c_str());
    CHECK(proxy.state() == InboundProxy::State::opened_a5w);
}

// 3.2.3.5.8: no protocol error.
TEST(InRecycling2, aWrongCookieInA5CostsTheSuccessor)
{
    successor(proxy, make(RtsId::in_r2_a1, {vc, in, in_next}));
    STRCMP_EQUAL("drop:successor", from_client(proxy, make(RtsId::in_r2_a5, {0x31})).c_str());
    CHECK(proxy.channel() == cookie(in) && proxy.state() == InboundProxy::State::opened);
    // The client that goes on with the lost one cannot be saved.
    STRCMP_EQUAL("close", from_client(proxy, make(RtsId::in_r2_a5, {in_next})).c_str());
}

TEST(InRecycling2, successorThatNeverCompletes)
{
    successor(proxy, make(RtsId::in_r2_a1, {vc, in, in_next}));
    STRCMP_EQUAL("drop:successor", expired(proxy).c_str());
    CHECK_TRUE(proxy.admits(100));
    successor(proxy, make(RtsId::in_r2_a1, {vc, in, 0x31}));
    STRCMP_EQUAL("", closed(proxy, Leg::successor).c_str());
    CHECK(proxy.state() == InboundProxy::State::opened);
    successor(proxy, make(RtsId::in_r2_a1, {vc, in, 0x32}));
    STRCMP_EQUAL("close", closed(proxy, Leg::client).c_str());
}

// The proxy has A5 and does not close: the predecessor is given up, and the replacement that could not begin beside it does.
TEST(InRecycling2, aReplacementThatIsDueBeginsWhenThePredecessorIsGivenUp)
{
    Client client = opened_client({.in_lifetime = 20'000, .largest_pdu = 1000, .recycle = true});
    Effects effects;
    CHECK_TRUE(client.recycle_in(effects));
    client.on_successor_request(Leg::in_successor, effects);
    to_client(client, make(RtsId::in_r2_a4));
    client.on_drained(Leg::in_predecessor, effects);
    while (client.admits(1000))
        client.sent(1000);
    CHECK_FALSE(client.recycling_due()); // not beside the predecessor
    STRCMP_EQUAL("drop:in_predecessor connect:in_successor", expired(client, Leg::in).c_str());
}

// 3.2.2.4.2: the client starts when little is left; PDUs never have to wait before it has noticed.
TEST(InRecycling2, clientStartsByItself)
{
    Client client = opened_client({.in_lifetime = 20'000, .largest_pdu = 1000, .recycle = true});
    std::uint32_t sent = 0;
    while (!client.recycling_due()) {
        CHECK_TRUE(client.admits(1000));
        client.sent(1000);
        sent += 1000;
    }
    LONGS_EQUAL(15'000, sent); // 104 bytes of CONN/B1; 4096 and one PDU are left
    CHECK_FALSE(opened_client({.in_lifetime = 20'000}).recycling_due());
}

// What several predecessors have left goes first, and none of it opens the window of the last successor.
TEST(InRecycling2, theRestOfEveryPredecessorGoesFirst)
{
    for (std::uint8_t name = in; name < in + 3; ++name) {
        const std::uint8_t next = name + 1;
        proxy.on_client_rpc(1000);
        successor(proxy, make(RtsId::in_r2_a1, {vc, name, next}));
        STRCMP_EQUAL("promote:client drop:predecessor", from_client(proxy, make(RtsId::in_r2_a5, {next})).c_str());
    }
    Effects effects;
    proxy.on_client_rpc(40'000);
    proxy.on_consumed(3'000, effects);
    STRCMP_EQUAL("", words(effects).c_str());
    proxy.on_consumed(40'000, effects);
    STRCMP_EQUAL("server:FlowControlAckWithDestination", words(effects).c_str());
}

// The end of a request that is no longer the channel's, and what comes after the end of all.
TEST(InRecycling2, endsThatMeanNothing)
{
    successor(proxy, make(RtsId::in_r2_a1, {vc, in, in_next}));
    from_client(proxy, make(RtsId::in_r2_a5, {in_next}));
    STRCMP_EQUAL("", closed(proxy, Leg::predecessor).c_str());
    STRCMP_EQUAL("", closed(proxy, Leg::successor).c_str());
    CHECK(proxy.state() == InboundProxy::State::opened);
    STRCMP_EQUAL("close", closed(proxy, Leg::server).c_str());
    for (const Leg leg : {Leg::server, Leg::client, Leg::successor, Leg::predecessor})
        STRCMP_EQUAL("", closed(proxy, leg).c_str());
    STRCMP_EQUAL("", expired(proxy).c_str());
}

TEST_GROUP(InRecyclingClient) {};

// A4 before the successor's request is an answer to nothing.
TEST(InRecyclingClient, anA4ThatNobodyAskedFor)
{
    for (const RtsId a4 : {RtsId::in_r1_a4, RtsId::in_r2_a4}) {
        Client client = opened_client();
        Effects effects;
        client.recycle_in(effects);
        STRCMP_EQUAL("close", to_client(client, make(a4)).c_str());
        Client idle_client = opened_client();
        STRCMP_EQUAL("close", to_client(idle_client, make(a4)).c_str());
    }
}

// A4 of IN_R1 is another proxy's and says after how long that one gives up.
TEST(InRecyclingClient, takesTheTimeoutOfTheNewProxy)
{
    Client client = opened_client();
    Effects effects;
    client.recycle_in(effects);
    client.on_successor_request(Leg::in_successor, effects);
    Rts a4 = make(RtsId::in_r1_a4);
    a4.list[3].value = 300'000;
    to_client(client, a4);
    UNSIGNED_LONGS_EQUAL(300'000, client.connection_timeout());
}

// A5 counts too: what it leaves of the predecessor's Content-Length is not enough for a ping.
TEST(InRecyclingClient, nothingIsSentBehindThePredecessorsEnd)
{
    for (const std::uint32_t left : {20u, 19u}) {
        Client client = opened_client({.in_lifetime = 104 + 40 + left, .recycle = true});
        Effects effects, idle;
        client.recycle_in(effects);
        client.on_successor_request(Leg::in_successor, effects);
        STRCMP_EQUAL("promote:in last:in_predecessor:IN_R1/A5", to_client(client, make(RtsId::in_r2_a4)).c_str());
        client.on_idle(idle);
        STRCMP_EQUAL(left == 20 ? "in_predecessor:Ping" : "close", words(idle).c_str());
    }
}
