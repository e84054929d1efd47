#include "unit/rpch/recycling_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace recycling_test;

// What is told of an end: the reason in the log is all that an administrator has.

namespace {

std::string reason(const Effects& effects)
{
    for (const rpch::Effect& effect : effects)
        if (effect.kind == rpch::Effect::Kind::close || effect.kind == rpch::Effect::Kind::finish)
            return effect.reason;
    return "";
}

template <class Role> std::string why_closed(Role role, Leg leg)
{
    Effects effects;
    role.on_closed(leg, effects);
    return reason(effects);
}

template <class Role, class... Which> std::string why_expired(Role& role, Which... which)
{
    Effects effects;
    role.on_timeout(which..., effects);
    return reason(effects);
}

/// Awaits A5 of its successor.
InboundProxy recycling_inbound()
{
    InboundProxy proxy = opened_inbound();
    successor(proxy, make(RtsId::in_r2_a1, {vc, in, in_next}));
    return proxy;
}

Client recycling_client(bool in_channel)
{
    Client client = opened_client();
    Effects effects;
    if (in_channel) {
        client.recycle_in(effects);
        client.on_successor_request(Leg::in_successor, effects);
        to_client(client, make(RtsId::in_r1_a4));
    } else {
        to_client(client, make(RtsId::out_r1_a2));
        client.on_successor_request(Leg::out_successor, effects);
        to_client(client, make(RtsId::out_r1_a6));
    }
    return client;
}

} // namespace

TEST_GROUP(Reasons) {};

TEST(Reasons, whoClosed)
{
    STRCMP_EQUAL("the client closed the IN channel", why_closed(opened_inbound(), Leg::client).c_str());
    STRCMP_EQUAL("the server closed the IN channel", why_closed(opened_inbound(), Leg::server).c_str());
    STRCMP_EQUAL("", why_closed(recycling_inbound(), Leg::successor).c_str());
    STRCMP_EQUAL("", why_closed(opened_inbound(), Leg::predecessor).c_str());

    struct Row { Leg leg; const char* reason; };
    static constexpr Row server_rows[] = {
        {Leg::in, "the inbound proxy closed the IN channel"},
        {Leg::in_successor, "the inbound proxy closed the IN channel"},
        {Leg::in_predecessor, ""},
        {Leg::out, "the outbound proxy closed the OUT channel"},
        {Leg::out_successor, "the outbound proxy closed the OUT channel"},
        {Leg::out_predecessor, "the outbound proxy closed the OUT channel"},
    };
    for (const Row& row : server_rows) {
        Server server = opened_server();
        Effects effects;
        server.on_closed(row.leg, effects);
        STRCMP_EQUAL(row.reason, reason(effects).c_str());
        Effects again;
        server.on_closed(row.leg, again);
        STRCMP_EQUAL("", words(again).c_str());
    }
    static constexpr Row client_rows[] = {
        {Leg::in, "the proxy closed the IN channel"},
        {Leg::in_successor, "the proxy closed the IN channel"},
        {Leg::in_predecessor, ""},
        {Leg::out, "the proxy closed the OUT channel"},
        {Leg::out_successor, "the proxy closed the OUT channel"},
        {Leg::out_predecessor, ""},
    };
    for (const Row& row : client_rows)
        STRCMP_EQUAL(row.reason, why_closed(opened_client(), row.leg).c_str());
}

