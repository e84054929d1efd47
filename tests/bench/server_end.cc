#include "bench/server_end.h"

#include "rpch/rts_builder.h"
#include "rpch/rts_fields.h"

namespace bench {
namespace {

constexpr std::uint32_t connection_timeout = 120'000;

} // namespace

void RpchServerEnd::on_rts(Leg leg, const rpch::Rts& pdu, rpch::Effects& effects)
{
    if (leg == Leg::in || leg == Leg::in_successor)
        role_.on_in_rts(leg, pdu, effects);
    else
        role_.on_out_rts(leg, pdu, effects);
}

const char* RpchServerEnd::on_rpc(Leg leg, std::uint32_t size)
{
    if (leg == Leg::in || leg == Leg::in_successor)
        return role_.on_in_rpc(leg, size);
    return rpch::Server::on_out_rpc();
}

void RpchServerEnd::sent(std::uint32_t size, rpch::Effects& effects)
{
    role_.sent(size);
    if (role_.recycling_due())
        role_.recycle_out(effects);
}

ServerEnd::Admission PairServerEnd::on_newcomer(const rpch::Rts& pdu, rpch::Effects& effects)
{
    rpch::RtsFields fields(pdu);
    const Leg leg = pdu.is(rpch::RtsId::conn_a1) ? Leg::out : Leg::in;
    if (leg == Leg::out && !out_known_) {
        fields.version();
        fields.cookie();
        out_channel_ = fields.cookie();
        out_window_ = rpch::SendWindow(fields.receive_window());
        out_known_ = true;
        effects.send(Leg::out, rpch::RtsBuilder(rpch::RtsId::conn_a3).connection_timeout(connection_timeout).done());
    } else if (pdu.is(rpch::RtsId::conn_b1) && !in_known_) {
        fields.version();
        fields.cookie();
        in_channel_ = fields.cookie();
        in_known_ = true;
    } else {
        return {"first PDU that the client may not send now", leg};
    }
    if (in_known_ && out_known_)
        effects.send(Leg::out, rpch::RtsBuilder(rpch::RtsId::conn_c2)
                                   .version()
                                   .receive_window(in_window_.announced())
                                   .connection_timeout(connection_timeout)
                                   .done());
    return {nullptr, leg};
}

void PairServerEnd::on_rts(Leg leg, const rpch::Rts& pdu, rpch::Effects& effects)
{
    if (leg != Leg::in || !pdu.is(rpch::RtsId::flow_control_ack_with_destination))
        return effects.close("RTS PDU that the client may not send now");
    rpch::RtsFields fields(pdu);
    fields.destination();
    const rpch::FlowControlAck ack = fields.flow_control_ack();
    if (out_window_.acknowledged(ack.bytes_received, ack.available_window) == rpch::SendWindow::Ack::invalid)
        return effects.close("the client acknowledged more than it was sent");
    effects.flow(Leg::out);
}

const char* PairServerEnd::on_rpc(Leg, std::uint32_t size)
{
    in_window_.received(size);
    return in_known_ && out_known_ ? nullptr : "RPC PDU before CONN/C2";
}

void PairServerEnd::on_consumed(std::uint32_t size, rpch::Effects& effects)
{
    in_window_.consumed(size);
    if (!in_window_.ack_due())
        return;
    in_window_.acknowledge();
    effects.send(rpch::Leg::out, rpch::RtsBuilder(rpch::RtsId::flow_control_ack_with_destination)
                                     .destination(rpch::Destination::client)
                                     .flow_control_ack({in_window_.bytes_received(), in_window_.available(), in_channel_})
                                     .done());
}

} // namespace bench
