#include "rpch/outbound_proxy.h"

#include "rpch/lifetime.h"
#include "rpch/rts_builder.h"
#include "rpch/rts_fields.h"

#include <utility>

namespace rpch {

/// OUT_R1/A1 or OUT_R2/A1: the server wants a new OUT channel.
const char* OutboundProxy::on_rx_a1(Leg from, const Rts& pdu, Effects& effects)
{
    // A client that cannot recycle would fail on A2: the channel ends with its lifetime instead.
    if (doubted_)
        return nullptr;
    asked_ = true;
    return on_forward(from, pdu, effects);
}

void OutboundProxy::use_up(Effects& effects)
{
    // More than what this proxy sent and the server does not know of: CONN/A3, and pings not reported yet.
    static constexpr std::uint32_t unknown = 2048;
    const Lifetime as_server(settings_.channel_lifetime, Lifetime::server_reserve, Lifetime::largest_rpc_pdu);
    const std::uint64_t due = as_server.due() + unknown;
    if (state_ != State::opened || doubted_ || asked_ || client_.body_sent >= due)
        return;
    const auto rest = static_cast<std::uint32_t>(due - client_.body_sent);
    effects.send(Leg::server, RtsBuilder(RtsId::ping_traffic_sent_notify).ping_traffic_sent(rest).done());
}

// OUT channel recycling 1, 3.2.1.5.3.4: the successor is on another node.

/// The successor.
const char* OutboundProxy::on_r1_a3(Leg, const Rts& pdu, Effects& effects)
{
    RtsFields fields(pdu);
    fields.version();
    virtual_connection_ = fields.cookie();
    other_ = std::make_unique<ClientLeg>(ClientLeg{.channel = fields.cookie(), .window = {}});
    client_.channel = fields.cookie();
    client_.window = SendWindow(fields.receive_window());
    if (virtual_connection_.zero() || other_->channel.zero() || client_.channel.zero())
        return "OUT_R1/A3 with an all-zero cookie";
    if (other_->channel == client_.channel)
        return "OUT_R1/A3 with the same cookie for predecessor and successor";
    recycles_ = true;
    server_answered_ = true; // CONN/C2 was long ago
    state_ = State::connecting;
    effects.connect_server();
    return nullptr;
}

const char* OutboundProxy::on_r1_a11(Leg from, const Rts&, Effects& effects)
{
    if (from != Leg::client)
        return "OUT_R1/A11 on another request than the successor";
    state_ = State::opened;
    respond(effects);
    release_held(effects);
    effects.opened();
    effects.flow(Leg::client);
    return nullptr;
}

/// The predecessor: what waits, A10, the end.
const char* OutboundProxy::on_r1_a9(Leg, const Rts&, Effects& effects)
{
    const RtsBytes a10 = RtsBuilder(RtsId::out_r1_a10).ance().done();
    if (!lifetime_admits(a10.size))
        return "lifetime of the OUT channel is used up";
    client_.body_sent += a10.size;
    state_ = State::draining;
    effects.send_last(Leg::client, a10);
    effects.finish("recycled: the OUT channel goes on elsewhere");
    return nullptr;
}

// OUT channel recycling 2, 3.2.1.5.3.5: the successor is on this node.

const char* OutboundProxy::on_r2_a3(Leg, const Rts& pdu, Effects& effects)
{
    RtsFields fields(pdu);
    fields.version();
    const Cookie virtual_connection = fields.cookie();
    const Cookie predecessor = fields.cookie();
    const Cookie successor = fields.cookie();
    const std::uint32_t window = fields.receive_window();
    if (state_ != State::opened)
        return "OUT_R2/A3 while the OUT channel is not Opened";
    if (!asked_)
        return "OUT_R2/A3, but the server has not asked for a new OUT channel";
    if (is_other_ != Other::none)
        return "OUT_R2/A3 while an earlier predecessor still has PDUs to deliver";
    if (virtual_connection != virtual_connection_ || predecessor != client_.channel)
        return "OUT_R2/A3 names another predecessor than the default OUT channel";
    if (successor.zero() || successor == predecessor)
        return "OUT_R2/A3 with an unusable cookie for the successor";
    other_ = std::make_unique<ClientLeg>(ClientLeg{.channel = successor, .window = SendWindow(window)});
    if (client_.window.lifted())
        other_->window.lift();
    is_other_ = Other::successor;
    asked_ = false;
    state_ = State::b1_or_c1w;
    effects.send(Leg::server, RtsBuilder(RtsId::out_r2_a4).cookie(successor).done());
    return nullptr;
}

const char* OutboundProxy::on_r2_b1(Leg, const Rts&, Effects& effects)
{
    const RtsBytes b3 = RtsBuilder(RtsId::out_r2_b3).ance().done();
    if (!lifetime_admits(b3.size))
        return "lifetime of the OUT channel is used up";
    client_.body_sent += b3.size;
    std::swap(client_, *other_);
    is_other_ = Other::predecessor;
    unreported_ping_bytes_ = 0; // pings of the predecessor do not shorten the successor's life
    effects.promote(Leg::client);
    effects.send_last(Leg::predecessor, b3);
    if (state_ == State::b1_or_c1w) {
        state_ = State::r2c1w;
        return nullptr;
    }
    state_ = State::opened;
    respond(effects);
    effects.flow(Leg::client);
    return nullptr;
}

const char* OutboundProxy::on_r2_c1(Leg from, const Rts&, Effects& effects)
{
    if (state_ == State::b1_or_c1w) {
        if (from != Leg::successor)
            return "OUT_R2/C1 on another request than the successor";
        state_ = State::b1w;
        return nullptr;
    }
    if (from != Leg::client)
        return "OUT_R2/C1 on another request than the successor";
    state_ = State::opened;
    respond(effects);
    release_held(effects);
    effects.flow(Leg::client);
    return nullptr;
}

const char* OutboundProxy::on_r2_b2(Leg, const Rts&, Effects& effects)
{
    abandon_successor();
    state_ = State::opened;
    effects.drop(Leg::successor);
    return nullptr;
}

// The successor was lost after A4. Nothing can tell the server: it will refuse, or the client goes on with
// the successor that is no more, and then the channel cannot be saved.

const char* OutboundProxy::on_swallow(Leg, const Rts&, Effects&)
{
    return nullptr;
}

const char* OutboundProxy::on_late_b1(Leg, const Rts&, Effects&)
{
    return "OUT_R2/B1, but the successor is gone";
}

const char* OutboundProxy::on_late_b2(Leg, const Rts&, Effects&)
{
    state_ = State::opened;
    return nullptr;
}

void OutboundProxy::abandon_successor() noexcept
{
    state_ = State::opened_b2w;
    is_other_ = Other::none;
    other_.reset();
}

void OutboundProxy::on_drained(Leg leg) noexcept
{
    if (leg != Leg::predecessor)
        return;
    is_other_ = Other::none;
    other_.reset();
}

void OutboundProxy::on_closed(Leg leg, Effects& effects)
{
    if (state_ == State::finished)
        return;
    if (leg == Leg::successor) {
        if (is_other_ == Other::successor)
            abandon_successor();
        return;
    }
    // After A9 the server has said everything; what waits for the client still goes there.
    if (leg == Leg::server && state_ == State::draining)
        return;
    if (leg == Leg::predecessor && is_other_ != Other::predecessor)
        return;
    fail(leg == Leg::server ? "the server closed the OUT channel" : "the client closed the OUT channel", effects);
}

void OutboundProxy::on_timeout(Effects& effects)
{
    if (!awaits())
        return;
    if (state_ == State::draining)
        return fail("the client did not take the rest of the predecessor", effects);
    if (is_other_ != Other::successor)
        return fail("the OUT channel was not established within the time limit", effects);
    abandon_successor();
    effects.drop(Leg::successor);
}

} // namespace rpch
