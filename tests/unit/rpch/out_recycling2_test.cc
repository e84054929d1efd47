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

const Rts r2_a3 = make(RtsId::out_r2_a3, {vc, out, out_next});
const Rts r1_a8 = make(RtsId::out_r1_a8, {out_next});
const Rts r2_a8 = make(RtsId::out_r2_a8, {out_next});
const Rts r1_a1 = make(RtsId::out_r1_a1);

} // namespace

TEST_GROUP(OutRecycling2) {
    OutboundProxy proxy = opened_outbound();

    void ask_and_bring_successor()
    {
        from_server(proxy, r1_a1);
        STRCMP_EQUAL("server:IN_R1/A5", successor(proxy, r2_a3).c_str()); // the bytes of A4
    }
};

// 3.2.1.5.3.5, outbound proxy: A3, A4; A5/A6; C1, then B1, B3 behind what waits, and the 200.
TEST(OutRecycling2, proxyWithC1First)
{
    proxy.sent(65'000); // 476 bytes are left of the window
    ask_and_bring_successor();
    STRCMP_EQUAL("client:OUT_R2/A5", from_server(proxy, make(RtsId::out_r2_a5)).c_str());
    STRCMP_EQUAL("", from_client(proxy, Leg::successor, make(RtsId::out_r2_c1)).c_str());
    STRCMP_EQUAL("client:Ping", idle(proxy).c_str()); // still on the predecessor
    STRCMP_EQUAL("promote:client last:predecessor:OUT_R2/B3 respond flow",
                 from_server(proxy, make(RtsId::out_r2_b1)).c_str());
    CHECK(proxy.channel() == cookie(out_next));
    CHECK_TRUE(proxy.admits(65'536));
    CHECK_FALSE(proxy.admits(1000, Leg::predecessor));
    STRCMP_EQUAL("flow:predecessor",
                 from_server(proxy, ack_to(rpch::Destination::outbound_proxy, 65'060, 65'536, out)).c_str());
    CHECK_TRUE(proxy.admits(1000, Leg::predecessor));
    STRCMP_EQUAL("flow", from_server(proxy, ack_to(rpch::Destination::outbound_proxy, 0, 65'536, out_next)).c_str());
    LONGS_EQUAL(0, proxy.body_sent());
    // The next one must wait for the predecessor's end.
    from_server(proxy, r1_a1);
    const Rts next = make(RtsId::out_r2_a3, {vc, out_next, 0x51});
    STRCMP_EQUAL("refused", successor(proxy, next).c_str());
    proxy.on_drained(Leg::predecessor);
    STRCMP_EQUAL("", from_server(proxy, ack_to(rpch::Destination::outbound_proxy, 65'060, 65'536, out)).c_str());
    STRCMP_EQUAL("server:IN_R1/A5", successor(proxy, next).c_str());
}

// The same with B1 first: nothing goes to the successor before C1 has completed its request.
TEST(OutRecycling2, proxyWithB1First)
{
    ask_and_bring_successor();
    STRCMP_EQUAL("promote:client last:predecessor:OUT_R2/B3", from_server(proxy, make(RtsId::out_r2_b1)).c_str());
    Effects effects;
    POINTERS_EQUAL(nullptr, proxy.on_server_rpc(100, effects));
    CHECK_FALSE(proxy.admits(100));
    LONGS_EQUAL(0, proxy.room());
    STRCMP_EQUAL("", idle(proxy).c_str());
    STRCMP_EQUAL("", from_server(proxy, make(RtsId::in_r2_a3)).c_str());
    STRCMP_EQUAL("respond client:IN_R2/A3 flow", from_client(proxy, Leg::client, make(RtsId::out_r2_c1)).c_str());
    CHECK_TRUE(proxy.admits(100));
}

TEST(OutRecycling2, proxyRefusedByTheServer)
{
    ask_and_bring_successor();
    STRCMP_EQUAL("drop:successor", from_server(proxy, make(RtsId::out_r2_b2)).c_str());
    CHECK(proxy.state() == OutboundProxy::State::opened && proxy.channel() == cookie(out));
    STRCMP_EQUAL("refused", successor(proxy, r2_a3).c_str()); // it must be asked for again
}

TEST(OutRecycling2, whatIsRefused)
{
    STRCMP_EQUAL("refused", successor(proxy, r2_a3).c_str()); // the server has not asked
    from_server(proxy, r1_a1);
    for (const Rts& pdu : {make(RtsId::out_r2_a3, {vc, 0x51, out_next}), make(RtsId::out_r2_a3, {vc, out, out}),
                           make(RtsId::out_r2_a3, {vc, out, 0}), make(RtsId::out_r2_a3, {0x11, out, out_next}),
                           make(RtsId::conn_a1, {vc, out_next}), make(RtsId::ping)})
        STRCMP_EQUAL_TEXT("refused", successor(proxy, pdu).c_str(), describe(pdu).c_str());
    CHECK(proxy.state() == OutboundProxy::State::opened);
    ask_and_bring_successor();
    STRCMP_EQUAL("refused", successor(proxy, r2_a3).c_str());
    STRCMP_EQUAL("close", from_client(proxy, Leg::client, make(RtsId::out_r2_c1)).c_str()); // on the predecessor
}

// The predecessor goes on, until the client turns out to have left it.
TEST(OutRecycling2, successorThatNeverCompletes)
{
    for (const bool timeout : {true, false}) {
        proxy = opened_outbound();
        ask_and_bring_successor();
        STRCMP_EQUAL(timeout ? "drop:successor" : "",
                     timeout ? expired(proxy).c_str() : closed(proxy, Leg::successor).c_str());
        CHECK_TRUE(proxy.established());
        CHECK_TRUE(proxy.admits(100));
        STRCMP_EQUAL("", from_server(proxy, make(RtsId::out_r2_a5)).c_str());
        STRCMP_EQUAL(timeout ? "" : "close",
                     from_server(proxy, make(timeout ? RtsId::out_r2_b2 : RtsId::out_r2_b1)).c_str());
    }
    proxy = opened_outbound();
    ask_and_bring_successor();
    from_server(proxy, make(RtsId::out_r2_b1));
    STRCMP_EQUAL("close", expired(proxy).c_str()); // C1 does not come, and the predecessor is over
}

// OUT_Rx/A2 makes some clients fail: their channel ends with its lifetime.
TEST(OutRecycling2, doubtedClientsAreNotAsked)
{
    proxy.doubt_client();
    STRCMP_EQUAL("", from_server(proxy, r1_a1).c_str());
    STRCMP_EQUAL("refused", successor(proxy, r2_a3).c_str());

    Server server = opened_server();
    Effects effects;
    server.doubt_client(effects);
    STRCMP_EQUAL("flow", words(effects).c_str()); // what stood still for the lifetime
    server.sent(1'073'700'000);
    CHECK_FALSE(server.recycling_due());
    STRCMP_EQUAL("no", recycle(server).c_str());
}

// 3.2.1.5.3.5, server: A1; A4, A5; A8, B1. The leg, its window and the lifetime of CONN/A2 stay.
TEST(OutRecycling2, server)
{
    Server server = opened_server();
    server.sent(60'000);
    recycle(server);
    STRCMP_EQUAL("out:OUT_R2/A5", from_outbound(server, make(RtsId::out_r2_a4, {out_next})).c_str());
    STRCMP_EQUAL("out:OUT_R1/A9 flow", from_inbound(server, r2_a8).c_str()); // B1 has the bytes of A9
    LONGS_EQUAL(5'536, server.room());
    STRCMP_EQUAL("flow", from_outbound(server, ack(50'000, 65'536, out)).c_str());
    STRCMP_EQUAL("flow", from_outbound(server, ack(60'000, 65'536, out_next)).c_str());
    LONGS_EQUAL(65'536, server.room());
    STRCMP_EQUAL("out:OUT_R1/A1", recycle(server).c_str());
}

// 2.2.4.41 prints A8 without the Version of A7, which is forwarded unchanged: both are taken.
TEST(OutRecycling2, serverTakesBothFormsOfA8)
{
    Server server = opened_server();
    recycle(server);
    from_outbound(server, make(RtsId::out_r2_a4, {out_next}));
    STRCMP_EQUAL("out:OUT_R1/A9 flow", from_inbound(server, r1_a8).c_str());
}

TEST(OutRecycling2, serverRefusesAnotherCookie)
{
    Server server = opened_server();
    recycle(server);
    from_outbound(server, make(RtsId::out_r2_a4, {out_next}));
    STRCMP_EQUAL("out:OUT_R2/B2 close", from_inbound(server, make(RtsId::out_r2_a8, {0x51})).c_str());
}

TEST(OutRecycling2, serverThatWaitsInVain)
{
    Server server = opened_server();
    recycle(server);
    STRCMP_EQUAL("flow", expired(server, Leg::out).c_str()); // nobody answers: the channel is used to its end
    CHECK_FALSE(server.awaits(Leg::out));
    STRCMP_EQUAL("out:OUT_R2/A5",
                 from_outbound(server, make(RtsId::out_r2_a4, {out_next})).c_str()); // or does after all
    STRCMP_EQUAL("out:OUT_R2/B2 flow", expired(server, Leg::out).c_str());
    CHECK(server.out_state() == RoleState::out_opened);
}

// 3.2.1.5.3.5, client: A2, A3; A6, C1 and A7; B3. The 200 can come before B3.
TEST(OutRecycling2, client)
{
    Client client = opened_client();
    const rpch::Cookie next = ask(client);
    CHECK_TRUE(client.recycling_asked());
    STRCMP_EQUAL("out_successor:OUT_R2/C1 in:OUT_R2/A7", to_client(client, make(RtsId::out_r2_a6)).c_str());
    Effects effects;
    client.on_success_response(effects, Leg::out_successor);
    POINTERS_EQUAL(nullptr, client.on_out_rpc(100)); // the predecessor until B3
    STRCMP_EQUAL("promote:out drop:out_predecessor", to_client(client, make(RtsId::out_r2_b3)).c_str());
    CHECK(client.cookies().out_channel == next);
    CHECK_FALSE(client.awaits(Leg::out));
    CHECK_FALSE(client.recycling_asked());
    POINTERS_EQUAL(nullptr, client.on_out_rpc(100));
}

// 3.2.5.4.1: everything on the OUT leg counts, and the pings that the proxy reports.
TEST(OutRecycling2, serverStartsByItself)
{
    Server server({.receive_window = 65536, .largest_pdu = 5840});
    Effects effects;
    Rts a2 = make(RtsId::conn_a2, {vc, out});
    a2.list[3].value = 131'072;
    CHECK_TRUE(!server.on_newcomer(a2, effects).refusal);
    CHECK_TRUE(!server.on_newcomer(make(RtsId::conn_b2, {vc, in}), effects).refusal);
    std::uint32_t sent = 44; // CONN/C1
    while (!server.recycling_due()) {
        CHECK_TRUE(server.admits(1000));
        server.sent(1000);
        sent += 1000;
        if (!server.recycling_due())
            from_outbound(server, ack(sent - 44, 65'536, out));
    }
    CHECK_TRUE(sent >= 131'072 - 16'384 && sent < 131'072 - 16'384 + 1000); // an eighth is left

    server = Server({.receive_window = 65536, .largest_pdu = 5840});
    CHECK_TRUE(!server.on_newcomer(a2, effects).refusal);
    Effects more;
    CHECK_TRUE(!server.on_newcomer(make(RtsId::conn_b2, {vc, in}), more).refusal);
    server.sent(60'000);
    STRCMP_EQUAL(
        "",
        from_outbound(server, parse(rpch::RtsBuilder(RtsId::ping_traffic_sent_notify).ping_traffic_sent(54'600).done()))
            .c_str());
    STRCMP_EQUAL(
        "out:OUT_R1/A1",
        from_outbound(server, parse(rpch::RtsBuilder(RtsId::ping_traffic_sent_notify).ping_traffic_sent(100).done()))
            .c_str());
    CHECK_FALSE(server.admits(65'536));
}

TEST(OutRecycling2, serverRefusesAnUnusableSuccessor)
{
    for (const std::uint8_t name : {std::uint8_t{0}, out}) {
        Server server = opened_server();
        recycle(server);
        STRCMP_EQUAL("close", from_outbound(server, make(RtsId::out_r2_a4, {name})).c_str());
    }
}

// The end of a request that is no longer the channel's, and what comes after the end of all.
TEST(OutRecycling2, endsThatMeanNothing)
{
    STRCMP_EQUAL("", closed(proxy, Leg::predecessor).c_str());
    STRCMP_EQUAL("", closed(proxy, Leg::successor).c_str());
    CHECK_TRUE(proxy.established());
    ask_and_bring_successor();
    STRCMP_EQUAL("", closed(proxy, Leg::predecessor).c_str());
    STRCMP_EQUAL("close", closed(proxy, Leg::server).c_str());
    for (const Leg leg : {Leg::server, Leg::client, Leg::successor, Leg::predecessor})
        STRCMP_EQUAL("", closed(proxy, leg).c_str());
    STRCMP_EQUAL("", expired(proxy).c_str());
}

// A successor that had its 200 and went: the next one needs its own.
TEST(OutRecycling2, clientWhoseSuccessorGoes)
{
    Client client = opened_client();
    ask(client);
    Effects effects;
    client.on_success_response(effects, Leg::out_successor);
    STRCMP_EQUAL("", closed(client, Leg::out_successor).c_str());
    CHECK_FALSE(client.awaits(Leg::out));
    ask(client);
    to_client(client, make(RtsId::out_r2_a6));
    STRCMP_EQUAL("promote:out drop:out_predecessor", to_client(client, make(RtsId::out_r2_b3)).c_str());
    CHECK_TRUE(client.awaits(Leg::out));
    client.on_success_response(effects);
    CHECK_FALSE(client.awaits(Leg::out));
}
