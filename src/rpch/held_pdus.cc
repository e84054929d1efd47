#include "rpch/held_pdus.h"

#include "rpch/rts_fields.h"
#include "rpch/rts_table.h"

namespace rpch {
namespace {

/// The channel that an acknowledgement is for; zero for other PDUs.
Cookie acknowledged_channel(const Rts& pdu)
{
    if (!pdu.is(RtsId::flow_control_ack_with_destination))
        return {};
    RtsFields fields(pdu);
    fields.destination();
    return fields.flow_control_ack().channel;
}

} // namespace

bool HeldPdus::hold(const Rts& pdu)
{
    const Cookie channel = acknowledged_channel(pdu);
    for (RtsBytes& held : pdus_) {
        Rts earlier;
        if (!channel.zero() && decode(held, earlier).ok() && acknowledged_channel(earlier) == channel) {
            held = encode(pdu);
            return true;
        }
    }
    if (pdus_.size() == limit)
        return false;
    pdus_.push_back(encode(pdu));
    return true;
}

} // namespace rpch
