#include "rpch/acknowledgement.h"

#include "rpch/rts_fields.h"
#include "rpch/rts_table.h"

namespace rpch {

bool supersedes(const Rts& newer, const Rts& older)
{
    const bool addressed = newer.is(RtsId::flow_control_ack_with_destination);
    const RtsId kind = addressed ? RtsId::flow_control_ack_with_destination : RtsId::flow_control_ack;
    if (!newer.is(kind) || !older.is(kind))
        return false;
    RtsFields of_newer(newer);
    RtsFields of_older(older);
    if (addressed && of_newer.destination() != of_older.destination())
        return false;
    return of_newer.flow_control_ack().channel == of_older.flow_control_ack().channel;
}

} // namespace rpch
