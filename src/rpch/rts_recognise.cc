#include "rpch/rts_table.h"

namespace rpch {

namespace {

/// `receiver` takes `id` at `where` while one of `states` holds. `destination` narrows
/// FlowControlAckWithDestination, whose row in the PDU table leaves it open.
struct Legal {
    Role receiver;
    Where where;
    RoleState states;
    RtsId id;
    std::optional<Destination> destination = std::nullopt;
};

using enum RoleState;
using enum Where;

constexpr Role client = Role::client;
constexpr Role inbound = Role::inbound_proxy;
constexpr Role server = Role::server;
constexpr Role outbound = Role::outbound_proxy;

// 3.2.3.5, 3.2.4.5 and their like do not list Ping, Keep-Alive and the acknowledgements; they are legal in
// every state after the first PDU.
constexpr RoleState inbound_any = b3w | wait_b2 | in_opened | opened_a5w;
constexpr RoleState outbound_any = c1w | a11w | out_opened | b1_or_c1w | b1w | r2c1w;
constexpr RoleState server_any =
    a2w | b2w | in_opened | a6w | opened_b1w | out_opened | opened_a4w | opened_a8w | opened_r2a8w;
constexpr RoleState client_any = in_opened | opened_a4w | out_opened | opened_a6w | opened_a10w | b3w;

constexpr Legal table[] = {
    // 3.2.3.5
    {inbound, first, vc_unknown, RtsId::conn_b1},
    {inbound, first, vc_unknown, RtsId::in_r1_a1},
    {inbound, first, vc_known, RtsId::in_r2_a1},
    {inbound, request, in_opened, RtsId::in_r1_a5},
    {inbound, request, opened_a5w, RtsId::in_r2_a5},
    {inbound, request, inbound_any, RtsId::out_r1_a7},
    {inbound, request, inbound_any, RtsId::out_r2_a7},
    {inbound, request, inbound_any, RtsId::ping},
    {inbound, request, inbound_any, RtsId::keep_alive},
    {inbound, request, inbound_any, RtsId::flow_control_ack_with_destination, outbound},
    {inbound, leg, b3w, RtsId::conn_b3},
    {inbound, leg, wait_b2, RtsId::in_r1_b2},
    {inbound, leg, inbound_any, RtsId::flow_control_ack},
    {inbound, leg, inbound_any, RtsId::flow_control_ack_with_destination, inbound},

    // 3.2.4.5
    {outbound, first, vc_unknown, RtsId::conn_a1},
    {outbound, first, vc_unknown, RtsId::out_r1_a3},
    {outbound, first, vc_known, RtsId::out_r2_a3},
    {outbound, request, a11w, RtsId::out_r1_a11},
    {outbound, request, b1_or_c1w | r2c1w, RtsId::out_r2_c1},
    {outbound, leg, c1w, RtsId::conn_c1},
    {outbound, leg, out_opened, RtsId::out_r1_a1},
    {outbound, leg, out_opened, RtsId::out_r1_a5},
    {outbound, leg, out_opened, RtsId::out_r1_a9},
    {outbound, leg, b1_or_c1w | b1w, RtsId::out_r2_a5},
    {outbound, leg, b1_or_c1w | b1w, RtsId::out_r2_b1},
    // 3.2.4.5.12 lists B2 in B1W only, but the server can refuse before C1 has come.
    {outbound, leg, b1_or_c1w | b1w, RtsId::out_r2_b2},
    {outbound, leg, outbound_any, RtsId::in_r1_a3},
    {outbound, leg, outbound_any, RtsId::in_r2_a3},
    {outbound, leg, outbound_any, RtsId::flow_control_ack},
    {outbound, leg, outbound_any, RtsId::flow_control_ack_with_destination, client},
    {outbound, leg, outbound_any, RtsId::flow_control_ack_with_destination, outbound},

    // 3.2.5.5
    {server, first, vc_unknown | a2w, RtsId::conn_a2},
    {server, first, vc_unknown | b2w, RtsId::conn_b2},
    {server, first, in_opened, RtsId::in_r1_a2},
    {server, first, opened_a4w, RtsId::out_r1_a4},
    {server, in_leg, in_opened, RtsId::in_r2_a2},
    {server, in_leg, a6w, RtsId::in_r1_a6},
    {server, in_leg, opened_b1w, RtsId::in_r1_b1},
    {server, in_leg, opened_a8w, RtsId::out_r1_a8},
    {server, in_leg, opened_r2a8w, RtsId::out_r2_a8},
    {server, in_leg, server_any, RtsId::ping},
    {server, in_leg, server_any, RtsId::flow_control_ack},
    {server, in_leg, server_any, RtsId::flow_control_ack_with_destination, client},
    {server, in_leg, server_any, RtsId::flow_control_ack_with_destination, outbound},
    {server, out_leg, opened_a4w, RtsId::out_r2_a4},
    {server, out_leg, server_any, RtsId::ping_traffic_sent_notify},
    {server, out_leg, server_any, RtsId::ping},
    {server, out_leg, server_any, RtsId::flow_control_ack},
    {server, out_leg, server_any, RtsId::flow_control_ack_with_destination, inbound},

    // 3.2.2.5
    {client, response, echo_wait, RtsId::echo},
    {client, response, wait_a3w, RtsId::conn_a3},
    {client, response, wait_c2, RtsId::conn_c2},
    {client, response, opened_a4w, RtsId::in_r1_a4},
    {client, response, opened_a4w, RtsId::in_r2_a4},
    {client, response, out_opened, RtsId::out_r1_a2},
    {client, response, opened_a6w, RtsId::out_r1_a6},
    {client, response, opened_a6w, RtsId::out_r2_a6},
    {client, response, opened_a10w, RtsId::out_r1_a10},
    {client, response, b3w, RtsId::out_r2_b3},
    {client, response, client_any | wait_c2, RtsId::ping},
    {client, response, client_any, RtsId::flow_control_ack},
    {client, response, client_any, RtsId::flow_control_ack_with_destination, client},
};

} // namespace

std::optional<RtsId> recognise(Role receiver, Where where, RoleState states, const Rts& rts) noexcept
{
    for (const Legal& legal : table)
        if (legal.receiver == receiver && legal.where == where && overlap(legal.states, states) && rts.is(legal.id) &&
            (!legal.destination || rts.destination() == legal.destination))
            return legal.id;
    return std::nullopt;
}

} // namespace rpch
