#include "rpch/outbound_proxy.h"
#include "rpch/rts_fields.h"
#include "rpch/server.h"
#include "unit/rpch/role_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace role_test;
using rpch::Effects;
using rpch::OutboundProxy;
using rpch::RtsId;

TEST_GROUP(OutboundProxy) {
    static constexpr OutboundProxy::Settings settings{
        .receive_window = 65536, .connection_timeout = 120'000, .channel_lifetime = 1'073'741'824};
    OutboundProxy proxy{settings};

    std::string first(const rpch::Rts& pdu)
    {
        Effects effects;
        proxy.on_first_pdu(pdu, effects);
        return words(effects);
    }
    std::string connected()
    {
        Effects effects;
        proxy.on_server_connected(effects);
        return words(effects);
    }
    std::string server(const rpch::Rts& pdu)
    {
        Effects effects;
        proxy.on_server_rts(pdu, effects);
        return words(effects);
    }
    std::string rpc(std::uint32_t size)
    {
        Effects effects;
        const char* const error = proxy.on_server_rpc(size, effects);
        return error ? "error" : words(effects);
    }
    std::string consumed(std::uint32_t size)
    {
        Effects effects;
        proxy.on_consumed(size, effects);
        return words(effects);
    }
    std::string idle()
    {
        Effects effects;
        proxy.on_idle(effects);
        return words(effects);
    }
    void open(std::uint32_t window = 65536)
    {
        first(conn_a1(window));
        connected();
        server(conn_c1());
    }
};

// 3.2.1.5.3.1, the outbound proxy's part.
TEST(OutboundProxy, establishes)
{
    STRCMP_EQUAL("connect", first(conn_a1()).c_str());
    STRCMP_EQUAL("respond client:CONN/A3 server:CONN/A2", connected().c_str());
    STRCMP_EQUAL("error", rpc(60).c_str());
    STRCMP_EQUAL("client:CONN/C1 opened", server(conn_c1()).c_str()); // C2 has the bytes of C1
    STRCMP_EQUAL("", rpc(60).c_str());
    CHECK_TRUE(proxy.admits(60));
}

