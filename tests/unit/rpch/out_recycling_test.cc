#include "rpch/client.h"
#include "rpch/inbound_proxy.h"
#include "rpch/outbound_proxy.h"
#include "rpch/rts_fields.h"
#include "rpch/server.h"
#include "unit/rpch/role_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace role_test;
using rpch::Client;
using rpch::Effects;
using rpch::Leg;
using rpch::OutboundProxy;
using rpch::RoleState;
using rpch::Rts;
using rpch::RtsId;
using rpch::Server;

namespace {

constexpr OutboundProxy::Settings outbound_settings{
    .receive_window = 65536, .connection_timeout = 120'000, .channel_lifetime = 0x40000000};

/// Opened, after the server's first answer.
OutboundProxy opened_proxy()
{
    OutboundProxy proxy(outbound_settings);
    Effects effects;
    proxy.on_first_pdu(make(RtsId::conn_a1, {vc, out}), effects);
    proxy.on_server_connected(effects);
    Effects established;
    proxy.on_server_rts(make(RtsId::conn_c1), established);
    proxy.on_server_rpc(60, established);
    proxy.sent(60);
    return proxy;
}

Server opened_server()
{
    Server server({.receive_window = 65536});
    Effects effects;
    CHECK_TRUE(!server.on_newcomer(make(RtsId::conn_a2, {vc, out}), effects).refusal);
    CHECK_TRUE(!server.on_newcomer(make(RtsId::conn_b2, {vc, in}), effects).refusal);
    return server;
}

Client opened_client()
{
    Client client({.recycle = true}, {cookie(vc), cookie(in), cookie(out), cookie(group)});
    Effects effects;
    client.on_in_request(effects);
    client.on_out_request(effects);
    client.on_success_response(effects);
    client.on_out_rts(make(RtsId::conn_a3), effects);
    client.on_out_rts(make(RtsId::conn_c2), effects);
    return client;
}

std::string newcomer(Server& server, const Rts& pdu)
{
    Effects effects;
    return server.on_newcomer(pdu, effects).refusal ? "refused" : words(effects);
}

std::string from_inbound(Server& server, const Rts& pdu)
{
    Effects effects;
    server.on_in_rts(Leg::in, pdu, effects);
    return words(effects);
}

std::string from_outbound(Server& server, const Rts& pdu, Leg from = Leg::out)
{
    Effects effects;
    server.on_out_rts(from, pdu, effects);
    return words(effects);
}

std::string recycle(Server& server)
{
    Effects effects;
    return server.recycle_out(effects) ? words(effects) : "no";
}

std::string from_server(OutboundProxy& proxy, const Rts& pdu)
{
    Effects effects;
    proxy.on_server_rts(pdu, effects);
    return words(effects);
}

std::string from_client(OutboundProxy& proxy, Leg leg, const Rts& pdu)
{
    Effects effects;
    proxy.on_client_rts(leg, pdu, effects);
    return words(effects);
}

std::string successor(OutboundProxy& proxy, const Rts& pdu)
{
    Effects effects;
    return proxy.on_successor(pdu, effects) ? "refused" : words(effects);
}

std::string idle(OutboundProxy& proxy)
{
    Effects effects;
    proxy.on_idle(effects);
    return words(effects);
}

std::string to_client(Client& client, const Rts& pdu)
{
    Effects effects;
    client.on_out_rts(pdu, effects);
    return words(effects);
}

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

template <class Role> std::string closed(Role& role, Leg leg)
{
    Effects effects;
    role.on_closed(leg, effects);
    return words(effects);
}

template <class Role, class... Which> std::string expired(Role& role, Which... which)
{
    Effects effects;
    role.on_timeout(which..., effects);
    return words(effects);
}

const Rts r1_a4 = make(RtsId::out_r1_a4, {vc, out, out_next});
const Rts r2_a3 = make(RtsId::out_r2_a3, {vc, out, out_next});
const Rts r1_a8 = make(RtsId::out_r1_a8, {out_next});
const Rts r2_a8 = make(RtsId::out_r2_a8, {out_next});
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
    STRCMP_EQUAL("out:OUT_R1/A1", recycle(server).c_str());
}

// 3.2.1.5.3.4, predecessor outbound proxy: A1/A2, A5/A6, A9, what waits, A10, the end.
TEST(OutRecycling1, predecessorProxy)
{
    OutboundProxy proxy = opened_proxy();
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
    OutboundProxy proxy(outbound_settings);
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
    STRCMP_EQUAL("promote:out drop:out_predecessor out:OUT_R1/A9", to_client(client, make(RtsId::out_r1_a10)).c_str()); // the bytes of A11
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
    STRCMP_EQUAL("drop:out_successor", expired(server, Leg::out).c_str());
    CHECK_TRUE(server.admits(1000));
    CHECK_FALSE(server.recycling_due()); // the predecessor is used to its end
    STRCMP_EQUAL("close", from_inbound(server, r1_a8).c_str());

    OutboundProxy proxy(outbound_settings);
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
    for (const Rts& pdu : {make(RtsId::out_r1_a4, {vc, 0x51, out_next}), make(RtsId::out_r1_a4, {vc, out, out}), make(RtsId::out_r1_a4, {vc, out, 0})}) {
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

TEST_GROUP(OutRecycling2) {
    OutboundProxy proxy = opened_proxy();

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
    STRCMP_EQUAL("promote:client last:predecessor:OUT_R2/B3 respond flow", from_server(proxy, make(RtsId::out_r2_b1)).c_str());
    CHECK(proxy.channel() == cookie(out_next));
    CHECK_TRUE(proxy.admits(65'536));
    CHECK_FALSE(proxy.admits(1000, Leg::predecessor));
    STRCMP_EQUAL("flow:predecessor", from_server(proxy, ack_to(rpch::Destination::outbound_proxy, 65'060, 65'536, out)).c_str());
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
    for (const Rts& pdu : {make(RtsId::out_r2_a3, {vc, 0x51, out_next}), make(RtsId::out_r2_a3, {vc, out, out}), make(RtsId::out_r2_a3, {vc, out, 0}),
                           make(RtsId::out_r2_a3, {0x11, out, out_next}), make(RtsId::conn_a1, {vc, out_next}), make(RtsId::ping)})
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
        proxy = opened_proxy();
        ask_and_bring_successor();
        STRCMP_EQUAL(timeout ? "drop:successor" : "", timeout ? expired(proxy).c_str() : closed(proxy, Leg::successor).c_str());
        CHECK_TRUE(proxy.established());
        CHECK_TRUE(proxy.admits(100));
        STRCMP_EQUAL("", from_server(proxy, make(RtsId::out_r2_a5)).c_str());
        STRCMP_EQUAL(timeout ? "" : "close", from_server(proxy, make(timeout ? RtsId::out_r2_b2 : RtsId::out_r2_b1)).c_str());
    }
    proxy = opened_proxy();
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
    server.doubt_client();
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
    STRCMP_EQUAL("", expired(server, Leg::out).c_str()); // nobody answers: the channel is used to its end
    CHECK_FALSE(server.awaits(Leg::out));
    STRCMP_EQUAL("out:OUT_R2/A5", from_outbound(server, make(RtsId::out_r2_a4, {out_next})).c_str()); // or does after all
    STRCMP_EQUAL("out:OUT_R2/B2", expired(server, Leg::out).c_str());
    CHECK(server.out_state() == RoleState::out_opened);
}

// 3.2.1.5.3.5, client: A2, A3; A6, C1 and A7; B3. The 200 can come before B3.
TEST(OutRecycling2, client)
{
    Client client = opened_client();
    const rpch::Cookie next = ask(client);
    STRCMP_EQUAL("out_successor:OUT_R2/C1 in:OUT_R2/A7", to_client(client, make(RtsId::out_r2_a6)).c_str());
    Effects effects;
    client.on_success_response(effects, Leg::out_successor);
    POINTERS_EQUAL(nullptr, client.on_out_rpc(100)); // the predecessor until B3
    STRCMP_EQUAL("promote:out drop:out_predecessor", to_client(client, make(RtsId::out_r2_b3)).c_str());
    CHECK(client.cookies().out_channel == next);
    CHECK_FALSE(client.awaits(Leg::out));
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
    CHECK_TRUE(sent >= 131'072 - 8192 - 5840 && sent < 131'072 - 8192 - 5840 + 1000);

    server = Server({.receive_window = 65536, .largest_pdu = 5840});
    CHECK_TRUE(!server.on_newcomer(a2, effects).refusal);
    Effects more;
    CHECK_TRUE(!server.on_newcomer(make(RtsId::conn_b2, {vc, in}), more).refusal);
    server.sent(60'000);
    STRCMP_EQUAL("", from_outbound(server, parse(rpch::RtsBuilder(RtsId::ping_traffic_sent_notify).ping_traffic_sent(56'900).done())).c_str());
    STRCMP_EQUAL("out:OUT_R1/A1", from_outbound(server, parse(rpch::RtsBuilder(RtsId::ping_traffic_sent_notify).ping_traffic_sent(100).done())).c_str());
    CHECK_FALSE(server.admits(65'536));
}
