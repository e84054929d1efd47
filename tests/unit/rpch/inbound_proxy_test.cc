#include "rpch/inbound_proxy.h"
#include "rpch/rts_fields.h"
#include "unit/rpch/role_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace role_test;
using rpch::Effects;
using rpch::InboundProxy;
using rpch::RtsId;

TEST_GROUP(InboundProxy) {
    InboundProxy proxy{{.receive_window = 65536, .connection_timeout = 120'000}};

    std::string first(const rpch::Rts& pdu)
    {
        Effects effects;
        proxy.on_first_pdu(pdu, effects);
        return words(effects);
    }
    std::string connected()
    {
        Effects effects;
        proxy.on_server_connected({.ipv6 = false, .bytes = {192, 0, 2, 10}}, effects);
        return words(effects);
    }
    std::string client(const rpch::Rts& pdu)
    {
        Effects effects;
        proxy.on_client_rts(pdu, effects);
        return words(effects);
    }
    std::string server(const rpch::Rts& pdu)
    {
        Effects effects;
        proxy.on_server_rts(pdu, effects);
        return words(effects);
    }
    std::string consumed(std::uint32_t size)
    {
        Effects effects;
        proxy.on_consumed(size, effects);
        return words(effects);
    }
    std::string stall()
    {
        Effects effects;
        proxy.on_silence(effects);
        return words(effects);
    }
    void open()
    {
        first(conn_b1());
        connected();
        server(conn_b3());
    }
    /// One PDU from the client that goes straight on.
    std::string pass(std::uint32_t size)
    {
        POINTERS_EQUAL(nullptr, proxy.on_client_rpc(size));
        CHECK_TRUE(proxy.admits(size));
        proxy.sent(size);
        server(ack(sent_ += size, 65536, in));
        return consumed(size);
    }
    std::uint32_t sent_ = 0;
};

// 3.2.1.5.3.1, the inbound proxy's part.
TEST(InboundProxy, establishes)
{
    STRCMP_EQUAL("connect", first(conn_b1()).c_str());
    STRCMP_EQUAL("keep-alive server:CONN/B2", connected().c_str());
    CHECK_FALSE(proxy.admits(20)); // plugged until CONN/B3
    STRCMP_EQUAL("opened flow", server(conn_b3()).c_str());
    CHECK_TRUE(proxy.admits(20));
}

TEST(InboundProxy, b2CarriesWhatTheClientSaid)
{
    first(conn_b1());
    Effects effects;
    proxy.on_server_connected({.ipv6 = false, .bytes = {192, 0, 2, 10}}, effects);
    const rpch::Rts b2 = parse((effects.end() - 1)->pdu);
    rpch::RtsFields fields(b2);
    fields.version();
    CHECK(fields.cookie() == cookie(vc));
    CHECK(fields.cookie() == cookie(in));
    LONGS_EQUAL(65536, fields.receive_window());
    LONGS_EQUAL(120'000, fields.connection_timeout());
    CHECK(fields.association_group() == cookie(group));
    LONGS_EQUAL(192, fields.client_address().bytes[0]);
    CHECK_TRUE(fields.done());
}

TEST(InboundProxy, refusesEveryOtherFirstPdu)
{
    const rpch::Rts rows[] = {conn_a1(), conn_b3(), conn_c1(), ack(0, 65536, in), simple(RtsId::ping), simple(RtsId::echo),
                              conn_b1(300'000, 0, in), conn_b1(300'000, vc, 0)};
    for (const rpch::Rts& row : rows) {
        proxy = InboundProxy{{.receive_window = 65536, .connection_timeout = 120'000}};
        STRCMP_EQUAL("close", first(row).c_str());
    }
}

TEST(InboundProxy, keepAliveIsClampedAndCanChange)
{
    struct Row { std::uint32_t asked, used; };
    static constexpr Row rows[] = {{0, 300'000}, {1, 60'000}, {59'999, 60'000}, {60'000, 60'000}, {4'294'967'295, 4'294'967'295}};
    open();
    for (const Row& row : rows) {
        Effects effects;
        proxy.on_client_rts(parse(rpch::RtsBuilder(RtsId::keep_alive).client_keepalive(row.asked).done()), effects);
        LONGS_EQUAL(1, effects.size());
        LONGS_EQUAL(row.used, effects.begin()->value);
    }
}

// C2 reaches the client by the other proxy and can overtake B3 (4.3): the bind waits, it is no error.
TEST(InboundProxy, rpcBeforeB3IsHeldAndBeforeB2IsAnError)
{
    first(conn_b1());
    CHECK(proxy.on_client_rpc(72) != nullptr);
    connected();
    POINTERS_EQUAL(nullptr, proxy.on_client_rpc(72));
    CHECK_FALSE(proxy.admits(72));
}

TEST(InboundProxy, whatTheClientMaySendOnceOpened)
{
    struct Row { rpch::Rts pdu; const char* effects; };
    const Row rows[] = {
        {simple(RtsId::ping), ""},
        {ack_to(rpch::Destination::outbound_proxy, 100, 65536, out), "server:FlowControlAckWithDestination"},
        {ack_to(rpch::Destination::client, 100, 65536, out), "close"},
        {ack_to(rpch::Destination::server, 100, 65536, out), "close"},
        {ack_to(rpch::Destination::inbound_proxy, 100, 65536, out), "close"},
        {ack(100, 65536, in), "close"},
        {conn_b1(), "close"},
        {conn_a1(), "close"},
        {conn_b3(), "close"},
        {conn_c1(), "close"},
        {simple(RtsId::echo), "close"},
        {parse(rpch::RtsBuilder(RtsId::out_r1_a9).ance().done()), "close"},
    };
    for (const Row& row : rows) {
        proxy = InboundProxy{{.receive_window = 65536, .connection_timeout = 120'000}};
        open();
        STRCMP_EQUAL_TEXT(row.effects, client(row.pdu).c_str(), describe(row.pdu).c_str());
    }
}

TEST(InboundProxy, whatTheServerMaySend)
{
    struct Row { bool opened; rpch::Rts pdu; const char* effects; };
    const Row rows[] = {
        {false, conn_b3(), "opened flow"},       {true, conn_b3(), "close"},
        {true, ack(0, 65536, in), "flow"},       {true, ack(0, 65536, 0x77), "flow"}, // the leg tells for which channel it is
        {true, ack(1, 65536, in), "close"},      {false, ack(0, 65536, in), "close"},
        {true, conn_c1(), "close"},              {true, simple(RtsId::ping), "close"},
        {true, ack_to(rpch::Destination::client, 0, 65536, in), "close"},
        {true, ack_to(rpch::Destination::inbound_proxy, 0, 65536, in), "flow"},
        {true, ack_to(rpch::Destination::inbound_proxy, 1, 65536, in), "close"},
    };
    for (const Row& row : rows) {
        proxy = InboundProxy{{.receive_window = 65536, .connection_timeout = 120'000}};
        first(conn_b1());
        connected();
        if (row.opened)
            server(conn_b3());
        STRCMP_EQUAL_TEXT(row.effects, server(row.pdu).c_str(), describe(row.pdu).c_str());
    }
}

TEST(InboundProxy, acknowledgesAtHalfOfTheWindow)
{
    open();
    for (int i = 0; i < 8; ++i)
        STRCMP_EQUAL("", pass(4096).c_str());
    STRCMP_EQUAL("server:FlowControlAckWithDestination", pass(4096).c_str());
    STRCMP_EQUAL("", pass(4096).c_str());
}

// Samba sends on whatever the window says, and cannot bear an RTS PDU after CONN/C2.
TEST(InboundProxy, doubtedClientThatOverrunsIsNeverAcknowledged)
{
    open();
    proxy.doubt_client();
    for (int i = 0; i < 64; ++i) {
        STRCMP_EQUAL("", pass(4096).c_str());
        if (i > 16)
            CHECK_FALSE(proxy.client_may_wait());
    }
    STRCMP_EQUAL("", stall().c_str());
    CHECK_TRUE(proxy.client_doubted());
}

// A conforming client stops where its window is used up: then it gets what it waits for, from then on.
TEST(InboundProxy, doubtedClientThatStopsAtItsWindowIsTrusted)
{
    open();
    proxy.doubt_client();
    for (int i = 0; i < 15; ++i)
        pass(4096);
    CHECK_FALSE(proxy.client_may_wait());
    pass(4096 - 20);
    CHECK_TRUE(proxy.client_may_wait());
    STRCMP_EQUAL("server:FlowControlAckWithDestination", stall().c_str());
    CHECK_FALSE(proxy.client_doubted());
    for (int i = 0; i < 8; ++i)
        pass(4096);
    STRCMP_EQUAL("server:FlowControlAckWithDestination", pass(4096).c_str());
}

// Addressed or not, an acknowledgement opens the server's window.
TEST(InboundProxy, acknowledgementsOpenTheServersWindow)
{
    open();
    proxy.sent(65536);
    for (const rpch::Rts& pdu : {ack(1000, 65536, in), ack_to(rpch::Destination::inbound_proxy, 2000, 65536, in)}) {
        CHECK_FALSE(proxy.admits(1000));
        server(pdu);
        CHECK_TRUE(proxy.admits(1000));
        proxy.sent(1000);
    }
}