TEST(OutboundProxy, c2RepeatsTheFiguresOfC1)
{
    first(conn_a1());
    connected();
    Effects effects;
    proxy.on_server_rts(conn_c1(131072, 180'000), effects);
    const rpch::Rts c2 = parse(effects.begin()->pdu);
    rpch::RtsFields fields(c2);
    LONGS_EQUAL(1, fields.version());
    LONGS_EQUAL(131072, fields.receive_window());
    LONGS_EQUAL(180'000, fields.connection_timeout());
}

TEST(OutboundProxy, refusesEveryOtherFirstPdu)
{
    const rpch::Rts rows[] = {conn_b1(), conn_c1(), conn_b3(), simple(RtsId::ping), conn_a1(65536, 0, out), conn_a1(65536, vc, 0)};
    for (const rpch::Rts& row : rows) {
        proxy = OutboundProxy{settings};
        STRCMP_EQUAL("close", first(row).c_str());
    }
}

TEST(OutboundProxy, whatTheServerMaySend)
{
    struct Row { bool opened; rpch::Rts pdu; const char* effects; };
    const Row rows[] = {
        {true, conn_c1(), "close"},
        {true, ack_to(rpch::Destination::outbound_proxy, 0, 65536, out), "flow"},
        {true, ack_to(rpch::Destination::outbound_proxy, 0, 65536, 0x77), ""}, // a channel that is no more
        {true, ack_to(rpch::Destination::outbound_proxy, 1, 65536, out), "close"},
        {true, ack_to(rpch::Destination::server, 0, 65536, out), "close"},
        {true, ack_to(rpch::Destination::inbound_proxy, 0, 65536, out), "close"},
        {false, ack_to(rpch::Destination::client, 0, 65536, in), ""}, // held until the first answer
        {false, ack_to(rpch::Destination::server, 0, 65536, in), "close"},
        {true, conn_b3(), "close"},
        {true, simple(RtsId::ping), "close"},
        {true, simple(RtsId::echo), "close"},
    };
    for (const Row& row : rows) {
        proxy = OutboundProxy{settings};
        first(conn_a1());
        connected();
        if (row.opened)
            server(conn_c1());
        STRCMP_EQUAL_TEXT(row.effects, server(row.pdu).c_str(), describe(row.pdu).c_str());
    }
}

// FreeRDP drops the connection on any RTS PDU between CONN/C2 and the first answer.
TEST(OutboundProxy, nothingComesBetweenC2AndTheFirstAnswer)
{
    open();
    STRCMP_EQUAL("", server(ack_to(rpch::Destination::client, 100, 65536, in)).c_str());
    STRCMP_EQUAL("", server(ack_to(rpch::Destination::client, 200, 65536, in)).c_str());
    STRCMP_EQUAL("", idle().c_str());
    STRCMP_EQUAL("client:FlowControlAckWithDestination", rpc(60).c_str());
    STRCMP_EQUAL("", rpc(60).c_str());
    STRCMP_EQUAL("client:FlowControlAckWithDestination", server(ack_to(rpch::Destination::client, 300, 65536, in)).c_str());
    STRCMP_EQUAL("client:Ping", idle().c_str());
}

TEST(OutboundProxy, pingsWhileItWaitsForC1)
{
    first(conn_a1());
    STRCMP_EQUAL("", idle().c_str()); // nothing before the response head
    connected();
    STRCMP_EQUAL("client:Ping", idle().c_str());
}

// 52 pings of 20 bytes are 1040, the first sum above 1031 (3.2.4.6).
TEST(OutboundProxy, reportsPingTrafficInSteps)
{
    open();
    rpc(60);
    for (int i = 1; i <= 104; ++i)
        STRCMP_EQUAL(i % 52 == 0 ? "client:Ping server:PingTrafficSentNotify" : "client:Ping", idle().c_str());
}

TEST(OutboundProxy, acknowledgesTheServerAtHalfOfTheWindow)
{
    open();
    rpc(32768);
    STRCMP_EQUAL("", consumed(32768).c_str());
    rpc(100);
    STRCMP_EQUAL("server:FlowControlAck", consumed(100).c_str());
}

TEST(OutboundProxy, holdsTheClientsWindowUntilItIsGivenUp)
{
    open(8192);
    CHECK_TRUE(proxy.admits(8192));
    proxy.sent(8000);
    CHECK_FALSE(proxy.admits(200));
    LONGS_EQUAL(192, proxy.room());
    STRCMP_EQUAL("flow", server(ack_to(rpch::Destination::outbound_proxy, 8000, 8192, out)).c_str());
    CHECK_TRUE(proxy.admits(8192));
    proxy.sent(8192);
    proxy.give_up_window();
    CHECK_TRUE(proxy.admits(8192));
}

TEST(OutboundProxy, doubtedClientGetsNoPingAndHasNoWindow)
{
    open(262144);
    proxy.doubt_client();
    rpc(60);
    STRCMP_EQUAL("", idle().c_str());
    proxy.sent(262144);
    CHECK_TRUE(proxy.admits(5840));
    proxy.trust_client();
    STRCMP_EQUAL("client:Ping", idle().c_str());
}

TEST(OutboundProxy, lifetimeCountsEveryByteOfTheBody)
{
    proxy = OutboundProxy{{.receive_window = 65536, .connection_timeout = 120'000, .channel_lifetime = 131072}};
    open();
    LONGS_EQUAL(28 + 44, proxy.body_sent());
    rpc(1000);
    proxy.sent(131000 - 20);
    CHECK_TRUE(proxy.lifetime_admits(20));
    CHECK_FALSE(proxy.lifetime_admits(21));
    STRCMP_EQUAL("client:Ping", idle().c_str());
    STRCMP_EQUAL("close", idle().c_str());
}

// A node that goes: the server takes the number for pings and asks the client. The two roles together, at whatever
// point of the channel's life.
TEST(OutboundProxy, usesUpTheLifetimeSoThatOurServerAsks)
{
    for (const std::uint32_t sent : {0u, 50'000u, 1'000'000u, 900'000'000u}) {
        proxy = OutboundProxy{settings};
        rpch::Server role{{.receive_window = 65536}};
        Effects effects;
        open();
        CHECK(!role.on_newcomer(conn_a2(), effects).refusal);
        CHECK(!role.on_newcomer(conn_b2(), effects).refusal);
        proxy.sent(sent);
        role.sent(sent);
        CHECK_FALSE(role.recycling_due());
        Effects asked;
        proxy.use_up(asked);
        STRCMP_EQUAL("server:PingTrafficSentNotify", words(asked).c_str());
        Effects answer;
        role.on_out_rts(rpch::Leg::out, parse(asked.begin()->pdu), answer);
        STRCMP_EQUAL("out:OUT_R1/A1", words(answer).c_str());
        CHECK(sent > 0 || role.admits(5840)); // calls go on meanwhile
    }
}

TEST(OutboundProxy, doesNotUseUpWhatCannotBeReplaced)
{
    Effects none;
    proxy.use_up(none); // not established
    for (const std::uint32_t missing : {1u, 0u}) {
        // It is used up already: an eighth and 2 KiB, less what was said to establish it.
        proxy = OutboundProxy{settings};
        open();
        proxy.sent(static_cast<std::uint32_t>(settings.channel_lifetime / 8 * 7 + 2048 - proxy.body_sent() - missing));
        Effects effects;
        proxy.use_up(effects);
        STRCMP_EQUAL(missing > 0 ? "server:PingTrafficSentNotify" : "", words(effects).c_str());
    }
    proxy = OutboundProxy{settings};
    open();
    rpc(60);
    proxy.doubt_client();
    proxy.use_up(none);
    proxy.trust_client();
    server(parse(rpch::RtsBuilder(RtsId::out_r1_a1).destination(rpch::Destination::client).done()));
    proxy.use_up(none); // the server has asked
    STRCMP_EQUAL("", words(none).c_str());
}
