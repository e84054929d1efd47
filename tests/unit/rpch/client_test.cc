#include "rpch/client.h"
#include "rpch/rts_fields.h"
#include "unit/rpch/role_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace role_test;
using rpch::Client;
using rpch::Effects;
using rpch::RtsBuilder;
using rpch::RtsId;

namespace {

const Client::Cookies cookies{cookie(vc), cookie(in), cookie(out), cookie(group)};

rpch::Rts conn_a3(std::uint32_t timeout = 120'000)
{
    return parse(RtsBuilder(RtsId::conn_a3).connection_timeout(timeout).done());
}

rpch::Rts conn_c2(std::uint32_t window = 65536, std::uint32_t timeout = 120'000)
{
    return conn_c1(window, timeout); // the same bytes
}

} // namespace

TEST_GROUP(Client)
{
    Client client{Client::Settings{}, cookies};

    std::string in_request()
    {
        Effects effects;
        client.on_in_request(effects);
        return words(effects);
    }
    std::string out_request()
    {
        Effects effects;
        client.on_out_request(effects);
        return words(effects);
    }
    std::string success()
    {
        Effects effects;
        client.on_success_response(effects);
        return words(effects);
    }
    std::string out_rts(const rpch::Rts& pdu)
    {
        Effects effects;
        client.on_out_rts(pdu, effects);
        return words(effects);
    }
    std::string received(std::uint32_t size)
    {
        if (client.on_out_rpc(size))
            return "error";
        Effects effects;
        client.on_consumed(size, effects);
        return words(effects);
    }
    std::string idle()
    {
        Effects effects;
        client.on_idle(effects);
        return words(effects);
    }
    void open(std::uint32_t window = 65536)
    {
        in_request();
        out_request();
        success();
        out_rts(conn_a3());
        out_rts(conn_c2(window));
    }
};

// 3.2.1.5.3.1, the client's part.
TEST(Client, establishes)
{
    STRCMP_EQUAL("in:CONN/B1", in_request().c_str());
    STRCMP_EQUAL("out:CONN/A1", out_request().c_str());
    STRCMP_EQUAL("", success().c_str());
    STRCMP_EQUAL("", out_rts(conn_a3(240'000)).c_str());
    UNSIGNED_LONGS_EQUAL(240'000, client.connection_timeout());
    CHECK_FALSE(client.admits(60));
    STRCMP_EQUAL("opened", out_rts(conn_c2(131072, 180'000)).c_str());
    CHECK_TRUE(client.admits(60));
    UNSIGNED_LONGS_EQUAL(131072, client.in_window());
    UNSIGNED_LONGS_EQUAL(180'000, client.connection_timeout());
    UNSIGNED_LONGS_EQUAL(90'000, client.ping_after());
}

TEST(Client, a1AndB1CarryTheCookiesAndFigures)
{
    Effects effects;
    client.on_out_request(effects);
    client.on_in_request(effects);
    const rpch::Rts a1 = parse(effects.begin()[0].pdu), b1 = parse(effects.begin()[1].pdu);
    rpch::RtsFields a(a1);
    LONGS_EQUAL(1, a.version());
    CHECK(a.cookie() == cookie(vc) && a.cookie() == cookie(out));
    UNSIGNED_LONGS_EQUAL(65536, a.receive_window());
    CHECK(a.done());
    rpch::RtsFields b(b1);
    LONGS_EQUAL(1, b.version());
    CHECK(b.cookie() == cookie(vc) && b.cookie() == cookie(in));
    UNSIGNED_LONGS_EQUAL(1'073'741'824, b.channel_lifetime());
    UNSIGNED_LONGS_EQUAL(300'000, b.client_keepalive());
    CHECK(b.association_group() == cookie(group));
    CHECK(b.done());
}

TEST(Client, randomCookiesDiffer)
{
    const auto random = Client::Cookies::random();
    CHECK(random.virtual_connection != random.in_channel && random.in_channel != random.out_channel);
    CHECK(!random.association_group.zero());
}

// A Ping may come between CONN/A3 and CONN/C2, and at any time later.
TEST(Client, pingsAreSkipped)
{
    out_request();
    success();
    STRCMP_EQUAL("", out_rts(simple(RtsId::ping)).c_str());
    STRCMP_EQUAL("", out_rts(conn_a3()).c_str());
    STRCMP_EQUAL("", out_rts(simple(RtsId::ping)).c_str());
    STRCMP_EQUAL("opened", out_rts(conn_c2()).c_str());
    STRCMP_EQUAL("", out_rts(simple(RtsId::ping)).c_str());
}

TEST(Client, everythingElseBeforeOpenedIsAProtocolError)
{
    STRCMP_EQUAL("close", out_rts(conn_a3()).c_str()); // no 200 yet

    for (const auto& wrong : {conn_c2(), conn_a1(), conn_b3(), ack_to(rpch::Destination::client, 0, 0, in)}) {
        Client fresh{Client::Settings{}, cookies};
        Effects effects;
        fresh.on_success_response(effects);
        fresh.on_out_rts(wrong, effects);
        STRCMP_EQUAL("close", words(effects).c_str());
        CHECK(fresh.state() == Client::State::finished);
    }
    for (const auto& wrong : {conn_a3(), conn_b1(), conn_b3()}) {
        Client fresh{Client::Settings{}, cookies};
        Effects effects;
        fresh.on_success_response(effects);
        fresh.on_out_rts(conn_a3(), effects);
        fresh.on_out_rts(wrong, effects);
        STRCMP_EQUAL("close", words(effects).c_str());
    }
}

TEST(Client, rpcPduBeforeC2IsAProtocolError)
{
    out_request();
    success();
    out_rts(conn_a3());
    STRCMP_EQUAL("error", received(60).c_str());
}

TEST(Client, secondResponseIsAProtocolError)
{
    success();
    STRCMP_EQUAL("close", success().c_str());
}

TEST(Client, strangeRtsPdusCloseAnOpenConnection)
{
    for (const auto& wrong : {conn_a3(), conn_c2(), conn_b3(), simple(RtsId::echo)}) {
        Client fresh{Client::Settings{}, cookies};
        Effects effects;
        fresh.on_success_response(effects);
        fresh.on_out_rts(conn_a3(), effects);
        fresh.on_out_rts(conn_c2(), effects);
        fresh.on_out_rts(wrong, effects);
        STRCMP_EQUAL("opened close", words(effects).c_str());
    }
}

TEST(Client, wishForRecyclingIsNoted)
{
    open();
    const auto a2 = parse(RtsBuilder(RtsId::out_r1_a2).destination(rpch::Destination::client).done());
    STRCMP_EQUAL("", out_rts(a2).c_str());
    CHECK_TRUE(client.recycling_asked());
    STRCMP_EQUAL("", received(60).c_str());
}

// MS-RPCH 3.2.1.1.5: acknowledge when less than half of the announced window is open.
TEST(Client, acknowledgesAtHalfOfItsWindow)
{
    open();
    STRCMP_EQUAL("", received(32768).c_str());
    Effects effects;
    POINTERS_EQUAL(nullptr, client.on_out_rpc(100));
    client.on_consumed(100, effects);
    STRCMP_EQUAL("in:FlowControlAckWithDestination", words(effects).c_str());
    const rpch::Rts pdu = parse(effects.begin()->pdu);
    rpch::RtsFields fields(pdu);
    CHECK(fields.destination() == rpch::Destination::outbound_proxy);
    const auto sent = fields.flow_control_ack();
    UNSIGNED_LONGS_EQUAL(32868, sent.bytes_received);
    UNSIGNED_LONGS_EQUAL(65536, sent.available_window);
    CHECK(sent.channel == cookie(out));
    STRCMP_EQUAL("", received(32768).c_str());
}

TEST(Client, staysWithinTheInboundProxysWindow)
{
    open(8192);
    CHECK_TRUE(client.admits(8000));
    client.sent(8000);
    CHECK_FALSE(client.admits(200));
    STRCMP_EQUAL("flow", out_rts(ack_to(rpch::Destination::client, 8000, 8192, in)).c_str());
    CHECK_TRUE(client.admits(8192));
}

TEST(Client, judgesAcknowledgements)
{
    open();
    client.sent(100);
    // For a channel that is no more: 3.2.1.5.1.2.
    STRCMP_EQUAL("", out_rts(ack_to(rpch::Destination::client, 5000, 65536, 0x77)).c_str());
    STRCMP_EQUAL("flow", out_rts(ack_to(rpch::Destination::client, 100, 65536, in)).c_str());
    STRCMP_EQUAL("close", out_rts(ack_to(rpch::Destination::client, 101, 65536, in)).c_str());
}

TEST(Client, acknowledgementForAnotherReceiverIsAProtocolError)
{
    open();
    STRCMP_EQUAL("close", out_rts(ack_to(rpch::Destination::outbound_proxy, 0, 65536, in)).c_str());
}

TEST(Client, pingsOnlyWhenOpened)
{
    STRCMP_EQUAL("", idle().c_str());
    open();
    STRCMP_EQUAL("in:Ping", idle().c_str());
}

// MS-RPCH 2.2.3.5.3: the range on the wire of the connection timeout wins over what a peer says.
TEST(Client, oddTimeoutsAreClampedForThePing)
{
    out_request();
    success();
    out_rts(conn_a3());
    out_rts(conn_c2(65536, 1));
    UNSIGNED_LONGS_EQUAL(1, client.connection_timeout());
    UNSIGNED_LONGS_EQUAL(60'000, client.ping_after());
}

// MS-RPCH 3.2.2.1.3: RTS and RPC bytes count; 104 + 20 + 40 exhaust a lifetime of 164.
TEST(Client, neverSendsMoreThanItsContentLength)
{
    Client::Settings settings;
    settings.in_lifetime = 164;
    for (const std::uint32_t left : {20u, 19u, 0u}) { // a ping has 20 bytes
        Client small{settings, cookies};
        Effects effects;
        small.on_in_request(effects);
        small.on_success_response(effects);
        small.on_out_rts(conn_a3(), effects);
        small.on_out_rts(conn_c2(), effects);
        small.on_idle(effects);
        CHECK_TRUE(small.lifetime_admits(40));
        CHECK_FALSE(small.lifetime_admits(41));
        small.sent(40 - left);
        Effects last;
        small.on_idle(last);
        STRCMP_EQUAL(left == 20 ? "in:Ping" : "close", words(last).c_str());
    }
}
