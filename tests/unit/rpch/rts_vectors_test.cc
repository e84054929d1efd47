#include "rpch/rts_builder.h"
#include "rpch/rts_fields.h"
#include "rpch/rts_table.h"
#include "vectors.h"

#include <CppUTest/TestHarness.h>

using rpch::Role;
using rpch::RoleState;
using rpch::RtsId;
using rpch::Where;

namespace {

/// Which PDU each vector is, and a place where a role recognises it.
struct Row {
    const char* vector;
    Role receiver;
    Where where;
    RoleState states;
    RtsId id;
};

constexpr Role client = Role::client, inbound = Role::inbound_proxy;
constexpr Role server = Role::server, outbound = Role::outbound_proxy;
using enum RoleState;
using enum Where;

// While one channel is recycled the other one of the virtual connection is Opened.
constexpr RoleState in_recycles = out_opened, out_recycles = in_opened;

constexpr Row rows[] = {
    {"CONN/A1", outbound, first, vc_unknown, RtsId::conn_a1},
    {"CONN/A2", server, first, vc_unknown, RtsId::conn_a2},
    {"CONN/A3", client, response, wait_a3w, RtsId::conn_a3},
    {"CONN/B1", inbound, first, vc_unknown, RtsId::conn_b1},
    {"CONN/B2-IPv4", server, first, b2w, RtsId::conn_b2},
    {"CONN/B2-IPv6", server, first, vc_unknown, RtsId::conn_b2},
    {"CONN/B3", inbound, leg, b3w, RtsId::conn_b3},
    {"CONN/C1", outbound, leg, c1w, RtsId::conn_c1},
    {"CONN/C2", client, response, wait_c2, RtsId::conn_c2},
    {"IN_R1/A1", inbound, first, vc_unknown, RtsId::in_r1_a1},
    {"IN_R1/A2", server, first, in_opened | out_opened, RtsId::in_r1_a2},
    {"IN_R1/A3", outbound, leg, out_opened, RtsId::in_r1_a3},
    {"IN_R1/A4", client, response, opened_a4w | in_recycles, RtsId::in_r1_a4},
    {"IN_R1/A5", inbound, request, in_opened, RtsId::in_r1_a5},
    {"IN_R1/A6", server, in_leg, a6w | in_recycles, RtsId::in_r1_a6},
    {"IN_R1/B1", server, in_leg, opened_b1w | in_recycles, RtsId::in_r1_b1},
    {"IN_R1/B2", inbound, leg, wait_b2, RtsId::in_r1_b2},
    {"IN_R2/A1", inbound, first, vc_known, RtsId::in_r2_a1},
    {"IN_R2/A2", server, in_leg, in_opened | out_opened, RtsId::in_r2_a2},
    {"IN_R2/A3", outbound, leg, out_opened, RtsId::in_r2_a3},
    {"IN_R2/A4", client, response, opened_a4w | in_recycles, RtsId::in_r2_a4},
    {"IN_R2/A5", inbound, request, opened_a5w, RtsId::in_r2_a5},
    {"OUT_R1/A1", outbound, leg, out_opened, RtsId::out_r1_a1},
    {"OUT_R1/A2", client, response, in_opened | out_opened, RtsId::out_r1_a2},
    {"OUT_R1/A3", outbound, first, vc_unknown, RtsId::out_r1_a3},
    {"OUT_R1/A4", server, first, opened_a4w | out_recycles, RtsId::out_r1_a4},
    {"OUT_R1/A5", outbound, leg, out_opened, RtsId::out_r1_a5},
    {"OUT_R1/A6", client, response, opened_a6w | out_recycles, RtsId::out_r1_a6},
    {"OUT_R1/A7", inbound, request, in_opened, RtsId::out_r1_a7},
    {"OUT_R1/A8", server, in_leg, opened_a8w | out_recycles, RtsId::out_r1_a8},
    {"OUT_R1/A9", outbound, leg, out_opened, RtsId::out_r1_a9},
    {"OUT_R1/A10", client, response, opened_a10w | out_recycles, RtsId::out_r1_a10},
    {"OUT_R1/A11", outbound, request, a11w, RtsId::out_r1_a11},
    // Not to be told from the OUT_R1 one on arrival.
    {"OUT_R2/A1", outbound, leg, out_opened, RtsId::out_r1_a1},
    {"OUT_R2/A2", client, response, in_opened | out_opened, RtsId::out_r1_a2},
    {"OUT_R2/A3", outbound, first, vc_known, RtsId::out_r2_a3},
    {"OUT_R2/A4", server, out_leg, opened_a4w | out_recycles, RtsId::out_r2_a4},
    {"OUT_R2/A5", outbound, leg, b1_or_c1w, RtsId::out_r2_a5},
    {"OUT_R2/A6", client, response, opened_a6w | out_recycles, RtsId::out_r2_a6},
    {"OUT_R2/A7", inbound, request, in_opened, RtsId::out_r2_a7},
    {"OUT_R2/A8", server, in_leg, opened_r2a8w | out_recycles, RtsId::out_r2_a8},
    {"OUT_R2/A8-spec", server, in_leg, opened_r2a8w | out_recycles, RtsId::out_r2_a8},
    {"OUT_R2/B1", outbound, leg, b1w, RtsId::out_r2_b1},
    {"OUT_R2/B2", outbound, leg, b1w, RtsId::out_r2_b2},
    {"OUT_R2/B3", client, response, b3w | out_recycles, RtsId::out_r2_b3},
    {"OUT_R2/C1", outbound, request, b1_or_c1w, RtsId::out_r2_c1},
    {"KeepAlive", inbound, request, in_opened, RtsId::keep_alive},
    {"PingTrafficSentNotify", server, out_leg, in_opened | out_opened, RtsId::ping_traffic_sent_notify},
    {"Echo", client, response, echo_wait, RtsId::echo},
    {"Ping", inbound, request, b3w, RtsId::ping},
    {"FlowControlAck-server", inbound, leg, in_opened, RtsId::flow_control_ack},
    {"FlowControlAck-outproxy", server, out_leg, in_opened | out_opened, RtsId::flow_control_ack},
    {"FlowControlAckWithDestination-client", inbound, request, in_opened, RtsId::flow_control_ack_with_destination},
    {"FlowControlAckWithDestination-inproxy", server, in_leg, in_opened | out_opened,
     RtsId::flow_control_ack_with_destination},
    {"X-Version2-A1", outbound, first, vc_unknown, RtsId::conn_a1},
};

void copy_field(rpch::CommandType type, rpch::RtsFields& from, rpch::RtsBuilder& to)
{
    using enum rpch::CommandType;
    switch (type) {
    case receive_window_size:
        to.receive_window(from.receive_window());
        return;
    case flow_control_ack:
        to.flow_control_ack(from.flow_control_ack());
        return;
    case connection_timeout:
        to.connection_timeout(from.connection_timeout());
        return;
    case cookie:
        to.cookie(from.cookie());
        return;
    case channel_lifetime:
        to.channel_lifetime(from.channel_lifetime());
        return;
    case client_keepalive:
        to.client_keepalive(from.client_keepalive());
        return;
    case version:
        to.version(from.version());
        return;
    case empty:
        from.empty();
        to.empty();
        return;
    case padding:
        FAIL("no PDU of the table has Padding");
        return;
    case negative_ance:
        from.negative_ance();
        to.negative_ance();
        return;
    case ance:
        from.ance();
        to.ance();
        return;
    case client_address:
        to.client_address(from.client_address());
        return;
    case association_group_id:
        to.association_group(from.association_group());
        return;
    case destination:
        to.destination(from.destination());
        return;
    case ping_traffic_sent_notify:
        to.ping_traffic_sent(from.ping_traffic_sent());
        return;
    }
}

const Row* find(const std::string& vector)
{
    for (const Row& r : rows)
        if (vector == r.vector)
            return &r;
    return nullptr;
}

} // namespace

