#include "rpch/client.h"

#include "rpch/rts_builder.h"
#include "rpch/rts_fields.h"

#include <utility>

namespace rpch {
namespace {

/// Windows starts to recycle with this much left (MS-RPCH 6, 3.2.2.4.2).
constexpr std::uint32_t reserve = 4096;

} // namespace

Lifetime Client::lifetime() const noexcept
{
    Lifetime life(settings_.in_lifetime, reserve, settings_.largest_pdu);
    if (!settings_.recycle)
        life.lift();
    return life;
}

// IN channel recycling, 3.2.1.5.3.2 and .3: where the request lands decides which, and A4 tells.

bool Client::recycles_in() const noexcept
{
    return state_ == State::opened && in_state_ == RoleState::in_opened && in_is_other_ == Other::none;
}

bool Client::recycle_in(Effects& effects)
{
    if (!recycles_in())
        return false;
    in_state_ = RoleState::opened_a4w;
    in_is_other_ = Other::successor;
    in_requested_ = false;
    in_other_ = {.channel = Cookie::random(), .window = SendWindow(), .lifetime = lifetime()};
    effects.connect_successor(Leg::in_successor);
    return true;
}

void Client::recycle_if_due(Effects& effects)
{
    if (recycling_due())
        recycle_in(effects);
}

void Client::on_successor_request(Leg leg, Effects& effects)
{
    if (leg == Leg::in_successor) {
        const RtsBytes a1 = RtsBuilder(RtsId::in_r1_a1)
                                .version()
                                .cookie(cookies_.virtual_connection)
                                .cookie(in_.channel)
                                .cookie(in_other_.channel)
                                .done();
        in_other_.lifetime.count(a1.size);
        in_requested_ = true;
        return effects.send(leg, a1);
    }
    out_requested_ = true;
    effects.send(leg, RtsBuilder(RtsId::out_r1_a3)
                          .version()
                          .cookie(cookies_.virtual_connection)
                          .cookie(cookies_.out_channel)
                          .cookie(out_successor_)
                          .receive_window(settings_.receive_window)
                          .done());
}

const char* Client::on_in_r1_a4(Leg from, const Rts& pdu, Effects& effects)
{
    if (!in_requested_)
        return on_late_a4(from, pdu, effects);
    RtsFields fields(pdu);
    fields.destination();
    fields.version();
    const std::uint32_t window = fields.receive_window();
    connection_timeout_ = fields.connection_timeout();
    promote_in(SendWindow(window), effects);
    return nullptr;
}

/// The proxy stays, and so does the size of its window.
const char* Client::on_in_r2_a4(Leg from, const Rts& pdu, Effects& effects)
{
    if (!in_requested_)
        return on_late_a4(from, pdu, effects);
    promote_in(SendWindow(in_.window.announced()), effects);
    return nullptr;
}

/// What waits for the predecessor, A5 behind it; then the successor is unplugged.
void Client::promote_in(const SendWindow& window, Effects& effects)
{
    if (!in_.lifetime.fits(a5_size))
        return fail("lifetime of the IN channel is used up", effects);
    in_other_.window = window;
    std::swap(in_, in_other_);
    cookies_.in_channel = in_.channel;
    in_is_other_ = Other::predecessor;
    refused_ = 0;
    in_state_ = RoleState::in_opened;
    in_plugged_ = true;
    in_other_.lifetime.count(a5_size);
    effects.promote(Leg::in);
    effects.send_last(Leg::in_predecessor, RtsBuilder(RtsId::in_r1_a5).cookie(in_.channel).done());
}

void Client::on_drained(Leg leg, Effects& effects)
{
    if (leg != Leg::in_predecessor || !in_plugged_)
        return;
    in_plugged_ = false;
    acknowledge_if_due(effects);
    effects.flow(Leg::in);
}

const char* Client::on_late_a4(Leg, const Rts&, Effects&)
{
    return in_abandoned_ ? nullptr : "IN_Rx/A4 without IN_Rx/A1";
}

// OUT channel recycling, 3.2.1.5.3.4 and .5.

const char* Client::on_out_rx_a2(Leg, const Rts&, Effects& effects)
{
    recycling_asked_ = true;
    // A6 of an earlier attempt would have come before this PDU.
    out_abandoned_ = false;
    if (!settings_.recycle)
        return nullptr;
    out_successor_ = Cookie::random();
    out_requested_ = false;
    out_state_ = RoleState::opened_a6w;
    effects.connect_successor(Leg::out_successor);
    return nullptr;
}

const char* Client::on_out_r1_a6(Leg, const Rts&, Effects& effects)
{
    if (!out_requested_)
        return "OUT_R1/A6 before OUT_R1/A3";
    out_state_ = RoleState::opened_a10w;
    send_in(RtsBuilder(RtsId::out_r1_a7).destination(Destination::server).cookie(out_successor_).done(), effects);
    return nullptr;
}

const char* Client::on_out_r1_a10(Leg, const Rts&, Effects& effects)
{
    promote_out(effects);
    effects.send(Leg::out, RtsBuilder(RtsId::out_r1_a11).ance().done());
    return nullptr;
}

const char* Client::on_out_r2_a6(Leg, const Rts&, Effects& effects)
{
    if (!out_requested_)
        return "OUT_R2/A6 before OUT_R2/A3";
    out_state_ = RoleState::b3w;
    effects.send(Leg::out_successor, RtsBuilder(RtsId::out_r2_c1).empty().done());
    const RtsBytes a7 =
        RtsBuilder(RtsId::out_r2_a7).destination(Destination::server).cookie(out_successor_).version().done();
    send_in(a7, effects);
    return nullptr;
}

const char* Client::on_out_r2_b3(Leg, const Rts&, Effects& effects)
{
    promote_out(effects);
    return nullptr;
}

/// The predecessor is dropped with whatever follows on it: old Windows servers send undefined bytes there.
void Client::promote_out(Effects& effects)
{
    out_state_ = RoleState::out_opened;
    cookies_.out_channel = out_successor_;
    recycling_asked_ = false;
    out_answered_ = std::exchange(successor_answered_, false);
    carried_ += out_window_.held();
    out_window_ = ReceiveWindow(settings_.receive_window);
    effects.promote(Leg::out);
    effects.drop(Leg::out_predecessor);
}

const char* Client::on_late_a6(Leg, const Rts&, Effects&)
{
    return std::exchange(out_abandoned_, false) ? nullptr : "OUT_Rx/A6 without OUT_Rx/A3";
}

// What goes wrong.

void Client::on_closed(Leg leg, Effects& effects)
{
    if (state_ == State::finished || leg == Leg::out_predecessor)
        return;
    if (leg == Leg::in_successor && in_state_ == RoleState::opened_a4w) {
        in_state_ = RoleState::in_opened;
        in_is_other_ = Other::none;
        in_abandoned_ = true;
        in_.lifetime.postpone();
        if (in_.lifetime.room() > 0)
            return;
        // Refused, as one that comes too early can be: nothing else will remind of the next one.
        if (++refused_ < most_refused)
            return recycle_if_due(effects);
        return fail("lifetime of the IN channel is used up, and every successor is refused", effects);
    }
    if (leg == Leg::in_predecessor && !in_plugged_) {
        in_is_other_ = Other::none;
        return recycle_if_due(effects);
    }
    if (leg == Leg::out_successor && out_state_ == RoleState::opened_a6w) {
        out_state_ = RoleState::out_opened;
        out_abandoned_ = true;
        successor_answered_ = false;
        return;
    }
    const bool out = leg == Leg::out || leg == Leg::out_successor;
    fail(out ? "the proxy closed the OUT channel" : "the proxy closed the IN channel", effects);
}

bool Client::awaits(Leg leg) const noexcept
{
    if (state_ != State::opened)
        return state_ != State::finished;
    if (leg == Leg::in)
        return in_state_ != RoleState::in_opened || in_is_other_ == Other::predecessor;
    return out_state_ != RoleState::out_opened || !out_answered_;
}

void Client::on_timeout(Leg leg, Effects& effects)
{
    if (!awaits(leg))
        return;
    if (state_ != State::opened)
        return fail("the virtual connection was not established within the time limit", effects);
    const bool uncommitted = leg == Leg::in ? in_state_ == RoleState::opened_a4w : out_state_ == RoleState::opened_a6w;
    if (uncommitted) {
        const Leg successor = leg == Leg::in ? Leg::in_successor : Leg::out_successor;
        effects.drop(successor);
        if (leg == Leg::in && in_.lifetime.room() == 0)
            return fail("lifetime of the IN channel is used up, and no successor came about", effects);
        return on_closed(successor, effects);
    }
    if (leg == Leg::in && !in_plugged_) { // the proxy has A5 and does not close
        in_is_other_ = Other::none;
        effects.drop(Leg::in_predecessor);
        return recycle_if_due(effects);
    }
    fail("recycling was not completed within the time limit", effects);
}

} // namespace rpch
