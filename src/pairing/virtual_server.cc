#include "pairing/virtual_server.h"

#include "net/socket_options.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace pairing {

VirtualServer::VirtualServer(const leg::Environment& environment, const rpch::Cookie& virtual_connection,
                             leg::Grants::Shared grant, Host& host)
    : environment_(environment), virtual_connection_(virtual_connection), grant_(std::move(grant)), host_(host),
      role_({.receive_window = environment.settings.receive_window, .recycle = true}),
      dialer_(std::make_unique<leg::Dialer>(environment))
{
    dialer_->start(grant_->route, grant_->party.target, net::Millis(environment.settings.connect_timeout),
                   leg::Dialer::Callback::of<&VirtualServer::on_dialed>(this));
}

void VirtualServer::on_dialed(leg::Dialer::Outcome outcome)
{
    leg::Failure failure = std::move(outcome.failure);
    if (outcome.fd) {
        leg_.emplace(environment_.loop, net::Stream(std::move(outcome.fd)), static_cast<leg::Leg::Owner&>(*this));
        if (!leg_->start({}))
            failure = leg::no_watch();
    }
    dialer_.reset();
    std::vector<Proxy*> waiting = attached_;
    if (!failure.reason.empty()) {
        ended_ = true;
        host_.virtual_server_ended(*this);
        // OUT first: its client can be told.
        std::stable_partition(waiting.begin(), waiting.end(), [](const Proxy* proxy) { return proxy->side() == leg::Side::out; });
        for (Proxy* const proxy : waiting)
            if (std::erase(attached_, proxy) > 0)
                proxy->server_failed(failure);
        return;
    }
    if (outcome.elsewhere) {
        found_ = std::make_unique<const directory::Route>(std::move(outcome.route));
        for (Proxy* const proxy : waiting)
            proxy->server_routed(*found_);
    }
    for (Proxy* const proxy : waiting)
        if (!ended_ && std::find(attached_.begin(), attached_.end(), proxy) != attached_.end())
            proxy->server_reached();
}

void VirtualServer::run(const rpch::Effects& effects)
{
    for (const rpch::Effect& effect : effects) {
        if (ended_)
            return;
        switch (effect.kind) {
        case rpch::Effect::Kind::send:
            if (Proxy* const proxy = at(effect.leg))
                proxy->server_rts(effect.pdu);
            break;
        case rpch::Effect::Kind::send_last:
            if (Proxy* const proxy = at(effect.leg))
                proxy->server_last(effect.pdu);
            break;
        case rpch::Effect::Kind::promote: promote(effect.leg); break;
        case rpch::Effect::Kind::drop: drop(effect.leg); break;
        case rpch::Effect::Kind::opened: resume(); break;
        case rpch::Effect::Kind::flow:
            if (Proxy* const proxy = at(effect.leg))
                proxy->server_flow();
            resume();
            break;
        case rpch::Effect::Kind::close: return end(effect.reason);
        case rpch::Effect::Kind::connect_server:
        case rpch::Effect::Kind::connect_successor:
        case rpch::Effect::Kind::finish:
        case rpch::Effect::Kind::respond:
        case rpch::Effect::Kind::keep_alive: assert(!"no effect of the server role");
        }
    }
    watch_clocks();
}

// IN: from the inbound proxy to the service.

bool VirtualServer::received(Proxy& proxy, std::uint32_t size)
{
    if (const char* const error = role_.on_in_rpc(place_of(proxy), size))
        end(error);
    return !ended_;
}

void VirtualServer::put_rpc(const rpch::Framer::Piece& piece)
{
    leg_->outlet().put(piece);
}

bool VirtualServer::admits(std::uint32_t size) const
{
    const Proxy* const in = at(rpch::Leg::in);
    return in && in->server_admits(size);
}

void VirtualServer::sent(std::uint32_t size)
{
    at(rpch::Leg::in)->server_sent(size);
}

