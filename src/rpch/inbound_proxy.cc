#include "rpch/inbound_proxy.h"

#include "rpch/rts_builder.h"
#include "rpch/rts_fields.h"

#include <algorithm>
#include <cassert>

namespace rpch {

using enum RoleState;
using enum Where;

// The automaton. A PDU with a Destination for another role is passed on byte for byte (3.2.1.5.2), in the
// shapes listed here only, so that a client cannot forge PDUs to the server.
//
// A5 of IN_R1 is taken in B3W and Wait_B2 too: it follows from a PDU that reached the client over the OUT
// channel, which can overtake B3 and B2.
constexpr RoleState legs_up = b3w | wait_b2 | in_opened | opened_a5w;
constexpr RoleState server_up = legs_up | draining;

/// An acknowledgement with a Destination.
constexpr RtsId addressed_ack = RtsId::flow_control_ack_with_destination;

const Rule<InboundProxy> InboundProxy::rules_[] = {
    {first, vc_unknown, RtsId::conn_b1, &InboundProxy::on_conn_b1},
    {leg, b3w | draining, RtsId::conn_b3, &InboundProxy::on_conn_b3},

    {first, vc_unknown, RtsId::in_r1_a1, &InboundProxy::on_r1_a1},
    {request, b3w | wait_b2 | in_opened, RtsId::in_r1_a5, &InboundProxy::on_r1_a5},
    {leg, wait_b2 | draining, RtsId::in_r1_b2, &InboundProxy::on_r1_b2},

    {first, vc_known, RtsId::in_r2_a1, &InboundProxy::on_r2_a1},
    {request, opened_a5w, RtsId::in_r2_a5, &InboundProxy::on_r2_a5},

    {request, legs_up, RtsId::out_r1_a7, &InboundProxy::on_forward},
    {request, legs_up, RtsId::out_r2_a7, &InboundProxy::on_forward},

    {request, connecting | legs_up, RtsId::ping, &InboundProxy::on_ping},
    {request, connecting | legs_up, RtsId::keep_alive, &InboundProxy::on_keep_alive},
    {request, legs_up, addressed_ack, &InboundProxy::on_forward, Destination::outbound_proxy},
    {leg, server_up, RtsId::flow_control_ack, &InboundProxy::on_acknowledgement},
    {leg, server_up, addressed_ack, &InboundProxy::on_acknowledgement, Destination::inbound_proxy},
};

std::optional<RtsId> InboundProxy::recognise(Where where, RoleState states, const Rts& pdu) noexcept
{
    const Rule<InboundProxy>* const rule = find_rule<InboundProxy>(rules_, where, states, pdu);
    return rule ? std::optional(rule->pdu) : std::nullopt;
}

void InboundProxy::handle(Where where, Leg from, const Rts& pdu, Effects& effects)
{
    static constexpr const char* out_of_place[] = {
        "first PDU of the IN channel is neither CONN/B1 nor IN_R1/A1",
        "RTS PDU that the client may not send on the IN channel now",
        "RTS PDU that the server may not send on the IN channel now",
    };
    const auto* const rule = find_rule<InboundProxy>(rules_, where, static_cast<RoleState>(state_), pdu);
    const char* const error =
        rule ? (this->*rule->act)(from, pdu, effects) : out_of_place[static_cast<std::size_t>(where)];
    if (error)
        fail(error, effects);
}

void InboundProxy::fail(const char* reason, Effects& effects)
{
    state_ = State::finished;
    effects.close(reason);
}

InboundProxy::InboundProxy(const Settings& settings) noexcept
    : settings_(settings), client_window_(settings.receive_window)
{
}

void InboundProxy::on_first_pdu(const Rts& pdu, Effects& effects)
{
    assert(state_ == State::open_start);
    handle(first, Leg::client, pdu, effects);
}

const char* InboundProxy::on_successor(const Rts& pdu, Effects& effects)
{
    const auto* const rule = find_rule<InboundProxy>(rules_, first, vc_known, pdu);
    if (!rule)
        return "the virtual connection has an IN channel already";
    return (this->*rule->act)(Leg::successor, pdu, effects);
}

void InboundProxy::on_client_rts(const Rts& pdu, Effects& effects)
{
    handle(request, Leg::client, pdu, effects);
}

void InboundProxy::on_server_rts(const Rts& pdu, Effects& effects)
{
    handle(leg, Leg::server, pdu, effects);
}

// Establishment, 3.2.1.5.3.1.

const char* InboundProxy::on_conn_b1(Leg, const Rts& pdu, Effects& effects)
{
    RtsFields fields(pdu);
    fields.version();
    virtual_connection_ = fields.cookie();
    channel_ = fields.cookie();
    fields.channel_lifetime(); // no protocol significance (2.2.4.5): the Content-Length bounds the channel
    client_keepalive_ = clamp_client_keepalive(fields.client_keepalive());
    association_group_ = fields.association_group();
    if (virtual_connection_.zero() || channel_.zero())
        return "CONN/B1 with an all-zero cookie";
    state_ = State::connecting;
    effects.connect_server();
    return nullptr;
}

void InboundProxy::on_server_connected(const ClientAddress& client, Effects& effects)
{
    assert(state_ == State::connecting);
    effects.keep_alive(client_keepalive_);
    if (recycles_) {
        state_ = State::wait_b2;
        effects.send(Leg::server, RtsBuilder(RtsId::in_r1_a2)
                                      .version()
                                      .cookie(virtual_connection_)
                                      .cookie(other_)
                                      .cookie(channel_)
                                      .receive_window(settings_.receive_window)
                                      .connection_timeout(settings_.connection_timeout)
                                      .done());
        return;
    }
    state_ = State::b3w;
    effects.send(Leg::server, RtsBuilder(RtsId::conn_b2)
                                  .version()
                                  .cookie(virtual_connection_)
                                  .cookie(channel_)
                                  .receive_window(settings_.receive_window)
                                  .connection_timeout(settings_.connection_timeout)
                                  .association_group(association_group_)
                                  .client_address(client)
                                  .done());
}

const char* InboundProxy::on_conn_b3(Leg, const Rts& pdu, Effects& effects)
{
    if (recycles_)
        return "CONN/B3 where IN_R1/B2 is due";
    return open(RtsFields(pdu).receive_window(), effects);
}

/// The server's window is known: unplug.
const char* InboundProxy::open(std::uint32_t window, Effects& effects)
{
    if (unplugged_)
        return "the server announces its window twice";
    server_window_ = SendWindow(window);
    unplugged_ = true;
    if (state_ != State::draining) {
        state_ = State::opened;
        effects.opened();
    }
    effects.flow(Leg::server);
    return nullptr;
}

// What is legal at any time. 3.2.3.5 forgets to list it.

const char* InboundProxy::on_ping(Leg, const Rts&, Effects&)
{
    return nullptr;
}

const char* InboundProxy::on_keep_alive(Leg, const Rts& pdu, Effects& effects)
{
    client_keepalive_ = clamp_client_keepalive(RtsFields(pdu).client_keepalive());
    effects.keep_alive(client_keepalive_);
    return nullptr;
}

const char* InboundProxy::on_forward(Leg, const Rts& pdu, Effects& effects)
{
    effects.send(Leg::server, encode(pdu));
    return nullptr;
}

const char* InboundProxy::on_acknowledgement(Leg, const Rts& pdu, Effects& effects)
{
    RtsFields fields(pdu);
    if (pdu.destination())
        fields.destination();
    const FlowControlAck ack = fields.flow_control_ack();
    // It is for this leg, whatever the cookie: in IN_R2 the leg and its counters stay while the channel's name
    // changes, perhaps several times before this PDU arrives, and the last acknowledgement must not be missed.
    if (!unplugged_)
        return "the server acknowledges before it has announced its window";
    if (server_window_.acknowledged(ack.bytes_received, ack.available_window) == SendWindow::Ack::invalid)
        return "server acknowledged more than it was sent";
    effects.flow(Leg::server);
    return nullptr;
}

// The data phase.

const char* InboundProxy::on_client_rpc(std::uint32_t size) noexcept
{
    // C2 can overtake B3, and A4 B2, so RPC PDUs are legal while the channel is plugged (4.3).
    if (!overlap(static_cast<RoleState>(state_), legs_up))
        return "RPC PDU from the client before the channel was established or after its end";
    largest_pdu_ = std::max(largest_pdu_, size);
    client_window_.received(size);
    if (doubted_ && client_window_.advertised() < 0) {
        overrun_ = true;
        doubted_ = false;
    }
    return nullptr;
}

void InboundProxy::on_consumed(std::uint32_t size, Effects& effects)
{
    const std::uint32_t of_predecessors = std::min(size, carried_);
    carried_ -= of_predecessors;
    client_window_.consumed(size - of_predecessors);
    // After A5 the client sends nothing more on the predecessor and needs no room there.
    if (client_window_.ack_due() && !doubted_ && !overrun_ && state_ != State::draining)
        acknowledge(effects);
}

bool InboundProxy::client_may_wait() const noexcept
{
    if (overrun_ || !reads_client())
        return false;
    return doubted_ ? client_window_.ack_due() && client_window_.advertised() < largest_pdu_
                    : client_window_.sender_may_wait();
}

void InboundProxy::on_silence(Effects& effects)
{
    if (!client_may_wait())
        return;
    doubted_ = false;
    acknowledge(effects);
}

void InboundProxy::acknowledge(Effects& effects)
{
    client_window_.acknowledge();
    effects.send(Leg::server,
                 RtsBuilder(addressed_ack)
                     .destination(Destination::client)
                     .flow_control_ack({client_window_.bytes_received(), client_window_.available(), channel_})
                     .done());
}

} // namespace rpch
