#include "rpch/server.h"

#include "rpch/rts_builder.h"
#include "rpch/rts_fields.h"

namespace rpch {

using enum RoleState;
using enum Where;

// The automaton. Server states name the virtual connection until it is Opened, then both virtual channels at
// once. `in_leg` and `out_leg` are the default legs, `in_other` and `out_other` the others. A PDU with a
// Destination for another role is passed on byte for byte: the only way between the proxies, and from the
// inbound proxy to the client, leads through here (3.2.1.5.2).
constexpr RoleState meeting_over = in_opened | a6w | opened_b1w;
constexpr RoleState any = a2w | b2w | meeting_over | out_opened | opened_a4w | opened_a8w | opened_r2a8w;

/// An acknowledgement with a Destination.
constexpr RtsId addressed_ack = RtsId::flow_control_ack_with_destination;

const Rule<Server> Server::rules_[] = {
    {first, vc_unknown | a2w, RtsId::conn_a2, &Server::on_conn_a2},
    {first, vc_unknown | b2w, RtsId::conn_b2, &Server::on_conn_b2},

    {first, in_opened, RtsId::in_r1_a2, &Server::on_in_r1_a2},
    {in_leg, a6w, RtsId::in_r1_a6, &Server::on_in_r1_a6},
    {in_leg, opened_b1w, RtsId::in_r1_b1, &Server::on_in_r1_b1},
    {in_leg, in_opened, RtsId::in_r2_a2, &Server::on_in_r2_a2},

    // The client sends A7 on its default IN channel, which may be a successor that the server has yet to promote.
    {first, opened_a4w, RtsId::out_r1_a4, &Server::on_out_r1_a4},
    {in_leg, opened_a8w, RtsId::out_r1_a8, &Server::on_out_r1_a8},
    {in_other, opened_a8w, RtsId::out_r1_a8, &Server::on_out_r1_a8},
    {out_leg, opened_a4w, RtsId::out_r2_a4, &Server::on_out_r2_a4},
    {in_leg, opened_r2a8w, RtsId::out_r2_a8, &Server::on_out_r2_a8},
    {in_other, opened_r2a8w, RtsId::out_r2_a8, &Server::on_out_r2_a8},

    {in_leg, any, RtsId::ping, &Server::on_ping},
    {in_other, any, RtsId::ping, &Server::on_ping},
    {out_leg, any, RtsId::ping, &Server::on_ping},
    {out_other, any, RtsId::ping, &Server::on_ping},
    {out_leg, any, RtsId::ping_traffic_sent_notify, &Server::on_ping_traffic},
    {out_other, any, RtsId::ping_traffic_sent_notify, &Server::on_ping_traffic},
    {in_leg, any, RtsId::flow_control_ack, &Server::on_ping}, // nothing is sent there that could be acknowledged
    {in_other, any, RtsId::flow_control_ack, &Server::on_ping},
    {out_leg, any, RtsId::flow_control_ack, &Server::on_acknowledgement},
    {out_other, any, RtsId::flow_control_ack, &Server::on_acknowledgement},
    {in_leg, meeting_over, addressed_ack, &Server::on_forward_out, Destination::client},
    {in_other, meeting_over, addressed_ack, &Server::on_forward_out, Destination::client},
    {in_leg, meeting_over, addressed_ack, &Server::on_forward_out, Destination::outbound_proxy},
    {in_other, meeting_over, addressed_ack, &Server::on_forward_out, Destination::outbound_proxy},
    {out_leg, meeting_over, addressed_ack, &Server::on_forward_in, Destination::inbound_proxy},
    {out_other, meeting_over, addressed_ack, &Server::on_forward_in, Destination::inbound_proxy},
};

std::optional<RtsId> Server::recognise(Where where, RoleState states, const Rts& pdu) noexcept
{
    const Rule<Server>* const rule = find_rule<Server>(rules_, where, states, pdu);
    return rule ? std::optional(rule->pdu) : std::nullopt;
}

RoleState Server::states() const noexcept
{
    return vc_ == State::opened ? in_state_ | out_state_ : static_cast<RoleState>(vc_);
}

void Server::handle(Where where, Leg from, const Rts& pdu, Effects& effects)
{
    const auto* const rule = find_rule<Server>(rules_, where, states(), pdu);
    const char* const out_of_place = where == in_leg || where == in_other
                                         ? "RTS PDU that the inbound proxy may not send now"
                                         : "RTS PDU that the outbound proxy may not send now";
    if (const char* const error = rule ? (this->*rule->act)(from, pdu, effects) : out_of_place)
        return fail(error, effects);
    recycle_if_due(effects);
}

void Server::fail(const char* reason, Effects& effects)
{
    vc_ = State::finished;
    effects.close(reason);
}

void Server::on_in_rts(Leg from, const Rts& pdu, Effects& effects)
{
    handle(from == Leg::in ? in_leg : in_other, from, pdu, effects);
}

void Server::on_out_rts(Leg from, const Rts& pdu, Effects& effects)
{
    handle(from == Leg::out ? out_leg : out_other, from, pdu, effects);
}

// Establishment, 3.2.1.5.3.1. The cookie of the virtual connection is the caller's, who found this object by it.

Server::Admission Server::on_newcomer(const Rts& pdu, Effects& effects)
{
    const auto* const rule = find_rule<Server>(rules_, first, states(), pdu);
    if (!rule)
        return {"first PDU that is not legal now for the virtual connection", Leg::in};
    const char* const refusal = (this->*rule->act)(Leg::in, pdu, effects);
    if (rule->pdu == RtsId::conn_a2)
        return {refusal, Leg::out};
    if (rule->pdu == RtsId::conn_b2)
        return {refusal, Leg::in};
    return {refusal, rule->pdu == RtsId::in_r1_a2 ? Leg::in_successor : Leg::out_successor};
}

const char* Server::on_conn_a2(Leg, const Rts& pdu, Effects& effects)
{
    RtsFields fields(pdu);
    fields.version();
    fields.cookie();
    out_.channel = fields.cookie();
    if (out_.channel.zero())
        return "CONN/A2 with an all-zero cookie";
    out_.lifetime = lifetime(fields.channel_lifetime());
    out_.window = SendWindow(fields.receive_window());
    if (vc_ == State::a2w)
        establish(effects);
    else
        vc_ = State::b2w;
    return nullptr;
}

const char* Server::on_conn_b2(Leg, const Rts& pdu, Effects& effects)
{
    RtsFields fields(pdu);
    fields.version();
    fields.cookie();
    in_.channel = fields.cookie();
    if (in_.channel.zero())
        return "CONN/B2 with an all-zero cookie";
    in_.proxy_window = fields.receive_window();
    in_.proxy_timeout = fields.connection_timeout();
    if (vc_ == State::b2w)
        establish(effects);
    else
        vc_ = State::a2w;
    return nullptr;
}

void Server::establish(Effects& effects)
{
    vc_ = State::opened;
    in_window_ = ReceiveWindow(settings_.receive_window);
    send_out(RtsBuilder(RtsId::conn_c1)
                 .version()
                 .receive_window(in_.proxy_window)
                 .connection_timeout(in_.proxy_timeout)
                 .done(),
             effects);
    effects.send(Leg::in, RtsBuilder(RtsId::conn_b3).receive_window(in_window_.announced()).version().done());
    effects.opened();
}

// What is legal at any time.

const char* Server::on_ping(Leg, const Rts&, Effects&)
{
    return nullptr;
}

const char* Server::on_ping_traffic(Leg from, const Rts& pdu, Effects&)
{
    if (OutLeg* const leg = at(from))
        leg->lifetime.count(RtsFields(pdu).ping_traffic_sent());
    return nullptr;
}

const char* Server::on_acknowledgement(Leg from, const Rts& pdu, Effects& effects)
{
    const FlowControlAck ack = RtsFields(pdu).flow_control_ack();
    OutLeg* const leg = at(from);
    // It is for this leg, whatever the cookie: in OUT_R2 the leg and its counters stay while the channel's
    // name changes.
    if (from == Leg::out ? vc_ != State::opened : is_other_ != Other::predecessor)
        return nullptr;
    if (leg->window.acknowledged(ack.bytes_received, ack.available_window) == SendWindow::Ack::invalid)
        return "outbound proxy acknowledged more than it was sent";
    effects.flow(from);
    return nullptr;
}

/// Acknowledgements for the client or the outbound proxy. Those for a predecessor go to it: it may need
/// them to deliver what waits there.
const char* Server::on_forward_out(Leg, const Rts& pdu, Effects& effects)
{
    RtsFields fields(pdu);
    const Destination destination = fields.destination();
    if (destination == Destination::outbound_proxy && is_other_ == Other::predecessor &&
        fields.flow_control_ack().channel == out_other_->channel)
        effects.send(Leg::out_predecessor, encode(pdu));
    else
        send_out(encode(pdu), effects);
    return nullptr;
}

const char* Server::on_forward_in(Leg, const Rts& pdu, Effects& effects)
{
    effects.send(Leg::in, encode(pdu));
    return nullptr;
}

/// RTS PDUs shorten the life of the OUT channel like all others.
void Server::send_out(const RtsBytes& pdu, Effects& effects)
{
    out_.lifetime.count(pdu.size);
    effects.send(Leg::out, pdu);
}

// The data phase.

const char* Server::on_in_rpc(Leg from, std::uint32_t size) noexcept
{
    if (vc_ != State::opened)
        return "RPC PDU on the IN channel before the virtual connection was established";
    if (from != Leg::in)
        return "RPC PDU on a successor of the IN channel before IN_R1/B2";
    in_window_.received(size);
    return nullptr;
}

void Server::on_consumed(std::uint32_t size, Effects& effects)
{
    const std::uint32_t of_predecessors = std::min(size, carried_);
    carried_ -= of_predecessors;
    in_window_.consumed(size - of_predecessors);
    if (in_window_.ack_due())
        acknowledge(effects);
}

void Server::on_silence(Effects& effects)
{
    if (proxy_may_wait())
        acknowledge(effects);
}

void Server::acknowledge(Effects& effects)
{
    in_window_.acknowledge();
    effects.send(Leg::in, RtsBuilder(RtsId::flow_control_ack)
                              .flow_control_ack({in_window_.bytes_received(), in_window_.available(), in_.channel})
                              .done());
}

} // namespace rpch
