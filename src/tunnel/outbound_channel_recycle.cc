#include "tunnel/outbound_channel.h"

#include "base/log.h"
#include "tunnel/hub.h"

// The OUT channel gets another request of its client: MS-RPCH 3.2.1.5.3.4 and .5.

namespace tunnel {

void OutboundChannel::move()
{
    if (ended_ || draining_ || !movable())
        return;
    rpch::Effects effects;
    role_.use_up(effects);
    run(effects);
}

const char* OutboundChannel::succeed(Opening& opening)
{
    rpch::Effects effects;
    if (const char* const refusal = role_.on_successor(opening.first_pdu, effects))
        return refusal;
    successor_id_ = opening.arrival.id;
    other_ = std::make_unique<leg::Leg>(hub_.environment().loop, std::move(opening.arrival.stream), other_owner_);
    limit_recycling();
    run(effects);
    const std::vector<std::uint8_t> early = std::move(opening.arrival.early);
    if (!ended_ && !other_->start(early))
        side_closed(leg::no_watch().reason);
    return nullptr;
}

/// The successor carries the channel from now on; what waits for the predecessor still leaves there.
void OutboundChannel::promote_successor()
{
    if (!role_.awaits()) // OUT_R2/C1 may still be due
        recycling_.reset();
    base::log::info("recycled", {{"id", visitor_.id}, {"channel", "out"}, {"vc", virtual_connection().prefix()},
                                 {"successor", successor_id_}});
    visitor_.id = successor_id_;
    leg_.swap(other_);
    leg_->serve(*this);
    other_->serve(other_owner_);
}

void OutboundChannel::drop_other()
{
    departing_ = false;
    if (!other_)
        return;
    if (rpc_leg_ == other_.get())
        rpc_leg_ = nullptr;
    hub_.farewell().say(other_->release());
    hub_.environment().loop.defer([last = std::shared_ptr<leg::Leg>(std::move(other_))] {});
}

void OutboundChannel::side_rts(const rpch::Rts& pdu)
{
    rpch::Effects effects;
    role_.on_client_rts(departing_ ? rpch::Leg::predecessor : rpch::Leg::successor, pdu, effects);
    run(effects);
}

void OutboundChannel::side_closed(const std::string& reason)
{
    base::log::info("leg-lost", {{"id", successor_id_}, {"channel", "out"}, {"vc", virtual_connection().prefix()},
                                 {"reason", reason}});
    rpch::Effects effects;
    role_.on_closed(departing_ ? rpch::Leg::predecessor : rpch::Leg::successor, effects);
    drop_other();
    run(effects);
}

void OutboundChannel::on_recycling_timeout()
{
    recycling_.reset();
    rpch::Effects effects;
    role_.on_timeout(effects);
    run(effects);
}

void OutboundChannel::flush_predecessor()
{
    if (!other_ || !departing_ || ended_)
        return;
    leg::Outlet& outlet = other_->outlet();
    if (!outlet.flush())
        return side_closed(outlet.failure_text());
    report_consumed(outlet);
    if (ended_ || !other_ || !outlet.idle())
        return;
    role_.on_drained(rpch::Leg::predecessor);
    drop_other();
}

} // namespace tunnel
