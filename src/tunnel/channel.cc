#include "tunnel/channel.h"

#include "base/log.h"
#include "leg/refusal.h"
#include "tunnel/hub.h"

namespace tunnel {

Channel::Channel(Hub& hub, leg::Side side, Opening& opening, bool joins)
    : hub_(hub), visitor_(opening.visitor(hub.grants())), side_(side), joins_(joins),
      leg_(std::make_unique<leg::Leg>(hub.environment().loop, std::move(opening.arrival.stream), *this)),
      hop_(hub.make_hop(side, visitor_, joins, *this)),
      clock_(hub.environment().loop, net::Timer::Callback::of<&Channel::on_clock>(this)),
      began_(hub.environment().loop.now()), heard_(began_)
{
    clock_.set(net::Millis(hub.environment().settings.setup_timeout));
}

net::Millis Channel::silent() const
{
    return hub_.environment().loop.now() - heard_;
}

void Channel::heard() noexcept
{
    heard_ = hub_.environment().loop.now();
}

void Channel::hop_routed(const directory::Route& route)
{
    visitor_.grant = hub_.grants().share({visitor_.party(), visitor_.grant->mailbox, route});
}

void Channel::log_refused(const std::string& reason) const
{
    leg::log_refused({visitor_.id, name(side_), &visitor_.virtual_connection, visitor_.peer, visitor_.party()}, reason);
}

void Channel::limit_recycling()
{
    recycling_ = std::make_unique<net::Timer>(hub_.environment().loop,
                                              net::Timer::Callback::of<&Channel::on_recycling_timeout>(this));
    recycling_->set(net::Millis(hub_.environment().settings.setup_timeout));
}

void Channel::watch_for_silence()
{
    silence_.watch(hub_.environment().loop, net::Timer::Callback::of<&Channel::on_silence>(this));
}

void Channel::close(std::uint64_t bytes, const Channel* mate, const std::string& reason)
{
    clock_.cancel();
    silence_.reset();
    recycling_.reset();
    if (base::log::wanted(base::log::Level::info)) {
        const bool in = side_ == leg::Side::in;
        const Channel* const inbound = in ? this : mate;
        const Channel* const outbound = in ? mate : this;
        const auto silence = [](const Channel* channel) { return channel ? std::to_string(channel->silent().count()) : "-"; };
        base::log::info("closed", {{"id", visitor_.id}, {"channel", name(side_)}, {"vc", virtual_connection().prefix()},
                                   {"peer", visitor_.peer.text()}, {"user", visitor_.party().principal},
                                   {"target", visitor_.party().target}, {"bytes", bytes},
                                   {"ms", (hub_.environment().loop.now() - began_).count()},
                                   {"silent_in_ms", silence(inbound)}, {"silent_out_ms", silence(outbound)},
                                   {"reason", reason}});
    }
    if (leg_->gone())
        leg_->close();
    else
        hub_.farewell().say(leg_->release());
    hop_->close();
}

} // namespace tunnel
