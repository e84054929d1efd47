#include "rpch/server.h"

#include "rpch/rts_builder.h"
#include "rpch/rts_fields.h"
#include "rpch/rts_table.h"

namespace rpch {

Server::Server(std::uint32_t receive_window) noexcept : in_window_(receive_window) {}

void Server::on_in_rts(const Rts& pdu, Effects& effects)
{
    if (pdu.is(RtsId::conn_b2))
        return on_conn_b2(pdu, effects);
    if (state_ == State::opened && pdu.is(RtsId::flow_control_ack_with_destination)) {
        RtsFields fields(pdu);
        const Destination destination = fields.destination();
        const FlowControlAck ack = fields.flow_control_ack();
        // The inbound proxy cannot reach the client or the outbound proxy but through the server (3.2.1.5.2).
        if (destination == Destination::client || destination == Destination::outbound_proxy)
            return effects.send(
                Leg::out,
                RtsBuilder(RtsId::flow_control_ack_with_destination).destination(destination).flow_control_ack(ack).done());
    }
    effects.close("RTS PDU that the inbound proxy may not send now");
}

void Server::on_out_rts(const Rts& pdu, Effects& effects)
{
    if (pdu.is(RtsId::conn_a2))
        return on_conn_a2(pdu, effects);
    if (pdu.is(RtsId::ping_traffic_sent_notify) && (state_ == State::b2w || state_ == State::opened))
        return; // counts towards the lifetime of the OUT channel only
    if (state_ == State::opened && pdu.is(RtsId::flow_control_ack)) {
        const FlowControlAck ack = RtsFields(pdu).flow_control_ack();
        if (ack.channel != out_channel_)
            return; // for a channel that is no more: normal, 3.2.1.5.1.2
        if (out_window_.acknowledged(ack.bytes_received, ack.available_window) == SendWindow::Ack::invalid)
            return effects.close("outbound proxy acknowledged more than it was sent");
        return effects.flow(Leg::out);
    }
    effects.close("RTS PDU that the outbound proxy may not send now");
}

void Server::on_conn_a2(const Rts& pdu, Effects& effects)
{
    if (state_ != State::open_start && state_ != State::a2w)
        return effects.close("second CONN/A2 for the virtual connection");
    RtsFields fields(pdu);
    fields.version();
    fields.cookie(); // the virtual connection, by which the caller found this object
    out_channel_ = fields.cookie();
    fields.channel_lifetime();
    out_window_ = SendWindow(fields.receive_window());
    if (state_ == State::a2w)
        return establish(effects);
    state_ = State::b2w;
}

void Server::on_conn_b2(const Rts& pdu, Effects& effects)
{
    if (state_ != State::open_start && state_ != State::b2w)
        return effects.close("second CONN/B2 for the virtual connection");
    RtsFields fields(pdu);
    fields.version();
    fields.cookie(); // the virtual connection, by which the caller found this object
    in_channel_ = fields.cookie();
    inbound_proxy_window_ = fields.receive_window();
    inbound_proxy_timeout_ = fields.connection_timeout();
    if (state_ == State::b2w)
        return establish(effects);
    state_ = State::a2w;
}

void Server::establish(Effects& effects)
{
    state_ = State::opened;
    effects.send(Leg::out, RtsBuilder(RtsId::conn_c1)
                               .version()
                               .receive_window(inbound_proxy_window_)
                               .connection_timeout(inbound_proxy_timeout_)
                               .done());
    effects.send(Leg::in, RtsBuilder(RtsId::conn_b3).receive_window(in_window_.announced()).version().done());
    effects.opened();
}

const char* Server::on_in_rpc(std::uint32_t size) noexcept
{
    if (state_ != State::opened)
        return "RPC PDU on the IN channel before the virtual connection was established";
    in_window_.received(size);
    return nullptr;
}

void Server::on_consumed(std::uint32_t size, Effects& effects)
{
    in_window_.consumed(size);
    if (!in_window_.ack_due())
        return;
    in_window_.acknowledge();
    effects.send(Leg::in, RtsBuilder(RtsId::flow_control_ack)
                              .flow_control_ack({in_window_.bytes_received(), in_window_.available(), in_channel_})
                              .done());
}

} // namespace rpch
