#include "rpch/outbound_proxy.h"

#include "rpch/rts_builder.h"
#include "rpch/rts_fields.h"

#include <cassert>

namespace rpch {

using enum RoleState;
using enum Where;

// The automaton. A PDU with a Destination for another role is passed on byte for byte (3.2.1.5.2).
//
// The server can begin its next recycling before the last PDU of this one has come from the client, hence
// A1 in A11W and R2C1W; B2 can come before C1 (3.2.4.5.12 lists B1W only).
constexpr RoleState opened = out_opened | opened_b2w;
constexpr RoleState waits_for_b1 = b1_or_c1w | b1w;
constexpr RoleState legs_up = c1w | a11w | opened | waits_for_b1 | r2c1w;

/// An acknowledgement with a Destination.
constexpr RtsId addressed_ack = RtsId::flow_control_ack_with_destination;

const Rule<OutboundProxy> OutboundProxy::rules_[] = {
    {first, vc_unknown, RtsId::conn_a1, &OutboundProxy::on_conn_a1},
    {leg, c1w, RtsId::conn_c1, &OutboundProxy::on_conn_c1},

    {leg, out_opened | a11w | r2c1w, RtsId::out_r1_a1, &OutboundProxy::on_rx_a1},

    {first, vc_unknown, RtsId::out_r1_a3, &OutboundProxy::on_r1_a3},
    {leg, out_opened, RtsId::out_r1_a5, &OutboundProxy::on_forward},
    {leg, out_opened, RtsId::out_r1_a9, &OutboundProxy::on_r1_a9},
    {request, a11w, RtsId::out_r1_a11, &OutboundProxy::on_r1_a11},

    {first, vc_known, RtsId::out_r2_a3, &OutboundProxy::on_r2_a3},
    {leg, waits_for_b1, RtsId::out_r2_a5, &OutboundProxy::on_forward},
    {leg, waits_for_b1, RtsId::out_r2_b1, &OutboundProxy::on_r2_b1},
    {leg, waits_for_b1, RtsId::out_r2_b2, &OutboundProxy::on_r2_b2},
    {request, b1_or_c1w | r2c1w, RtsId::out_r2_c1, &OutboundProxy::on_r2_c1},
    {leg, opened_b2w, RtsId::out_r2_a5, &OutboundProxy::on_swallow},
    {leg, opened_b2w, RtsId::out_r2_b1, &OutboundProxy::on_late_b1},
    {leg, opened_b2w, RtsId::out_r2_b2, &OutboundProxy::on_late_b2},

    {leg, legs_up, RtsId::in_r1_a3, &OutboundProxy::on_forward},
    {leg, legs_up, RtsId::in_r2_a3, &OutboundProxy::on_forward},
    {leg, legs_up, addressed_ack, &OutboundProxy::on_forward, Destination::client},
    {leg, legs_up | draining, addressed_ack, &OutboundProxy::on_acknowledgement, Destination::outbound_proxy},
    {leg, legs_up | draining, RtsId::flow_control_ack, &OutboundProxy::on_acknowledgement},
};

std::optional<RtsId> OutboundProxy::recognise(Where where, RoleState states, const Rts& pdu) noexcept
{
    const Rule<OutboundProxy>* const rule = find_rule<OutboundProxy>(rules_, where, states, pdu);
    return rule ? std::optional(rule->pdu) : std::nullopt;
}

void OutboundProxy::handle(Where where, Leg from, const Rts& pdu, Effects& effects)
{
    static constexpr const char* out_of_place[] = {
        "first PDU of the OUT channel is neither CONN/A1 nor OUT_R1/A3",
        "RTS PDU that the client may not send on the OUT channel now",
        "RTS PDU that the server may not send on the OUT channel now",
    };
    const auto* const rule = find_rule<OutboundProxy>(rules_, where, static_cast<RoleState>(state_), pdu);
    const char* const error =
        rule ? (this->*rule->act)(from, pdu, effects) : out_of_place[static_cast<std::size_t>(where)];
    if (error)
        fail(error, effects);
}

void OutboundProxy::fail(const char* reason, Effects& effects)
{
    state_ = State::finished;
    effects.close(reason);
}

OutboundProxy::OutboundProxy(const Settings& settings) noexcept
    : settings_(settings), server_window_(settings.receive_window)
{
}

bool OutboundProxy::established() const noexcept
{
    return overlap(static_cast<RoleState>(state_), opened | waits_for_b1 | r2c1w);
}

void OutboundProxy::on_first_pdu(const Rts& pdu, Effects& effects)
{
    assert(state_ == State::open_start);
    handle(first, Leg::client, pdu, effects);
}

const char* OutboundProxy::on_successor(const Rts& pdu, Effects& effects)
{
    const auto* const rule = find_rule<OutboundProxy>(rules_, first, vc_known, pdu);
    if (!rule)
        return "the virtual connection has an OUT channel already";
    return (this->*rule->act)(Leg::successor, pdu, effects);
}

void OutboundProxy::on_client_rts(Leg from, const Rts& pdu, Effects& effects)
{
    handle(request, from, pdu, effects);
}

void OutboundProxy::on_server_rts(const Rts& pdu, Effects& effects)
{
    handle(leg, Leg::server, pdu, effects);
}

// Establishment, 3.2.1.5.3.1.

const char* OutboundProxy::on_conn_a1(Leg, const Rts& pdu, Effects& effects)
{
    RtsFields fields(pdu);
    fields.version();
    virtual_connection_ = fields.cookie();
    client_.channel = fields.cookie();
    client_.window = SendWindow(fields.receive_window());
    if (virtual_connection_.zero() || client_.channel.zero())
        return "CONN/A1 with an all-zero cookie";
    state_ = State::connecting;
    effects.connect_server();
    return nullptr;
}

void OutboundProxy::on_server_connected(Effects& effects)
{
    assert(state_ == State::connecting);
    if (recycles_) {
        state_ = State::a11w;
        effects.send(Leg::server, RtsBuilder(RtsId::out_r1_a4)
                                      .version()
                                      .cookie(virtual_connection_)
                                      .cookie(other_->channel)
                                      .cookie(client_.channel)
                                      .channel_lifetime(settings_.channel_lifetime)
                                      .receive_window(settings_.receive_window)
                                      .connection_timeout(settings_.connection_timeout)
                                      .done());
        other_.reset();
        return;
    }
    state_ = State::c1w;
    // A server in this process answers CONN/A2 at once, and CONN/C2 must not overtake the head.
    respond(effects);
    if (!send_client(RtsBuilder(RtsId::conn_a3).connection_timeout(settings_.connection_timeout).done(), effects))
        return;
    effects.send(Leg::server, RtsBuilder(RtsId::conn_a2)
                                  .version()
                                  .cookie(virtual_connection_)
                                  .cookie(client_.channel)
                                  .channel_lifetime(settings_.channel_lifetime)
                                  .receive_window(settings_.receive_window)
                                  .done());
}

const char* OutboundProxy::on_conn_c1(Leg, const Rts& pdu, Effects& effects)
{
    state_ = State::opened;
    if (send_client(encode(pdu), effects)) // C2 has the bytes of C1
        effects.opened();
    return nullptr;
}

// What is legal at any time.

const char* OutboundProxy::on_forward(Leg, const Rts& pdu, Effects& effects)
{
    // Nothing but the server's answer may follow CONN/C2: FreeRDP drops the connection. And nothing may be
    // written on a successor before its head.
    const bool between_c2_and_answer = state_ == State::opened && !server_answered_;
    if (!between_c2_and_answer && client_.responded && state_ != State::c1w) {
        send_client(encode(pdu), effects);
        return nullptr;
    }
    return held_.hold(pdu) ? nullptr : "too many RTS PDUs for a client that cannot get them yet";
}

const char* OutboundProxy::on_acknowledgement(Leg, const Rts& pdu, Effects& effects)
{
    RtsFields fields(pdu);
    if (pdu.destination())
        fields.destination();
    const FlowControlAck ack = fields.flow_control_ack();
    const bool of_predecessor = is_other_ == Other::predecessor && ack.channel == other_->channel;
    if (ack.channel != client_.channel && !of_predecessor)
        return nullptr; // for a channel that is no more: normal, 3.2.1.5.1.2
    doubted_ = false;
    SendWindow& window = of_predecessor ? other_->window : client_.window;
    if (window.acknowledged(ack.bytes_received, ack.available_window) == SendWindow::Ack::invalid)
        return "client acknowledged more than it was sent";
    effects.flow(of_predecessor ? Leg::predecessor : Leg::client);
    return nullptr;
}

// The data phase.

const char* OutboundProxy::on_server_rpc(std::uint32_t size, Effects& effects)
{
    if (!hears_server())
        return "RPC PDU from the server before the channel was established or after its end";
    server_window_.received(size);
    if (!server_answered_) {
        server_answered_ = true;
        release_held(effects);
    }
    return nullptr;
}

void OutboundProxy::on_consumed(std::uint32_t size, Effects& effects)
{
    server_window_.consumed(size);
    if (server_window_.ack_due() && hears_server())
        acknowledge(effects);
}

void OutboundProxy::on_silence(Effects& effects)
{
    if (server_may_wait())
        acknowledge(effects);
}

void OutboundProxy::acknowledge(Effects& effects)
{
    server_window_.acknowledge();
    effects.send(Leg::server,
                 RtsBuilder(RtsId::flow_control_ack)
                     .flow_control_ack({server_window_.bytes_received(), server_window_.available(), client_.channel})
                     .done());
}

void OutboundProxy::on_idle(Effects& effects)
{
    const bool between_c2_and_answer = state_ == State::opened && !server_answered_;
    const bool over = state_ == State::draining || state_ == State::finished;
    if (!client_.responded || over || between_c2_and_answer || doubted_)
        return;
    const RtsBytes ping = RtsBuilder(RtsId::ping).done();
    if (!send_client(ping, effects))
        return;
    unreported_ping_bytes_ += ping.size;
    if (unreported_ping_bytes_ > ping_notify_threshold) {
        effects.send(Leg::server,
                     RtsBuilder(RtsId::ping_traffic_sent_notify).ping_traffic_sent(unreported_ping_bytes_).done());
        unreported_ping_bytes_ = 0;
    }
}

void OutboundProxy::doubt_client() noexcept
{
    doubted_ = true;
    client_.window.lift();
}

void OutboundProxy::respond(Effects& effects)
{
    client_.responded = true;
    effects.respond(Leg::client, settings_.channel_lifetime);
}

/// False: it does not fit into the Content-Length, and the channel has ended.
bool OutboundProxy::send_client(const RtsBytes& pdu, Effects& effects)
{
    if (!lifetime_admits(pdu.size)) {
        fail("lifetime of the OUT channel is used up", effects);
        return false;
    }
    client_.body_sent += pdu.size;
    effects.send(Leg::client, pdu);
    return true;
}

void OutboundProxy::release_held(Effects& effects)
{
    if (held_.empty() || !client_.responded)
        return;
    for (const RtsBytes& pdu : held_.release())
        if (!send_client(pdu, effects))
            return;
}

} // namespace rpch
