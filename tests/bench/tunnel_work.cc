// What a tunnel carries, and how it is checked.

#include "bench/meter.h"
#include "bench/tunnel.h"

namespace bench {

void Tunnel::take_pattern(base::Bytes bytes)
{
    if (!common_.pattern.matches(received_, bytes))
        give_up("wrong bytes arrived at the client, offset " + std::to_string(received_) + "; " + progress());
    received_ += bytes.size();
    common_.counts.down += bytes.size();
}

/// All that one read brought was taken.
void Tunnel::arrived()
{
    const Plan& plan = common_.plan;
    if (plan.work != Work::echo) {
        common_.counts.exhausted |= plan.relay != Relay::rpch && received_ >= stream_limit - (4u << 20);
        return;
    }
    if (received_ > wanted_)
        give_up("more came back than was sent; " + progress());
    while (!asked_.empty() && received_ >= (answers_ + 1) * plan.pdu)
        answered();
}

/// Echo: the first PDU of those on the way has come back.
void Tunnel::answered()
{
    const Plan& plan = common_.plan;
    Counts& counts = common_.counts;
    ++counts.messages;
    ++answers_;
    const std::uint64_t now = now_ns();
    if (counts.recording)
        counts.latencies.push_back(now - asked_.front());
    asked_.pop_front();
    if (plan.relay != Relay::rpch && wanted_ + plan.pdu > stream_limit)
        counts.exhausted = true;
    if (counts.exhausted || answers_ == plan.calls)
        return;
    if (plan.recycle_in_every > 0 && answers_ % plan.recycle_in_every == 0) {
        rpch::Effects effects;
        role_.recycle_in(effects);
        run(effects);
    }
    if (plan.pace == 0)
        ask(now);
}

void Tunnel::start()
{
    started_ = true;
    switch (common_.plan.work) {
    case Work::echo:
        if (common_.plan.pace == 0)
            ask(now_ns());
        return;
    case Work::down: wanted_ = common_.plan.pdu; break;
    case Work::up:
    case Work::both: wanted_ = bulk(common_.plan); break;
    case Work::idle:
    case Work::churn: return;
    }
    pump();
}

void Tunnel::ask(std::uint64_t due)
{
    asked_.push_back(due);
    wanted_ += common_.plan.pdu;
    pump();
}

/// Gives the IN channel what the window and its lifetime admit.
void Tunnel::pump()
{
    const std::uint32_t pdu = common_.plan.pdu;
    if (common_.plan.relay == Relay::single) {
        at(Leg::in)->channel().stream(wanted_ - admitted_);
        admitted_ = wanted_;
    }
    while (wanted_ - admitted_ >= pdu && role_.admits(pdu)) {
        role_.sent(pdu);
        at(Leg::in)->channel().stream(pdu);
        admitted_ += pdu;
        if (role_.recycling_due()) {
            rpch::Effects effects;
            role_.recycle_in(effects);
            run(effects);
        }
    }
    at(Leg::in)->channel().flush();
}

} // namespace bench
