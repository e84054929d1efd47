#include "unit/rpch/recycling_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace recycling_test;

namespace {

/// OUT_Rx/A2 and OUT_Rx/A3.
rpch::Cookie ask(Client& client)
{
    STRCMP_EQUAL("connect:out_successor", to_client(client, make(RtsId::out_r1_a2)).c_str());
    Effects request;
    client.on_successor_request(Leg::out_successor, request);
    STRCMP_EQUAL("out_successor:OUT_R1/A3", words(request).c_str());
    LONGS_EQUAL(96, request.begin()->pdu.size);
    const Rts a3 = parse(request.begin()->pdu);
    rpch::RtsFields fields(a3);
    fields.version();
    fields.cookie();
    CHECK(fields.cookie() == client.cookies().out_channel);
    return fields.cookie();
}

const Rts r1_a4 = make(RtsId::out_r1_a4, {vc, out, out_next});
const Rts r1_a8 = make(RtsId::out_r1_a8, {out_next});
const Rts r1_a1 = make(RtsId::out_r1_a1);

} // namespace

TEST_GROUP(OutRecycling1) {
};

// 3.2.1.5.3.4, server: A1; A4, A5; A8, A9. From A8 on RPC PDUs use the successor, with its window from zero.
TEST(OutRecycling1, server)
{
    Server server = opened_server();
    server.sent(65'000);
    STRCMP_EQUAL("out:OUT_R1/A1", recycle(server).c_str());
    STRCMP_EQUAL("no", recycle(server).c_str());
    STRCMP_EQUAL("out:OUT_R1/A5", newcomer(server, r1_a4).c_str());
    CHECK_TRUE(server.awaits(Leg::out));
    CHECK_FALSE(server.admits(1000));
    STRCMP_EQUAL("promote:out last:out_predecessor:OUT_R1/A9 flow", from_inbound(server, r1_a8).c_str());
    CHECK_FALSE(server.awaits(Leg::out));
    CHECK_TRUE(server.admits(65'536));
    // What waits for the predecessor needs its window, and its proxy the client's acknowledgements.
    CHECK_FALSE(server.admits(1000, Leg::out_predecessor));
    STRCMP_EQUAL("flow:out_predecessor", from_outbound(server, ack(65'000, 65'536, out), Leg::out_predecessor).c_str());
    CHECK_TRUE(server.admits(1000, Leg::out_predecessor));
    STRCMP_EQUAL("out_predecessor:FlowControlAckWithDestination",
                 from_inbound(server, ack_to(rpch::Destination::outbound_proxy, 1, 1, out)).c_str());
    STRCMP_EQUAL("out:FlowControlAckWithDestination",
                 from_inbound(server, ack_to(rpch::Destination::outbound_proxy, 1, 1, out_next)).c_str());
    server.on_drained(Leg::out_predecessor);
    STRCMP_EQUAL("", closed(server, Leg::out_predecessor).c_str());
    STRCMP_EQUAL("out:FlowControlAckWithDestination",
                 from_inbound(server, ack_to(rpch::Destination::outbound_proxy, 1, 1, out)).c_str());
    STRCMP_EQUAL("out:OUT_R1/A1", recycle(server).c_str());
}

// 3.2.1.5.3.4, predecessor outbound proxy: A1/A2, A5/A6, A9, what waits, A10, the end.
TEST(OutRecycling1, predecessorProxy)
{
    OutboundProxy proxy = opened_outbound();
    STRCMP_EQUAL("client:OUT_R1/A1", from_server(proxy, r1_a1).c_str());
    STRCMP_EQUAL("client:OUT_R1/A5", from_server(proxy, make(RtsId::out_r1_a5)).c_str());
    STRCMP_EQUAL("last:client:OUT_R1/A9 finish", from_server(proxy, make(RtsId::out_r1_a9)).c_str());
    CHECK_TRUE(proxy.admits(100)); // what waits still goes
    STRCMP_EQUAL("flow", from_server(proxy, ack_to(rpch::Destination::outbound_proxy, 60, 65536, out)).c_str());
    STRCMP_EQUAL("", idle(proxy).c_str());
    STRCMP_EQUAL("", closed(proxy, Leg::server).c_str());
    STRCMP_EQUAL("close", expired(proxy).c_str());
}

// 3.2.1.5.3.4, successor outbound proxy: A3, A4; A11, 200, what waits. Nothing before the 200.
TEST(OutRecycling1, successorProxy)
{
    OutboundProxy proxy = new_outbound();
    Effects first, connected, rpc;
    proxy.on_first_pdu(make(RtsId::out_r1_a3, {vc, out, out_next}), first);
    STRCMP_EQUAL("connect", words(first).c_str());
    proxy.on_server_connected(connected);
    STRCMP_EQUAL("server:OUT_R1/A4", words(connected).c_str());
    const Rts a4 = parse(connected.begin()->pdu);
    rpch::RtsFields fields(a4);
    fields.version();
    CHECK(fields.cookie() == cookie(vc) && fields.cookie() == cookie(out) && fields.cookie() == cookie(out_next));
    UNSIGNED_LONGS_EQUAL(0x40000000, fields.channel_lifetime());
    POINTERS_EQUAL(nullptr, proxy.on_server_rpc(100, rpc));
    CHECK_FALSE(proxy.admits(100));
    LONGS_EQUAL(0, proxy.room());
    STRCMP_EQUAL("", idle(proxy).c_str());
    STRCMP_EQUAL("", from_server(proxy, ack_to(rpch::Destination::client, 1, 1, in)).c_str());
    STRCMP_EQUAL("", from_server(proxy, ack_to(rpch::Destination::client, 2, 1, in)).c_str()); // only the latest counts
    STRCMP_EQUAL("", from_server(proxy, make(RtsId::in_r1_a3)).c_str());
    STRCMP_EQUAL("", from_server(proxy, r1_a1).c_str()); // the server may already need the next one
    STRCMP_EQUAL("respond client:FlowControlAckWithDestination client:IN_R1/A3 client:OUT_R1/A1 opened flow",
                 from_client(proxy, Leg::client, make(RtsId::out_r1_a11)).c_str());
    CHECK_TRUE(proxy.admits(100));
    STRCMP_EQUAL("client:Ping", idle(proxy).c_str());
}

// 3.2.1.5.3.4, client: A2, A3; A6, A7; A10, A11; the 200.
TEST(OutRecycling1, client)
{
    Client client = opened_client();
    client.on_out_rpc(40'000);
    const rpch::Cookie next = ask(client);
    STRCMP_EQUAL("in:OUT_R1/A7", to_client(client, make(RtsId::out_r1_a6)).c_str());
    POINTERS_EQUAL(nullptr, client.on_out_rpc(100)); // the predecessor until A10
    STRCMP_EQUAL("promote:out drop:out_predecessor out:OUT_R1/A9",
                 to_client(client, make(RtsId::out_r1_a10)).c_str()); // the bytes of A11
    CHECK(client.cookies().out_channel == next);
    CHECK_TRUE(client.awaits(Leg::out)); // the 200
    Effects effects;
    client.on_success_response(effects);
    CHECK_FALSE(client.awaits(Leg::out));
    client.on_out_rpc(40'000);
    client.on_consumed(40'100, effects); // of the predecessor: no acknowledgement any more
    STRCMP_EQUAL("", words(effects).c_str());
    client.on_consumed(40'000, effects);
    const Rts pdu = parse(effects.begin()->pdu);
    rpch::RtsFields fields(pdu);
    fields.destination();
    const rpch::FlowControlAck sent = fields.flow_control_ack();
    LONGS_EQUAL(40'000, sent.bytes_received);
    CHECK(sent.channel == next);
}

TEST(OutRecycling1, successorThatNeverCompletes)
{
    Server server = opened_server();
    recycle(server);
    newcomer(server, r1_a4);
    STRCMP_EQUAL("drop:out_successor flow", expired(server, Leg::out).c_str());
    CHECK_TRUE(server.admits(1000));
    CHECK_FALSE(server.recycling_due()); // the predecessor is used to its end
    STRCMP_EQUAL("close", from_inbound(server, r1_a8).c_str());

    OutboundProxy proxy = new_outbound();
    Effects effects;
    proxy.on_first_pdu(make(RtsId::out_r1_a3, {vc, out, out_next}), effects);
    proxy.on_server_connected(effects);
    STRCMP_EQUAL("close", expired(proxy).c_str());

    Client client = opened_client();
    ask(client);
    STRCMP_EQUAL("drop:out_successor", expired(client, Leg::out).c_str());
    STRCMP_EQUAL("", to_client(client, make(RtsId::out_r1_a6)).c_str()); // too late: not heeded
    ask(client);
    to_client(client, make(RtsId::out_r1_a6));
    STRCMP_EQUAL("close", closed(client, Leg::out_successor).c_str());
}

TEST(OutRecycling1, whatIsRefused)
{
    for (const Rts& pdu : {make(RtsId::out_r1_a4, {vc, 0x51, out_next}), make(RtsId::out_r1_a4, {vc, out, out}),
                           make(RtsId::out_r1_a4, {vc, out, 0})}) {
        Server server = opened_server();
        recycle(server);
        STRCMP_EQUAL("refused", newcomer(server, pdu).c_str());
        CHECK(server.out_state() == RoleState::opened_a4w);
    }
    Server server = opened_server();
    STRCMP_EQUAL("refused", newcomer(server, r1_a4).c_str()); // it has not asked
    recycle(server);
    newcomer(server, r1_a4);
    STRCMP_EQUAL("close", from_inbound(server, make(RtsId::out_r1_a8, {0x51})).c_str());
}

// A predecessor that was lost before everything had gone to it has lost RPC PDUs.
TEST(OutRecycling1, predecessorLostTooEarly)
{
    Server server = opened_server();
    recycle(server);
    newcomer(server, r1_a4);
    from_inbound(server, r1_a8);
    STRCMP_EQUAL("close", closed(server, Leg::out_predecessor).c_str());
}

// That one predecessor had gone when all had left says nothing about the next.
TEST(OutRecycling1, anotherPredecessorLostTooEarly)
{
    Server server = opened_server();
    recycle(server);
    newcomer(server, r1_a4);
    from_inbound(server, r1_a8);
    server.on_drained(Leg::out_predecessor);
    STRCMP_EQUAL("", closed(server, Leg::out_predecessor).c_str());
    recycle(server);
    newcomer(server, make(RtsId::out_r1_a4, {vc, out_next, 0x51}));
    from_inbound(server, make(RtsId::out_r1_a8, {0x51}));
    STRCMP_EQUAL("close", closed(server, Leg::out_predecessor).c_str());
}

TEST(OutRecycling1, aSuccessorNeedsAllItsNames)
{
    for (const Rts& pdu : {make(RtsId::out_r1_a3, {0, out, out_next}), make(RtsId::out_r1_a3, {vc, 0, out_next}),
                           make(RtsId::out_r1_a3, {vc, out, 0}), make(RtsId::out_r1_a3, {vc, out, out})}) {
        OutboundProxy proxy = new_outbound();
        Effects effects;
        proxy.on_first_pdu(pdu, effects);
        STRCMP_EQUAL("close", words(effects).c_str());
    }
    for (const Rts& pdu : {make(RtsId::in_r1_a1, {0, in, in_next}), make(RtsId::in_r1_a1, {vc, 0, in_next}),
                           make(RtsId::in_r1_a1, {vc, in, 0}), make(RtsId::in_r1_a1, {vc, in, in})}) {
        InboundProxy proxy = new_inbound();
        Effects effects;
        proxy.on_first_pdu(pdu, effects);
        STRCMP_EQUAL("close", words(effects).c_str());
    }
}
