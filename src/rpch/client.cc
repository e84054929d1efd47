#include "rpch/client.h"

#include "rpch/rts_builder.h"
#include "rpch/rts_fields.h"
#include "rpch/rts_table.h"

#include <cassert>

namespace rpch {

Client::Cookies Client::Cookies::random()
{
    return {Cookie::random(), Cookie::random(), Cookie::random(), Cookie::random()};
}

Client::Client(const Settings& settings, const Cookies& cookies) noexcept
    : settings_(settings), cookies_(cookies), out_window_(settings.receive_window)
{
    assert(settings.client_keepalive != 0);
}

void Client::on_in_request(Effects& effects)
{
    assert(in_body_sent_ == 0);
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

void Client::on_success_response(Effects& effects)
{
    if (state_ != State::out_channel_wait)
        return fail("second response on the OUT channel", effects);
    state_ = State::a3w;
}

void Client::on_out_rts(const Rts& pdu, Effects& effects)
{
    // A Ping can come at any time, even between CONN/A3 and CONN/C2, and needs no answer.
    switch (state_) {
    case State::out_channel_wait:
        return fail("RTS PDU before the response of the OUT channel", effects);
    case State::a3w:
        if (pdu.is(RtsId::ping))
            return;
        return on_conn_a3(pdu, effects);
    case State::c2w:
        if (pdu.is(RtsId::ping))
            return;
        return on_conn_c2(pdu, effects);
    case State::opened:
        if (pdu.is(RtsId::ping))
            return;
        if (pdu.is(RtsId::flow_control_ack_with_destination))
            return on_acknowledgement(pdu, effects);
        if (pdu.is(RtsId::out_r1_a2)) {
            recycling_asked_ = true;
            return;
        }
        return fail("RTS PDU that the outbound proxy may not send now", effects);
    case State::finished:
        return;
    }
}

void Client::on_conn_a3(const Rts& pdu, Effects& effects)
{
    RtsFields fields(pdu);
    const std::uint32_t timeout = fields.connection_timeout();
    if (!pdu.is(RtsId::conn_a3) || !fields.done())
        return fail("first PDU of the OUT response is not CONN/A3", effects);
    connection_timeout_ = timeout;
    state_ = State::c2w;
}

void Client::on_conn_c2(const Rts& pdu, Effects& effects)
{
    RtsFields fields(pdu);
    fields.version();
    const std::uint32_t window = fields.receive_window();
    const std::uint32_t timeout = fields.connection_timeout();
    if (!pdu.is(RtsId::conn_c2) || !fields.done())
        return fail("CONN/A3 is not followed by CONN/C2", effects);
    in_window_ = SendWindow(window);
    connection_timeout_ = timeout;
    state_ = State::opened;
    effects.opened();
}

void Client::on_acknowledgement(const Rts& pdu, Effects& effects)
{
    RtsFields fields(pdu);
    const Destination destination = fields.destination();
    const FlowControlAck ack = fields.flow_control_ack();
    if (destination != Destination::client)
        return fail("acknowledgement for another receiver than the client", effects);
    if (ack.channel != cookies_.in_channel)
        return; // for a channel that is no more: normal, 3.2.1.5.1.2
    if (in_window_.acknowledged(ack.bytes_received, ack.available_window) == SendWindow::Ack::invalid)
        return fail("the inbound proxy acknowledged more than it was sent", effects);
    effects.flow(Leg::in);
}

const char* Client::on_out_rpc(std::uint32_t size) noexcept
{
    if (state_ != State::opened) {
        state_ = State::finished;
        return "RPC PDU before CONN/C2";
    }
    out_window_.received(size);
    return nullptr;
}

void Client::on_consumed(std::uint32_t size, Effects& effects)
{
    out_window_.consumed(size);
    if (!out_window_.ack_due())
        return;
    out_window_.acknowledge();
    send_in(RtsBuilder(RtsId::flow_control_ack_with_destination)
                .destination(Destination::outbound_proxy)
                .flow_control_ack({out_window_.bytes_received(), out_window_.available(), cookies_.out_channel})
                .done(),
            effects);
}

void Client::sent(std::uint32_t size) noexcept
{
    assert(lifetime_admits(size));
    in_window_.sent(size);
    in_body_sent_ += size;
}

void Client::on_idle(Effects& effects)
{
    if (state_ == State::opened)
        send_in(RtsBuilder(RtsId::ping).done(), effects);
}

void Client::send_in(const RtsBytes& pdu, Effects& effects)
{
    if (!lifetime_admits(pdu.size))
        return fail("lifetime of the IN channel is used up", effects);
    in_body_sent_ += pdu.size;
    effects.send(Leg::in, pdu);
}

void Client::fail(const char* reason, Effects& effects)
{
    state_ = State::finished;
    effects.close(reason);
}

} // namespace rpch