void VirtualServer::flush()
{
    if (ended_ || !leg_)
        return;
    if (!leg_->outlet().flush())
        return end("server: " + leg_->outlet().failure_text());
    const std::uint32_t consumed = leg_->outlet().take_consumed();
    if (consumed == 0)
        return;
    const std::uint32_t of_predecessors = std::min(consumed, carried_);
    carried_ -= of_predecessors;
    if (Proxy* const in = at(rpch::Leg::in))
        in->server_consumed(consumed - of_predecessors);
    if (ended_)
        return;
    rpch::Effects effects;
    role_.on_consumed(consumed, effects);
    run(effects);
    if (!ended_ && role_.proxy_may_wait())
        silence_.watch(environment_.loop, net::Timer::Callback::of<&VirtualServer::on_silence>(this));
}

void VirtualServer::on_silence()
{
    silence_.reset();
    rpch::Effects effects;
    role_.on_silence(effects);
    run(effects);
}

// OUT: from the service to the outbound proxy.

std::size_t VirtualServer::leg_allowance()
{
    // A PDU that has begun ends where it began, whatever was promoted meanwhile.
    if (coming_ > 0)
        return !rpc_proxy_ ? coming_
               : rpc_proxy_ == at(rpch::Leg::out) ? rpc_proxy_->server_allowance(role_.room(), coming_)
                                                  : rpc_proxy_->server_allowance(0, coming_);
    Proxy* const out = at(rpch::Leg::out);
    return out ? out->server_allowance(role_.room(), 0) : 0;
}

/// Before both channels are there a service has nothing to say.
net::Millis VirtualServer::leg_patience(bool broken)
{
    return role_.state() == rpch::Server::State::opened ? leg::Leg::Owner::leg_patience(broken) : net::Millis(0);
}

void VirtualServer::leg_rpc(const rpch::Framer::Piece& piece)
{
    if (ended_)
        return;
    if (piece.first) {
        rpc_proxy_ = at(rpch::Leg::out);
        coming_ = piece.frag_length;
    }
    coming_ -= static_cast<std::uint32_t>(piece.bytes.size());
    if (rpc_proxy_)
        rpc_proxy_->server_rpc(piece);
    if (!ended_ && role_.recycling_due())
        recycle_out();
}

/// Replaces the OUT channel before its Content-Length is used up, if the client can do it.
void VirtualServer::recycle_out()
{
    const Proxy* const out = at(rpch::Leg::out);
    if (!out)
        return;
    rpch::Effects effects;
    if (out->server_recycles())
        role_.recycle_out(effects);
    else
        role_.doubt_client(effects);
    run(effects);
}

void VirtualServer::leg_rts(const rpch::Rts&)
{
    end("RTS PDU from a server that is registered as ncacn_ip_tcp");
}

void VirtualServer::leg_delivered()
{
    for (const rpch::Leg place : {rpch::Leg::out, rpch::Leg::out_predecessor})
        if (Proxy* const proxy = at(place); proxy && !ended_)
            proxy->server_delivered();
}

void VirtualServer::leg_closed(const std::string& reason)
{
    end("server: " + reason);
}

void VirtualServer::resume()
{
    // What waited for the window has left, and may have used up the lifetime.
    if (!ended_ && role_.recycling_due())
        recycle_out();
    if (leg_)
        leg_->resume();
}

void VirtualServer::keep_alive(std::uint32_t ms)
{
    if (leg_ && !leg_->closed())
        net::set_keep_alive(leg_->stream().fd(), net::Millis(ms));
}

void VirtualServer::end(const std::string& reason)
{
    if (ended_)
        return;
    ended_ = true;
    dialer_.reset();
    clocks_.reset();
    silence_.reset();
    rpc_proxy_ = nullptr;
    if (leg_)
        leg_->close();
    host_.virtual_server_ended(*this);
    // OUT first: it may still have answers to deliver.
    for (const rpch::Leg place : {rpch::Leg::out_predecessor, rpch::Leg::out, rpch::Leg::out_successor, rpch::Leg::in,
                                  rpch::Leg::in_predecessor, rpch::Leg::in_successor})
        if (Proxy* const proxy = std::exchange(at(place), nullptr))
            proxy->server_ended(reason);
    for (Proxy* const proxy : std::exchange(attached_, {}))
        proxy->server_ended(reason);
}

} // namespace pairing