TEST(Reasons, whatTookTooLong)
{
    InboundProxy plugged = new_inbound();
    Effects effects;
    plugged.on_first_pdu(make(RtsId::conn_b1, {vc, in}), effects);
    STRCMP_EQUAL("the IN channel was not established within the time limit", why_expired(plugged).c_str());
    InboundProxy leaving = opened_inbound();
    from_client(leaving, make(RtsId::in_r1_a5, {in_next}));
    STRCMP_EQUAL("the server did not take the rest of the predecessor", why_expired(leaving).c_str());
    InboundProxy open = opened_inbound();
    STRCMP_EQUAL("", why_expired(open).c_str());

    OutboundProxy waiting = new_outbound();
    Effects out_effects;
    waiting.on_first_pdu(make(RtsId::conn_a1, {vc, out}), out_effects);
    STRCMP_EQUAL("the OUT channel was not established within the time limit", why_expired(waiting).c_str());
    OutboundProxy draining = opened_outbound();
    from_server(draining, make(RtsId::out_r1_a9));
    STRCMP_EQUAL("the client did not take the rest of the predecessor", why_expired(draining).c_str());

    Server half({.receive_window = 65536});
    newcomer(half, make(RtsId::conn_a2, {vc, out}));
    STRCMP_EQUAL("the two channels of the virtual connection did not meet within the time limit",
                 why_expired(half, Leg::out).c_str());

    Client early({}, Client::Cookies::random());
    STRCMP_EQUAL("the virtual connection was not established within the time limit", why_expired(early, Leg::in).c_str());
    Client out_client = recycling_client(false);
    STRCMP_EQUAL("recycling was not completed within the time limit", why_expired(out_client, Leg::out).c_str());
    Client in_client = recycling_client(true);
    STRCMP_EQUAL("recycling was not completed within the time limit", why_expired(in_client, Leg::in).c_str());
}

// The predecessor's proxy has A5 and does not close: the client does, and knows no more of it.
TEST(Reasons, aPredecessorThatStaysIsDropped)
{
    Client client = recycling_client(true);
    CHECK_TRUE(client.awaits(Leg::in));
    Effects effects;
    client.on_drained(Leg::in_predecessor, effects);
    CHECK_TRUE(client.awaits(Leg::in));
    STRCMP_EQUAL("drop:in_predecessor", expired(client, Leg::in).c_str());
    CHECK_FALSE(client.awaits(Leg::in));
    STRCMP_EQUAL("", expired(client, Leg::in).c_str());
}

// No word of the server counts before its response.
TEST(Reasons, aClientHearsNothingBeforeTheResponse)
{
    for (const RtsId id : {RtsId::conn_a3, RtsId::ping}) {
        Client client({}, Client::Cookies::random());
        Effects effects;
        client.on_in_request(effects);
        client.on_out_request(effects);
        Effects answer;
        client.on_out_rts(make(id), answer);
        STRCMP_EQUAL("RTS PDU before the response of the OUT channel", reason(answer).c_str());
        STRCMP_EQUAL("", to_client(client, make(id)).c_str()); // it is over
    }
}

TEST(Reasons, whoSaidWhatIsOutOfPlace)
{
    struct Row { Leg leg; const char* reason; };
    static constexpr Row rows[] = {
        {Leg::in, "RTS PDU that the inbound proxy may not send now"},
        {Leg::in_successor, "RTS PDU that the inbound proxy may not send now"},
        {Leg::out, "RTS PDU that the outbound proxy may not send now"},
        {Leg::out_predecessor, "RTS PDU that the outbound proxy may not send now"},
    };
    for (const Row& row : rows) {
        Server server = opened_server();
        Effects effects;
        if (row.leg == Leg::in || row.leg == Leg::in_successor)
            server.on_in_rts(row.leg, make(RtsId::conn_c1), effects);
        else
            server.on_out_rts(row.leg, make(RtsId::conn_c1), effects);
        STRCMP_EQUAL(row.reason, reason(effects).c_str());
    }
}

TEST(Reasons, whatAServerMayNotAcknowledge)
{
    for (const bool plugged : {true, false}) {
        InboundProxy proxy = plugged ? new_inbound() : opened_inbound();
        Effects effects;
        if (plugged) {
            proxy.on_first_pdu(make(RtsId::conn_b1, {vc, in}), effects);
            proxy.on_server_connected({}, effects);
        }
        Effects answer;
        proxy.on_server_rts(ack(1, 65536, in), answer);
        STRCMP_EQUAL(plugged ? "the server acknowledges before it has announced its window"
                             : "server acknowledged more than it was sent",
                     reason(answer).c_str());
    }
}
