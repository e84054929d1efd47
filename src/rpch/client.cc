#include "rpch/client.h"

#include "rpch/rts_builder.h"
#include "rpch/rts_fields.h"

#include <algorithm>
#include <cassert>

namespace rpch {

using enum RoleState;
using enum Where;

// The automaton. Client states name the virtual connection until it is Opened, then both virtual channels at
// once. A PDU that answers a successor which was given up meanwhile comes in Opened, and is not heeded.
constexpr RoleState opened = in_opened | opened_a4w | out_opened | opened_a6w | opened_a10w | b3w;

const Rule<Client> Client::rules_[] = {
    {response, wait_a3w, RtsId::conn_a3, &Client::on_conn_a3},
    {response, wait_c2, RtsId::conn_c2, &Client::on_conn_c2},

    {response, opened_a4w, RtsId::in_r1_a4, &Client::on_in_r1_a4},
    {response, opened_a4w, RtsId::in_r2_a4, &Client::on_in_r2_a4},
    {response, in_opened, RtsId::in_r1_a4, &Client::on_late_a4},
    {response, in_opened, RtsId::in_r2_a4, &Client::on_late_a4},

    {response, out_opened, RtsId::out_r1_a2, &Client::on_out_rx_a2},
    {response, opened_a6w, RtsId::out_r1_a6, &Client::on_out_r1_a6},
    {response, opened_a10w, RtsId::out_r1_a10, &Client::on_out_r1_a10},
    {response, opened_a6w, RtsId::out_r2_a6, &Client::on_out_r2_a6},
    {response, b3w, RtsId::out_r2_b3, &Client::on_out_r2_b3},
    {response, out_opened, RtsId::out_r1_a6, &Client::on_late_a6},
    {response, out_opened, RtsId::out_r2_a6, &Client::on_late_a6},

    {response, wait_a3w | wait_c2 | opened, RtsId::ping, &Client::on_ping},
    {response, opened, RtsId::flow_control_ack_with_destination, &Client::on_acknowledgement, Destination::client},
    {response, opened, RtsId::flow_control_ack, &Client::on_acknowledgement},
};

std::optional<RtsId> Client::recognise(Where where, RoleState states, const Rts& pdu) noexcept
{
    // The answer to an echo request belongs to no virtual connection.
    if (where == response && overlap(states, echo_wait) && pdu.is(RtsId::echo))
        return RtsId::echo;
    const Rule<Client>* const rule = find_rule<Client>(rules_, where, states, pdu);
    return rule ? std::optional(rule->pdu) : std::nullopt;
}

RoleState Client::states() const noexcept
{
    switch (state_) {
    case State::a3w: return wait_a3w;
    case State::c2w: return wait_c2;
    case State::opened: return in_state_ | out_state_;
    case State::out_channel_wait:
    case State::finished: break;
    }
    return none;
}

void Client::on_out_rts(const Rts& pdu, Effects& effects)
{
    if (state_ == State::finished)
        return;
    if (!out_answered_)
        return fail("RTS PDU before the response of the OUT channel", effects);
    const auto* const rule = find_rule<Client>(rules_, response, states(), pdu);
    const char* const out_of_place = state_ == State::a3w   ? "first PDU of the OUT response is not CONN/A3"
                                     : state_ == State::c2w ? "CONN/A3 is not followed by CONN/C2"
                                                            : "RTS PDU that the outbound proxy may not send now";
    if (const char* const error = rule ? (this->*rule->act)(Leg::out, pdu, effects) : out_of_place)
        return fail(error, effects);
    recycle_if_due(effects);
}

void Client::fail(const char* reason, Effects& effects)
{
    state_ = State::finished;
    effects.close(reason);
}

Client::Cookies Client::Cookies::random()
{
    return {Cookie::random(), Cookie::random(), Cookie::random(), Cookie::random()};
}

Client::Client(const Settings& settings, const Cookies& cookies) noexcept
    : settings_(settings), cookies_(cookies), out_window_(settings.receive_window)
{
    assert(settings.client_keepalive != 0);
    in_.channel = cookies.in_channel;
    in_.lifetime = lifetime();
}

// Establishment, 3.2.1.5.3.1.

void Client::on_in_request(Effects& effects)
{
    assert(in_.lifetime.used() == 0);
    send_in(RtsBuilder(RtsId::conn_b1)
                .version(1)
                .cookie(cookies_.virtual_connection)
                .cookie(cookies_.in_channel)
                .channel_lifetime(settings_.in_lifetime)
                .client_keepalive(settings_.client_keepalive)
                .association_group(cookies_.association_group)
                .done(),
            effects);
}

void Client::on_out_request(Effects& effects)
{
    assert(state_ == State::out_channel_wait);
    effects.send(Leg::out, RtsBuilder(RtsId::conn_a1)
                               .version(1)
                               .cookie(cookies_.virtual_connection)
                               .cookie(cookies_.out_channel)
                               .receive_window(settings_.receive_window)
                               .done());
}

void Client::on_success_response(Effects& effects, Leg leg)
{
    bool& answered = leg == Leg::out ? out_answered_ : successor_answered_;
    if (answered)
        return fail("second response on the OUT channel", effects);
    answered = true;
    if (state_ == State::out_channel_wait)
        state_ = State::a3w;
}

const char* Client::on_conn_a3(Leg, const Rts& pdu, Effects&)
{
    connection_timeout_ = RtsFields(pdu).connection_timeout();
    state_ = State::c2w;
    return nullptr;
}

const char* Client::on_conn_c2(Leg, const Rts& pdu, Effects& effects)
{
    RtsFields fields(pdu);
    fields.version();
    in_.window = SendWindow(fields.receive_window());
    connection_timeout_ = fields.connection_timeout();
    state_ = State::opened;
    effects.opened();
    return nullptr;
}

// What is legal at any time.

const char* Client::on_ping(Leg, const Rts&, Effects&)
{
    return nullptr; // and needs no answer (4.10)
}

const char* Client::on_acknowledgement(Leg, const Rts& pdu, Effects& effects)
{
    RtsFields fields(pdu);
    if (pdu.destination())
        fields.destination();
    const FlowControlAck ack = fields.flow_control_ack();
    const bool of_predecessor = in_plugged_ && ack.channel == in_other_.channel;
    if (ack.channel != in_.channel && !of_predecessor)
        return nullptr; // for a channel that is no more: normal, 3.2.1.5.1.2
    InLeg& leg = of_predecessor ? in_other_ : in_;
    if (leg.window.acknowledged(ack.bytes_received, ack.available_window) == SendWindow::Ack::invalid)
        return "the inbound proxy acknowledged more than it was sent";
    effects.flow(of_predecessor ? Leg::in_predecessor : Leg::in);
    return nullptr;
}

// The data phase.

const char* Client::on_out_rpc(std::uint32_t size) noexcept
{
    if (state_ != State::opened || !out_answered_) {
        state_ = State::finished;
        return "RPC PDU before CONN/C2 or before the response of the OUT channel";
    }
    out_window_.received(size);
    return nullptr;
}

void Client::on_consumed(std::uint32_t size, Effects& effects)
{
    const std::uint32_t of_predecessors = std::min(size, carried_);
    carried_ -= of_predecessors;
    out_window_.consumed(size - of_predecessors);
    acknowledge_if_due(effects);
    recycle_if_due(effects);
}

void Client::acknowledge_if_due(Effects& effects)
{
    // What is left of a channel that is being replaced belongs to the replacement: acknowledgements can wait.
    static constexpr std::uint32_t sequence_bytes = 256;
    const InLeg& leg = in_plugged_ ? in_other_ : in_;
    if (!out_window_.ack_due() || (settings_.recycle && !leg.lifetime.fits(sequence_bytes)))
        return;
    out_window_.acknowledge();
    send_in(RtsBuilder(RtsId::flow_control_ack_with_destination)
                .destination(Destination::outbound_proxy)
                .flow_control_ack({out_window_.bytes_received(), out_window_.available(), cookies_.out_channel})
                .done(),
            effects);
}

void Client::sent(std::uint32_t size, Leg leg) noexcept
{
    InLeg& to = leg == Leg::in ? in_ : in_other_;
    assert(to.lifetime.fits(size));
    to.window.sent(size);
    to.lifetime.count(size);
}

void Client::on_idle(Effects& effects)
{
    if (state_ == State::opened)
        send_in(RtsBuilder(RtsId::ping).done(), effects);
    recycle_if_due(effects);
}

/// Until IN_Rx/A5 has left, the predecessor is the channel that RTS PDUs use.
void Client::send_in(const RtsBytes& pdu, Effects& effects)
{
    InLeg& to = in_plugged_ ? in_other_ : in_;
    const std::uint32_t to_come = in_state_ == RoleState::opened_a4w ? a5_size : 0;
    if (!to.lifetime.fits(pdu.size + to_come))
        return fail("lifetime of the IN channel is used up", effects);
    to.lifetime.count(pdu.size);
    effects.send(in_plugged_ ? Leg::in_predecessor : Leg::in, pdu);
}

} // namespace rpch