TEST_GROUP(RtsVectors) {
    const std::vector<vectors::Vector> all = vectors::load();

    rpch::Rts decoded(const vectors::Vector& v)
    {
        rpch::Rts rts;
        STRCMP_EQUAL_TEXT(nullptr, rpch::decode(v.bytes, rts).error, v.name.c_str());
        return rts;
    }
};

TEST(RtsVectors, areAllThere)
{
    LONGS_EQUAL(56, all.size());
}

TEST(RtsVectors, encodeToTheSameBytes)
{
    for (const auto& v : all) {
        const std::string again = vectors::hex(rpch::encode(decoded(v)));
        STRCMP_EQUAL_TEXT(vectors::hex(v.bytes).c_str(), again.c_str(), v.name.c_str());
    }
}

TEST(RtsVectors, rebuildFromTheirFields)
{
    for (const auto& v : all) {
        const Row* r = find(v.name);
        if (!r)
            continue;
        const rpch::Rts rts = decoded(v);
        rpch::RtsFields fields(rts);
        rpch::RtsBuilder builder(r->id);
        for (const rpch::Command& command : rts.commands())
            copy_field(command.type, fields, builder);
        CHECK_TRUE_TEXT(fields.done(), v.name.c_str());
        STRCMP_EQUAL_TEXT(vectors::hex(v.bytes).c_str(), vectors::hex(builder.done()).c_str(), v.name.c_str());
    }
}

