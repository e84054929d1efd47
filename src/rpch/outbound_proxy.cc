#include "rpch/outbound_proxy.h"

#include "rpch/rts_builder.h"
#include "rpch/rts_fields.h"
#include "rpch/rts_table.h"

#include <cassert>

namespace rpch {
namespace {

RtsBytes ack_for_client(const FlowControlAck& ack)
{
    return RtsBuilder(RtsId::flow_control_ack_with_destination)
        .destination(Destination::client)
        .flow_control_ack(ack)
        .done();
}

} // namespace

OutboundProxy::OutboundProxy(const Settings& settings) noexcept
    : settings_(settings), server_window_(settings.receive_window)
{
}

void OutboundProxy::on_first_pdu(const Rts& pdu, Effects& effects)
{
    assert(state_ == State::open_start);
    RtsFields fields(pdu);
    fields.version();
    virtual_connection_ = fields.cookie();
    channel_ = fields.cookie();
    const std::uint32_t window = fields.receive_window();
    if (!pdu.is(RtsId::conn_a1) || !fields.done())
        return effects.close("first PDU of the OUT channel is not CONN/A1");
    if (virtual_connection_.zero() || channel_.zero())
        return effects.close("CONN/A1 with an all-zero cookie");
    client_window_ = SendWindow(window);
    state_ = State::connecting;
    effects.connect_server();
}

void OutboundProxy::on_server_connected(Effects& effects)
{
    assert(state_ == State::connecting);
    state_ = State::c1w;
    // A server in this process answers CONN/A2 at once, and CONN/C2 must not overtake the head.
    effects.respond(settings_.channel_lifetime);
    send_client(RtsBuilder(RtsId::conn_a3).connection_timeout(settings_.connection_timeout).done(), effects);
    effects.send(Leg::server, RtsBuilder(RtsId::conn_a2)
                                  .version()
                                  .cookie(virtual_connection_)
                                  .cookie(channel_)
                                  .channel_lifetime(settings_.channel_lifetime)
                                  .receive_window(settings_.receive_window)
                                  .done());
}

void OutboundProxy::on_server_rts(const Rts& pdu, Effects& effects)
{
    if (state_ == State::c1w && pdu.is(RtsId::conn_c1)) {
        RtsFields fields(pdu);
        fields.version();
        const std::uint32_t window = fields.receive_window();
        const std::uint32_t timeout = fields.connection_timeout();
        state_ = State::opened;
        send_client(RtsBuilder(RtsId::conn_c2).version().receive_window(window).connection_timeout(timeout).done(), effects);
        return effects.opened();
    }
    if (state_ == State::opened && pdu.is(RtsId::flow_control_ack_with_destination)) {
        RtsFields fields(pdu);
        const Destination destination = fields.destination();
        const FlowControlAck ack = fields.flow_control_ack();
        if (destination == Destination::client) {
            // Nothing but the server's answer may follow CONN/C2: FreeRDP drops the connection. Figures are
            // cumulative, so only the latest is kept.
            if (!server_answered_) {
                held_ack_ = ack;
                return;
            }
            return send_client(ack_for_client(ack), effects);
        }
        if (destination == Destination::outbound_proxy) {
            if (ack.channel != channel_)
                return; // for a channel that is no more: normal, 3.2.1.5.1.2
            doubted_ = false;
            if (client_window_.acknowledged(ack.bytes_received, ack.available_window) == SendWindow::Ack::invalid)
                return effects.close("client acknowledged more than it was sent");
            return effects.flow(Leg::client);
        }
        return effects.close("acknowledgement from the server for another receiver");
    }
    effects.close("RTS PDU that the server may not send on the OUT channel now");
}

const char* OutboundProxy::on_server_rpc(std::uint32_t size, Effects& effects)
{
    if (state_ != State::opened)
        return "RPC PDU from the server before CONN/C1";
    server_window_.received(size);
    if (!server_answered_) {
        server_answered_ = true;
        if (held_ack_)
            send_client(ack_for_client(*held_ack_), effects);
        held_ack_.reset();
    }
    return nullptr;
}

void OutboundProxy::sent(std::uint32_t size) noexcept
{
    client_window_.sent(size);
    body_sent_ += size;
}

void OutboundProxy::on_consumed(std::uint32_t size, Effects& effects)
{
    server_window_.consumed(size);
    if (!server_window_.ack_due())
        return;
    server_window_.acknowledge();
    effects.send(Leg::server, RtsBuilder(RtsId::flow_control_ack)
                                  .flow_control_ack({server_window_.bytes_received(), server_window_.available(), channel_})
                                  .done());
}

void OutboundProxy::on_idle(Effects& effects)
{
    const bool between_c2_and_answer = state_ == State::opened && !server_answered_;
    if ((state_ != State::c1w && state_ != State::opened) || between_c2_and_answer || doubted_)
        return;
    const RtsBytes ping = RtsBuilder(RtsId::ping).done();
    if (!lifetime_admits(ping.size))
        return effects.close("lifetime of the OUT channel is used up");
    send_client(ping, effects);
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
    client_window_.lift();
}

void OutboundProxy::send_client(const RtsBytes& pdu, Effects& effects)
{
    body_sent_ += pdu.size;
    effects.send(Leg::client, pdu);
}

} // namespace rpch
