#include "pairing/virtual_server.h"

#include <algorithm>
#include <cassert>
#include <utility>

// How proxies come to a virtual server and go.

namespace pairing {

/// The place of a proxy in proxies_.
std::size_t VirtualServer::index(rpch::Leg leg)
{
    switch (leg) {
    case rpch::Leg::in: return 0;
    case rpch::Leg::out: return 1;
    case rpch::Leg::in_successor: return 2;
    case rpch::Leg::in_predecessor: return 3;
    case rpch::Leg::out_successor: return 4;
    case rpch::Leg::out_predecessor: return 5;
    case rpch::Leg::client:
    case rpch::Leg::server:
    case rpch::Leg::successor:
    case rpch::Leg::predecessor: break;
    }
    assert(!"no leg of the server role");
    return 0;
}

rpch::Leg VirtualServer::place_of(const Proxy& proxy) const
{
    for (const rpch::Leg place : {rpch::Leg::in, rpch::Leg::out, rpch::Leg::in_successor, rpch::Leg::in_predecessor,
                                  rpch::Leg::out_successor})
        if (at(place) == &proxy)
            return place;
    return rpch::Leg::out_predecessor;
}

void VirtualServer::attach(Proxy& proxy)
{
    attached_.push_back(&proxy);
    if (!leg_)
        return;
    if (found_)
        proxy.server_routed(*found_);
    proxy.server_reached();
}

void VirtualServer::introduce(Proxy& proxy, const rpch::Rts& first_pdu)
{
    std::erase(attached_, &proxy);
    if (attached_.empty())
        attached_.shrink_to_fit();
    rpch::Effects effects;
    const rpch::Server::Admission admission = role_.on_newcomer(first_pdu, effects);
    if (admission.refusal) {
        proxy.server_ended(admission.refusal);
        if (!ended_ && std::all_of(proxies_.begin(), proxies_.end(), [](const Proxy* other) { return !other; }) &&
            attached_.empty())
            end(admission.refusal);
        return;
    }
    at(admission.leg) = &proxy;
    run(effects);
}

void VirtualServer::receive_rts(Proxy& proxy, const rpch::Rts& pdu)
{
    rpch::Effects effects;
    if (proxy.side() == leg::Side::in)
        role_.on_in_rts(place_of(proxy), pdu, effects);
    else
        role_.on_out_rts(place_of(proxy), pdu, effects);
    run(effects);
}

void VirtualServer::closed(Proxy& proxy)
{
    if (rpc_proxy_ == &proxy)
        rpc_proxy_ = nullptr;
    if (std::erase(attached_, &proxy) == 0) {
        const rpch::Leg place = place_of(proxy);
        at(place) = nullptr;
        rpch::Effects effects;
        role_.on_closed(place, effects);
        return run(effects);
    }
    if (attached_.empty() && role_.state() == rpch::Server::State::open_start)
        end("the only channel has ended");
}

void VirtualServer::promote(rpch::Leg channel)
{
    const bool in = channel == rpch::Leg::in;
    if (in) {
        // What the predecessor has put must not wait for a flush of the successor.
        flush();
        if (ended_)
            return;
        carried_ = leg_->outlet().unreported();
    }
    at(in ? rpch::Leg::in_predecessor : rpch::Leg::out_predecessor) = at(channel);
    at(channel) = std::exchange(at(in ? rpch::Leg::in_successor : rpch::Leg::out_successor), nullptr);
}

void VirtualServer::drop(rpch::Leg place)
{
    Proxy* const proxy = std::exchange(at(place), nullptr);
    if (!proxy)
        return;
    if (rpc_proxy_ == proxy)
        rpc_proxy_ = nullptr;
    if (place == rpch::Leg::in_predecessor || place == rpch::Leg::out_predecessor)
        proxy->server_relieved();
    else
        proxy->server_ended("the replacement of the channel was not completed within the time limit");
}

// States that must not last.

VirtualServer::Clocks::Clocks(VirtualServer& server)
    : in(server.environment_.loop, net::Timer::Callback::of<&VirtualServer::on_in_timeout>(&server)),
      out(server.environment_.loop, net::Timer::Callback::of<&VirtualServer::on_out_timeout>(&server))
{
}

void VirtualServer::watch_clocks()
{
    const bool in = role_.awaits(rpch::Leg::in);
    const bool out = role_.awaits(rpch::Leg::out);
    if (ended_ || (!in && !out))
        return clocks_.reset();
    if (!clocks_)
        clocks_ = std::make_unique<Clocks>(*this);
    const auto watch = [&](net::Timer& timer, bool awaits) {
        if (!awaits)
            timer.cancel();
        else if (!timer.armed())
            timer.set(net::Millis(environment_.settings.setup_timeout));
    };
    watch(clocks_->in, in);
    watch(clocks_->out, out);
}

void VirtualServer::on_timeout(rpch::Leg channel)
{
    rpch::Effects effects;
    role_.on_timeout(channel, effects);
    run(effects);
}

} // namespace pairing
