#include "rpch/rts_table.h"
#include "unit/rpch/role_fixture.h"

#include <set>
#include <sstream>

#include <CppUTest/TestHarness.h>

using rpch::Role;
using rpch::RoleState;
using rpch::RtsId;
using rpch::Where;
using enum rpch::RoleState;
using enum rpch::Where;

namespace {

constexpr Role client = Role::client, inbound = Role::inbound_proxy;
constexpr Role server = Role::server, outbound = Role::outbound_proxy;

/// Every PDU that may come at one place in one state; every other one is a protocol error. What every state
/// of a place allows is in `any`. An acknowledgement with a destination is written "ack>role".
struct Row {
    Role role;
    Where where;
    RoleState state;
    const char* legal;
};

constexpr const char* any(Role role, Where where)
{
    if (role == inbound && where == request)
        return "Ping Keep-Alive OUT_R1/A7 OUT_R2/A7 ack>outbound";
    if (role == inbound && where == leg)
        return "FlowControlAck ack>inbound";
    if (role == outbound && where == leg)
        return "FlowControlAck IN_R1/A3 IN_R2/A3 ack>client ack>outbound";
    if (role == server && (where == in_leg || where == in_other))
        return "Ping FlowControlAck ack>client ack>outbound";
    if (role == server && (where == out_leg || where == out_other))
        return "Ping PingTrafficSentNotify FlowControlAck ack>inbound";
    if (role == client)
        return "Ping FlowControlAck ack>client";
    return "";
}

constexpr Row rows[] = {
    {inbound, first, vc_unknown, "CONN/B1 IN_R1/A1"},
    {inbound, first, vc_known, "IN_R2/A1"},
    {inbound, request, b3w, "IN_R1/A5"},
    {inbound, request, wait_b2, "IN_R1/A5"},
    {inbound, request, in_opened, "IN_R1/A5"},
    {inbound, request, opened_a5w, "IN_R2/A5"},
    {inbound, leg, b3w, "CONN/B3"},
    {inbound, leg, wait_b2, "IN_R1/B2"},
    {inbound, leg, in_opened, ""},
    {inbound, leg, opened_a5w, ""},
    {inbound, leg, draining, "CONN/B3 IN_R1/B2"},

    {outbound, first, vc_unknown, "CONN/A1 OUT_R1/A3"},
    {outbound, first, vc_known, "OUT_R2/A3"},
    {outbound, request, c1w, ""},
    {outbound, request, a11w, "OUT_R1/A11"},
    {outbound, request, out_opened, ""},
    {outbound, request, b1_or_c1w, "OUT_R2/C1"},
    {outbound, request, b1w, ""},
    {outbound, request, r2c1w, "OUT_R2/C1"},
    {outbound, request, opened_b2w, ""},
    {outbound, request, draining, ""},
    {outbound, leg, c1w, "CONN/C1"},
    {outbound, leg, a11w, "OUT_R1/A1"},
    {outbound, leg, out_opened, "OUT_R1/A1 OUT_R1/A5 OUT_R1/A9"},
    {outbound, leg, b1_or_c1w, "OUT_R2/A5 OUT_R2/B1 OUT_R2/B2"},
    {outbound, leg, b1w, "OUT_R2/A5 OUT_R2/B1 OUT_R2/B2"},
    {outbound, leg, r2c1w, "OUT_R1/A1"},
    {outbound, leg, opened_b2w, "OUT_R2/A5 OUT_R2/B1 OUT_R2/B2"},

    {server, first, vc_unknown, "CONN/A2 CONN/B2"},
    {server, first, a2w, "CONN/A2"},
    {server, first, b2w, "CONN/B2"},
    {server, first, in_opened | out_opened, "IN_R1/A2"},
    {server, first, a6w | out_opened, ""},
    {server, first, opened_b1w | out_opened, ""},
    {server, first, in_opened | opened_a4w, "IN_R1/A2 OUT_R1/A4"},
    {server, first, in_opened | opened_a8w, "IN_R1/A2"},
    {server, first, in_opened | opened_r2a8w, "IN_R1/A2"},
    {server, in_leg, in_opened | out_opened, "IN_R2/A2"},
    {server, in_leg, a6w | out_opened, "IN_R1/A6"},
    {server, in_leg, opened_b1w | out_opened, "IN_R1/B1"},
    {server, in_leg, in_opened | opened_a4w, "IN_R2/A2"},
    {server, in_leg, in_opened | opened_a8w, "IN_R2/A2 OUT_R1/A8"},
    {server, in_leg, a6w | opened_a8w, "IN_R1/A6 OUT_R1/A8"},
    {server, in_leg, opened_b1w | opened_r2a8w, "IN_R1/B1 OUT_R2/A8 OUT_R1/A8"}, // the short form of A8
    {server, in_other, a6w | out_opened, ""},
    {server, in_other, opened_b1w | out_opened, ""},
    {server, in_other, a6w | opened_a8w, "OUT_R1/A8"},
    {server, in_other, opened_b1w | opened_r2a8w, "OUT_R2/A8 OUT_R1/A8"},
    {server, out_leg, in_opened | out_opened, ""},
    {server, out_leg, in_opened | opened_a4w, "OUT_R2/A4"},
    {server, out_leg, in_opened | opened_a8w, ""},
    {server, out_leg, in_opened | opened_r2a8w, ""},
    {server, out_other, in_opened | opened_a8w, ""},
    {server, out_other, in_opened | out_opened, ""},

    {client, response, in_opened | out_opened,
     "OUT_R1/A2 IN_R1/A4 IN_R2/A4 OUT_R1/A6 OUT_R2/A6"}, // the last four too late
    {client, response, opened_a4w | out_opened, "OUT_R1/A2 IN_R1/A4 IN_R2/A4 OUT_R1/A6 OUT_R2/A6"},
    {client, response, in_opened | opened_a6w, "IN_R1/A4 IN_R2/A4 OUT_R1/A6 OUT_R2/A6"},
    {client, response, opened_a4w | opened_a6w, "IN_R1/A4 IN_R2/A4 OUT_R1/A6 OUT_R2/A6"},
    {client, response, in_opened | opened_a10w, "IN_R1/A4 IN_R2/A4 OUT_R1/A10"},
    {client, response, in_opened | b3w, "IN_R1/A4 IN_R2/A4 OUT_R2/B3"},
};

/// Legal in a state that `any` does not cover.
constexpr Row bare[] = {
    {inbound, request, connecting, "Ping Keep-Alive"},
    {inbound, request, draining, ""},
    {inbound, leg, connecting, ""},
    {outbound, request, connecting, ""},
    {outbound, leg, connecting, ""},
    {outbound, leg, draining, "FlowControlAck ack>outbound"},
    {server, in_leg, a2w, "Ping FlowControlAck"},
    {server, out_leg, b2w, "Ping PingTrafficSentNotify FlowControlAck"},
    {client, response, wait_a3w, "CONN/A3 Ping"},
    {client, response, wait_c2, "CONN/C2 Ping"},
    {client, response, none, ""},
    {client, response, echo_wait, "Echo"},
};

struct Sample {
    std::string name;
    rpch::Rts pdu;
};

/// Every PDU of the table; of the one with a free Destination, all four.
std::vector<Sample> samples()
{
    std::vector<Sample> all;
    for (const rpch::RtsRow& row : rpch::rts_rows()) {
        if (row.id != RtsId::flow_control_ack_with_destination) {
            all.push_back({row.name, role_test::make(row.id)});
            continue;
        }
        for (const auto& [to, name] : {std::pair{client, "ack>client"},
                                       {inbound, "ack>inbound"},
                                       {server, "ack>server"},
                                       {outbound, "ack>outbound"}})
            all.push_back({name, role_test::make(row.id, {}, to)});
    }
    return all;
}

void check(const Row& row, const std::string& legal)
{
    std::set<std::string> expected;
    std::istringstream words(legal);
    for (std::string word; words >> word;)
        expected.insert(word);
    for (const Sample& sample : samples()) {
        bool wanted = expected.contains(sample.name);
        for (const rpch::RtsRow& other : rpch::rts_rows()) // a look-alike cannot be told apart
            wanted = wanted || (expected.contains(other.name) && sample.pdu.is(other.id));
        const std::string text = sample.name + " at " + std::to_string(static_cast<int>(row.role)) + '/' +
                                 std::to_string(static_cast<int>(row.where)) + " in " +
                                 std::to_string(static_cast<std::uint32_t>(row.state));
        CHECK_EQUAL_TEXT(wanted, rpch::recognise(row.role, row.where, row.state, sample.pdu).has_value(), text.c_str());
    }
}

} // namespace

TEST_GROUP(Automaton) {
};

// Each PDU of MS-RPCH 2.2.4 at each place of each role in each state: legal, or a protocol error.
TEST(Automaton, knowsWhatMayComeAndNothingElse)
{
    for (const Row& row : rows)
        check(row, std::string(row.legal) + ' ' + (row.where == first ? "" : any(row.role, row.where)));
    for (const Row& row : bare)
        check(row, row.legal);
}

// No row is for a place where a role never listens.
TEST(Automaton, isDeafElsewhere)
{
    constexpr auto all = static_cast<RoleState>(0xffffffff);
    for (const Sample& sample : samples()) {
        for (const Where where : {in_leg, out_leg, in_other, out_other, response}) {
            CHECK_FALSE(rpch::recognise(inbound, where, all, sample.pdu).has_value());
            CHECK_FALSE(rpch::recognise(outbound, where, all, sample.pdu).has_value());
        }
        for (const Where where : {request, leg, response})
            CHECK_FALSE(rpch::recognise(server, where, all, sample.pdu).has_value());
        for (const Where where : {first, request, leg, in_leg, out_leg, in_other, out_other})
            CHECK_FALSE(rpch::recognise(client, where, all, sample.pdu).has_value());
    }
}
