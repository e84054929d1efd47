#include "rpch/inbound_proxy.h"

#include "rpch/rts_builder.h"
#include "rpch/rts_fields.h"
#include "rpch/rts_table.h"

#include <algorithm>
#include <cassert>

namespace rpch {

InboundProxy::InboundProxy(const Settings& settings) noexcept
    : settings_(settings), client_window_(settings.receive_window)
{
}

void InboundProxy::on_first_pdu(const Rts& pdu, Effects& effects)
{
    assert(state_ == State::open_start);
    RtsFields fields(pdu);
    fields.version();
    virtual_connection_ = fields.cookie();
    channel_ = fields.cookie();
    fields.channel_lifetime(); // no protocol significance (2.2.4.5): the Content-Length bounds the channel
    client_keepalive_ = clamp_client_keepalive(fields.client_keepalive());
    association_group_ = fields.association_group();
    if (!pdu.is(RtsId::conn_b1) || !fields.done())
        return effects.close("first PDU of the IN channel is not CONN/B1");
    if (virtual_connection_.zero() || channel_.zero())
        return effects.close("CONN/B1 with an all-zero cookie");
    state_ = State::connecting;
    effects.connect_server();
}

void InboundProxy::on_server_connected(const ClientAddress& client, Effects& effects)
{
    assert(state_ == State::connecting);
    state_ = State::b3w;
    effects.keep_alive(client_keepalive_);
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

void InboundProxy::on_client_rts(const Rts& pdu, Effects& effects)
{
    // Ping, Keep-Alive and acknowledgements are legal in every state after CONN/B1 (3.2.3.5 forgets them).
    if (pdu.is(RtsId::ping))
        return;
    if (pdu.is(RtsId::keep_alive)) {
        client_keepalive_ = clamp_client_keepalive(RtsFields(pdu).client_keepalive());
        return effects.keep_alive(client_keepalive_);
    }
    if (pdu.is(RtsId::flow_control_ack_with_destination)) {
        RtsFields fields(pdu);
        const Destination destination = fields.destination();
        const FlowControlAck ack = fields.flow_control_ack();
        if (destination != Destination::outbound_proxy)
            return effects.close("acknowledgement from the client for another receiver than the outbound proxy");
        if (state_ != State::b3w && state_ != State::opened)
            return effects.close("acknowledgement from the client before the channel was established");
        return effects.send(Leg::server, RtsBuilder(RtsId::flow_control_ack_with_destination)
                                             .destination(destination)
                                             .flow_control_ack(ack)
                                             .done());
    }
    effects.close("RTS PDU that the client may not send on the IN channel");
}

void InboundProxy::on_server_rts(const Rts& pdu, Effects& effects)
{
    if (state_ == State::b3w && pdu.is(RtsId::conn_b3)) {
        server_window_ = SendWindow(RtsFields(pdu).receive_window());
        state_ = State::opened;
        effects.opened();
        return effects.flow(Leg::server);
    }
    if (state_ == State::opened && pdu.is(RtsId::flow_control_ack)) {
        const FlowControlAck ack = RtsFields(pdu).flow_control_ack();
        if (ack.channel != channel_)
            return; // for a channel that is no more: normal, 3.2.1.5.1.2
        if (server_window_.acknowledged(ack.bytes_received, ack.available_window) == SendWindow::Ack::invalid)
            return effects.close("server acknowledged more than it was sent");
        return effects.flow(Leg::server);
    }
    effects.close("RTS PDU that the server may not send on the IN channel now");
}

const char* InboundProxy::on_client_rpc(std::uint32_t size) noexcept
{
    // C2 can overtake B3, so RPC PDUs are legal while the channel is plugged (4.3).
    if (state_ != State::b3w && state_ != State::opened)
        return "RPC PDU from the client before the channel was established";
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
    client_window_.consumed(size);
    if (client_window_.ack_due() && !doubted_ && !overrun_)
        acknowledge(effects);
}

bool InboundProxy::stall_suspected() const noexcept
{
    return doubted_ && client_window_.ack_due() && client_window_.advertised() < largest_pdu_;
}

void InboundProxy::on_stall(Effects& effects)
{
    if (!stall_suspected())
        return;
    doubted_ = false;
    acknowledge(effects);
}

void InboundProxy::acknowledge(Effects& effects)
{
    client_window_.acknowledge();
    effects.send(Leg::server, RtsBuilder(RtsId::flow_control_ack_with_destination)
                                  .destination(Destination::client)
                                  .flow_control_ack({client_window_.bytes_received(), client_window_.available(), channel_})
                                  .done());
}

} // namespace rpch
