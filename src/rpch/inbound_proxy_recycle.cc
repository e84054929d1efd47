#include "rpch/inbound_proxy.h"

#include "rpch/rts_builder.h"
#include "rpch/rts_fields.h"

#include <utility>

namespace rpch {

// IN channel recycling 1, 3.2.1.5.3.2: the successor is on another node.

/// The successor.
const char* InboundProxy::on_r1_a1(Leg, const Rts& pdu, Effects& effects)
{
    RtsFields fields(pdu);
    fields.version();
    virtual_connection_ = fields.cookie();
    other_ = fields.cookie();
    channel_ = fields.cookie();
    if (virtual_connection_.zero() || channel_.zero() || other_.zero())
        return "IN_R1/A1 with an all-zero cookie";
    if (channel_ == other_)
        return "IN_R1/A1 with the same cookie for predecessor and successor";
    recycles_ = true;
    state_ = State::connecting;
    effects.connect_server();
    return nullptr;
}

const char* InboundProxy::on_r1_b2(Leg, const Rts& pdu, Effects& effects)
{
    if (!recycles_)
        return "IN_R1/B2 where CONN/B3 is due";
    return open(RtsFields(pdu).receive_window(), effects);
}

/// The predecessor: A6, what waits, B1, the end.
const char* InboundProxy::on_r1_a5(Leg, const Rts& pdu, Effects& effects)
{
    const Cookie successor = RtsFields(pdu).cookie();
    if (successor.zero())
        return "IN_R1/A5 with an all-zero cookie";
    if (successor == announced_)
        return "IN_R2/A5, but its successor is gone";
    state_ = State::draining;
    effects.send(Leg::server, RtsBuilder(RtsId::in_r1_a6).cookie(successor).done());
    effects.send_last(Leg::server, RtsBuilder(RtsId::in_r1_b1).empty().done());
    effects.finish("recycled: the IN channel goes on elsewhere");
    return nullptr;
}

// IN channel recycling 2, 3.2.1.5.3.3: the successor is on this node.

const char* InboundProxy::on_r2_a1(Leg, const Rts& pdu, Effects& effects)
{
    RtsFields fields(pdu);
    fields.version();
    const Cookie virtual_connection = fields.cookie();
    const Cookie predecessor = fields.cookie();
    const Cookie successor = fields.cookie();
    if (state_ != State::opened)
        return "IN_R2/A1 while the IN channel is not Opened";
    if (virtual_connection != virtual_connection_ || predecessor != channel_)
        return "IN_R2/A1 names another predecessor than the default IN channel";
    if (successor.zero() || successor == predecessor)
        return "IN_R2/A1 with an unusable cookie for the successor";
    // The default cookie changes with A5 only, so that acknowledgements still name the predecessor.
    other_ = announced_ = successor;
    state_ = State::opened_a5w;
    effects.send(Leg::server, RtsBuilder(RtsId::in_r2_a2).cookie(successor).done());
    return nullptr;
}

const char* InboundProxy::on_r2_a5(Leg, const Rts& pdu, Effects& effects)
{
    state_ = State::opened;
    if (RtsFields(pdu).cookie() != other_) { // no protocol error: 3.2.3.5.8
        abandon_successor();
        effects.drop(Leg::successor);
        return nullptr;
    }
    std::swap(channel_, other_);
    announced_ = {};
    carried_ += client_window_.held();
    client_window_ = ReceiveWindow(settings_.receive_window);
    effects.promote(Leg::client);
    effects.drop(Leg::predecessor);
    return nullptr;
}

/// Back to Opened with the predecessor. The server keeps the cookie of the successor; see `announced_`.
void InboundProxy::abandon_successor() noexcept
{
    state_ = State::opened;
    other_ = {};
}

void InboundProxy::on_closed(Leg leg, Effects& effects)
{
    if (state_ == State::finished || leg == Leg::predecessor)
        return;
    if (leg == Leg::successor) {
        if (state_ == State::opened_a5w)
            abandon_successor();
        return;
    }
    // After A5 the client has said everything; what waits for the server still goes there.
    if (leg == Leg::client && state_ == State::draining)
        return;
    fail(leg == Leg::client ? "the client closed the IN channel" : "the server closed the IN channel", effects);
}

void InboundProxy::on_timeout(Effects& effects)
{
    if (!awaits())
        return;
    if (state_ == State::draining)
        return fail("the server did not take the rest of the predecessor", effects);
    if (state_ != State::opened_a5w)
        return fail("the IN channel was not established within the time limit", effects);
    abandon_successor();
    effects.drop(Leg::successor);
}

} // namespace rpch