TEST(RtsVectors, areRecognisedByRoleAndState)
{
    std::size_t recognised = 0;
    for (const auto& v : all) {
        const Row* r = find(v.name);
        if (!r)
            continue;
        const auto id = rpch::recognise(r->receiver, r->where, r->states, decoded(v));
        CHECK_TRUE_TEXT(id.has_value(), v.name.c_str());
        STRCMP_EQUAL_TEXT(rpch::row(r->id).name, rpch::row(*id).name, v.name.c_str());
        ++recognised;
    }
    LONGS_EQUAL(all.size() - 1, recognised); // X-Padding is no PDU of the protocol
}

TEST(RtsVectors, areNothingForAFinishedRole)
{
    for (const auto& v : all)
        for (const Role role : {client, inbound, server, outbound})
            for (const Where where : {first, request, leg, in_leg, out_leg, response})
                CHECK_FALSE(rpch::recognise(role, where, RoleState::none, decoded(v)).has_value());
}

TEST(RtsVectors, areErrorsWhereNoRuleAllowsThem)
{
    constexpr auto any = static_cast<RoleState>(0xffffffff);
    const struct {
        const char* vector;
        Role receiver;
        Where where;
        RoleState states;
    } refused[] = {
        {"X-Padding", outbound, request, any},
        {"CONN/A1", inbound, first, any},
        {"CONN/A1", outbound, first, vc_known},
        {"CONN/A1", outbound, request, any},
        {"CONN/A1", outbound, leg, any},
        {"CONN/B1", outbound, first, any},
        {"CONN/B1", inbound, first, vc_known},
        {"CONN/B1", inbound, request, any},
        {"CONN/B3", inbound, leg, in_opened},
        {"CONN/B3", inbound, request, any},
        {"CONN/C1", outbound, leg, out_opened},
        {"CONN/C1", outbound, request, any},
        {"CONN/C2", client, response, wait_a3w},
        {"CONN/A2", server, first, in_opened | out_opened},
        {"CONN/A2", inbound, request, any},
        {"IN_R1/A1", outbound, first, any},
        {"IN_R1/A1", server, first, any},
        {"IN_R1/A2", inbound, request, any},
        {"IN_R1/A5", inbound, request, connecting | draining},
        {"IN_R1/A5", outbound, request, any},
        {"IN_R1/B1", inbound, request, any},
        {"OUT_R1/A1", client, response, opened_a6w},
        {"OUT_R1/A3", inbound, first, any},
        {"OUT_R1/A9", outbound, leg, c1w},
        {"OUT_R1/A11", outbound, request, b1_or_c1w},
        {"OUT_R1/A7", outbound, request, any},
        {"OUT_R1/A7", outbound, leg, any},
        {"OUT_R1/A8", server, out_leg, any},
        {"OUT_R2/A7", server, in_leg, opened_a8w},
        {"OUT_R2/C1", outbound, request, b1w | a11w},
        {"OUT_R2/C1", inbound, request, any},
        {"OUT_R2/B1", outbound, leg, r2c1w},
        {"KeepAlive", outbound, request, any},
        {"Ping", outbound, request, any},
        {"Ping", outbound, leg, any},
        {"Echo", inbound, request, any},
        {"Echo", client, response, in_opened | out_opened},
        {"FlowControlAck-server", inbound, request, any},
        {"FlowControlAckWithDestination-inproxy", inbound, request, any}, // to itself: a loop
        {"FlowControlAckWithDestination-client", inbound, leg, any},
        {"PingTrafficSentNotify", server, in_leg, any},
    };
    for (const auto& r : refused) {
        rpch::Rts rts;
        CHECK_TRUE(rpch::decode(vectors::bytes(r.vector), rts).ok());
        const auto id = rpch::recognise(r.receiver, r.where, r.states, rts);
        CHECK_FALSE_TEXT(id.has_value(), r.vector);
    }
}

TEST(RtsVectors, aForgedDestinationIsNotForwarded)
{
    // A client that sends an acknowledgement, or OUT_R1/A7, to anybody but whom it may.
    for (const char* vector : {"FlowControlAckWithDestination-client", "OUT_R1/A7", "OUT_R2/A7"})
        for (std::uint8_t to = 0; to < 4; ++to) {
            auto bytes = vectors::bytes(vector);
            const bool legal = bytes[24] == to;
            bytes[24] = to;
            rpch::Rts rts;
            CHECK_TRUE(rpch::decode(bytes, rts).ok());
            CHECK_EQUAL(legal, rpch::recognise(inbound, request, in_opened, rts).has_value());
        }
}
