#include "rpch/server.h"

#include "rpch/rts_builder.h"
#include "rpch/rts_fields.h"

#include <utility>

namespace rpch {

Lifetime Server::lifetime(std::uint32_t bytes) const noexcept
{
    Lifetime life(bytes, Lifetime::server_reserve, settings_.largest_pdu);
    if (!settings_.recycle || doubted_)
        life.lift();
    return life;
}

Server::Recycling& Server::recycling()
{
    if (!recycling_)
        recycling_ = std::make_unique<Recycling>();
    return *recycling_;
}

// IN channel recycling 1, 3.2.1.5.3.2.

const char* Server::on_in_r1_a2(Leg, const Rts& pdu, Effects& effects)
{
    RtsFields fields(pdu);
    fields.version();
    fields.cookie();
    const Cookie predecessor = fields.cookie();
    const Cookie successor = fields.cookie();
    const Cookie& before = recycling().in_before;
    if (predecessor != in_.channel && (predecessor != before || before.zero()))
        return "IN_R1/A2 names another predecessor than the default IN channel";
    if (successor.zero() || successor == predecessor)
        return "IN_R1/A2 with an unusable cookie for the successor";
    InLeg& leg = recycling().in_successor;
    leg.channel = successor;
    leg.proxy_window = fields.receive_window();
    leg.proxy_timeout = fields.connection_timeout();
    in_state_ = RoleState::a6w;
    send_out(RtsBuilder(RtsId::in_r1_a3)
                 .destination(Destination::client)
                 .version()
                 .receive_window(leg.proxy_window)
                 .connection_timeout(leg.proxy_timeout)
                 .done(),
             effects);
    return nullptr;
}

const char* Server::on_in_r1_a6(Leg, const Rts& pdu, Effects&)
{
    if (RtsFields(pdu).cookie() != recycling().in_successor.channel)
        return "IN_R1/A6 names another successor than IN_R1/A2";
    in_state_ = RoleState::opened_b1w;
    return nullptr;
}

const char* Server::on_in_r1_b1(Leg, const Rts&, Effects& effects)
{
    in_state_ = RoleState::in_opened;
    in_ = recycling().in_successor;
    recycling().in_before = {};
    carried_ += in_window_.held();
    in_window_ = ReceiveWindow(settings_.receive_window);
    effects.promote(Leg::in);
    effects.drop(Leg::in_predecessor);
    effects.send(Leg::in, RtsBuilder(RtsId::in_r1_b2).receive_window(in_window_.announced()).done());
    return nullptr;
}

// IN channel recycling 2, 3.2.1.5.3.3: the leg stays.

const char* Server::on_in_r2_a2(Leg, const Rts& pdu, Effects& effects)
{
    const Cookie successor = RtsFields(pdu).cookie();
    if (successor.zero())
        return "IN_R2/A2 with an all-zero cookie";
    recycling().in_before = std::exchange(in_.channel, successor);
    send_out(RtsBuilder(RtsId::in_r2_a3).destination(Destination::client).done(), effects);
    return nullptr;
}

// OUT channel recycling, 3.2.1.5.3.4 and .5: where the client's next request lands decides which.

bool Server::recycle_out(Effects& effects)
{
    if (!recycles())
        return false;
    out_state_ = RoleState::opened_a4w;
    send_out(RtsBuilder(RtsId::out_r1_a1).destination(Destination::client).done(), effects);
    return true;
}

void Server::recycle_if_due(Effects& effects)
{
    if (recycling_due())
        recycle_out(effects);
}

const char* Server::on_out_r1_a4(Leg, const Rts& pdu, Effects& effects)
{
    RtsFields fields(pdu);
    fields.version();
    fields.cookie();
    const Cookie predecessor = fields.cookie();
    const Cookie successor = fields.cookie();
    const std::uint32_t bytes = fields.channel_lifetime();
    const std::uint32_t window = fields.receive_window();
    const std::uint32_t timeout = fields.connection_timeout();
    if (predecessor != out_.channel)
        return "OUT_R1/A4 names another predecessor than the default OUT channel";
    if (successor.zero() || successor == predecessor)
        return "OUT_R1/A4 with an unusable cookie for the successor";
    // The client has had A10 of an earlier recycling, or it could not be at A3: that predecessor is done.
    if (is_other_ == Other::predecessor)
        effects.drop(Leg::out_predecessor);
    out_other_ = std::make_unique<OutLeg>(OutLeg{successor, SendWindow(window), lifetime(bytes)});
    is_other_ = Other::successor;
    out_state_ = RoleState::opened_a8w;
    send_out(RtsBuilder(RtsId::out_r1_a5).destination(Destination::client).version().connection_timeout(timeout).done(),
             effects);
    return nullptr;
}

const char* Server::on_out_r1_a8(Leg, const Rts& pdu, Effects& effects)
{
    RtsFields fields(pdu);
    fields.destination();
    if (fields.cookie() != out_other_->channel)
        return "OUT_R1/A8 names another successor than OUT_R1/A4";
    std::swap(out_, *out_other_);
    is_other_ = Other::predecessor;
    out_drained_ = false;
    out_state_ = RoleState::out_opened;
    effects.promote(Leg::out);
    effects.send_last(Leg::out_predecessor, RtsBuilder(RtsId::out_r1_a9).ance().done());
    effects.flow(Leg::out);
    return nullptr;
}

const char* Server::on_out_r2_a4(Leg, const Rts& pdu, Effects& effects)
{
    const Cookie next = RtsFields(pdu).cookie();
    recycling().out_next = next;
    if (next.zero() || next == out_.channel)
        return "OUT_R2/A4 with an unusable cookie for the successor";
    out_state_ = RoleState::opened_r2a8w;
    send_out(RtsBuilder(RtsId::out_r2_a5).destination(Destination::client).ance().done(), effects);
    return nullptr;
}

const char* Server::on_out_r2_a8(Leg, const Rts& pdu, Effects& effects)
{
    RtsFields fields(pdu);
    fields.destination();
    if (fields.cookie() != recycling().out_next) {
        effects.send(Leg::out, RtsBuilder(RtsId::out_r2_b2).negative_ance().done());
        fail("OUT_R2/A8 names another successor than OUT_R2/A4", effects);
        return nullptr;
    }
    out_state_ = RoleState::out_opened;
    out_.channel = recycling().out_next;
    // No lifetime is announced: it is that of CONN/A2 again. The window goes on, as the leg does.
    out_.lifetime = lifetime(out_.lifetime.total());
    effects.send(Leg::out, RtsBuilder(RtsId::out_r2_b1).ance().done());
    effects.flow(Leg::out);
    return nullptr;
}

void Server::doubt_client(Effects& effects)
{
    doubted_ = true;
    lift_lifetime(effects);
}

/// The OUT channel stays what it is and is used to its end.
void Server::keep_predecessor(Effects& effects)
{
    out_state_ = RoleState::out_opened;
    lift_lifetime(effects);
}

/// What stood still for the limit goes on.
void Server::lift_lifetime(Effects& effects)
{
    out_.lifetime.lift();
    effects.flow(Leg::out);
}

void Server::forget_other() noexcept
{
    is_other_ = Other::none;
    out_other_.reset();
}

void Server::on_drained(Leg leg) noexcept
{
    if (leg == Leg::out_predecessor)
        out_drained_ = true;
}

void Server::on_closed(Leg leg, Effects& effects)
{
    if (vc_ == State::finished)
        return;
    if (leg == Leg::in_predecessor)
        return;
    if (leg == Leg::in_successor && in_state_ == RoleState::a6w) {
        in_state_ = RoleState::in_opened;
        return;
    }
    if (leg == Leg::out_successor && out_state_ == RoleState::opened_a8w) {
        forget_other();
        return keep_predecessor(effects);
    }
    if (leg == Leg::out_predecessor && out_drained_) {
        forget_other();
        return;
    }
    const bool in = leg == Leg::in || leg == Leg::in_successor;
    fail(in ? "the inbound proxy closed the IN channel" : "the outbound proxy closed the OUT channel", effects);
}

bool Server::awaits(Leg leg) const noexcept
{
    if (vc_ != State::opened)
        return vc_ != State::finished;
    if (leg == Leg::in)
        return in_state_ != RoleState::in_opened;
    const bool gave_up = out_state_ == RoleState::opened_a4w && out_.lifetime.lifted();
    return out_state_ != RoleState::out_opened && !gave_up;
}

void Server::on_timeout(Leg leg, Effects& effects)
{
    if (!awaits(leg))
        return;
    if (vc_ != State::opened)
        return fail("the two channels of the virtual connection did not meet within the time limit", effects);
    if (leg == Leg::in) {
        if (in_state_ != RoleState::a6w)
            return fail("the predecessor of the IN channel did not end within the time limit", effects);
        in_state_ = RoleState::in_opened;
        return effects.drop(Leg::in_successor);
    }
    if (out_state_ == RoleState::opened_a4w) // a successor may still come
        return lift_lifetime(effects);
    const bool on_this_leg = out_state_ == RoleState::opened_r2a8w;
    if (on_this_leg) {
        send_out(RtsBuilder(RtsId::out_r2_b2).negative_ance().done(), effects);
    } else {
        forget_other();
        effects.drop(Leg::out_successor);
    }
    keep_predecessor(effects);
}

} // namespace rpch
