#include "rpch/server.h"
#include "unit/rpch/role_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace role_test;
using rpch::Effects;
using rpch::Leg;
using rpch::RtsId;
using rpch::Server;

TEST_GROUP(Server) {
    Server role{{.receive_window = 65536}};

    static rpch::Rts a2() { return conn_a2(); }
    static rpch::Rts b2() { return conn_b2(); }
    std::string on_in(const rpch::Rts& pdu)
    {
        Effects effects;
        if (pdu.is(RtsId::conn_b2))
            return role.on_newcomer(pdu, effects).refusal ? "refused" : words(effects);
        role.on_in_rts(Leg::in, pdu, effects);
        return words(effects);
    }
    std::string on_out(const rpch::Rts& pdu)
    {
        Effects effects;
        if (pdu.is(RtsId::conn_a2))
            return role.on_newcomer(pdu, effects).refusal ? "refused" : words(effects);
        role.on_out_rts(Leg::out, pdu, effects);
        return words(effects);
    }
    std::string consumed(std::uint32_t size)
    {
        Effects effects;
        role.on_consumed(size, effects);
        return words(effects);
    }
    void open()
    {
        on_out(a2());
        on_in(b2());
    }
};

// 3.2.1.5.3.1, the server's part: no order between the two halves is guaranteed.
TEST(Server, establishesInBothOrders)
{
    STRCMP_EQUAL("", on_out(a2()).c_str());
    STRCMP_EQUAL("out:CONN/C1 in:CONN/B3 opened", on_in(b2()).c_str());
    role = Server{{.receive_window = 65536}};
    STRCMP_EQUAL("", on_in(b2()).c_str());
    CHECK(role.on_in_rpc(Leg::in, 20) != nullptr);
    LONGS_EQUAL(0, role.room());
    STRCMP_EQUAL("out:CONN/C1 in:CONN/B3 opened", on_out(a2()).c_str());
    POINTERS_EQUAL(nullptr, role.on_in_rpc(Leg::in, 20));
    LONGS_EQUAL(65536, role.room());
}

// It costs the newcomer alone: who repeats CONN/A2 may have no part in the virtual connection (6.3).
TEST(Server, aSecondHalfOfTheSameKindIsRefused)
{
    on_out(a2());
    STRCMP_EQUAL("refused", on_out(a2()).c_str());
    role = Server{{.receive_window = 65536}};
    on_in(b2());
    STRCMP_EQUAL("refused", on_in(b2()).c_str());
    role = Server{{.receive_window = 65536}};
    open();
    STRCMP_EQUAL("refused", on_out(a2()).c_str());
}

// 3.2.1.5.2: the only way between the proxies and to the client leads through the server.
TEST(Server, forwardsAcknowledgements)
{
    open();
    STRCMP_EQUAL("out:FlowControlAckWithDestination", on_in(ack_to(rpch::Destination::client, 1, 1, in)).c_str());
    STRCMP_EQUAL("out:FlowControlAckWithDestination",
                 on_in(ack_to(rpch::Destination::outbound_proxy, 1, 1, out)).c_str());
    STRCMP_EQUAL("close", on_in(ack_to(rpch::Destination::server, 1, 1, in)).c_str());
}

TEST(Server, flowControlOnBothLegs)
{
    open();
    role.sent(40'000);
    LONGS_EQUAL(25'536, role.room());
    STRCMP_EQUAL("flow", on_out(ack(40'000, 65536, out)).c_str());
    LONGS_EQUAL(65'536, role.room());
    STRCMP_EQUAL("flow", on_out(ack(40'000, 65536, 0x77)).c_str()); // the leg tells for which channel it is
    role.on_in_rpc(Leg::in, 40'000);
    STRCMP_EQUAL("in:FlowControlAck", consumed(40'000).c_str());
    STRCMP_EQUAL("close", on_out(ack(40'001, 65536, out)).c_str());
}

TEST(Server, pingTrafficIsTaken)
{
    open();
    STRCMP_EQUAL(
        "", on_out(parse(rpch::RtsBuilder(RtsId::ping_traffic_sent_notify).ping_traffic_sent(1040).done())).c_str());
    STRCMP_EQUAL("", on_out(simple(RtsId::ping)).c_str());
    STRCMP_EQUAL("", on_in(simple(RtsId::ping)).c_str());
}
