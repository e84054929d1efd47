#include "tunnel/virtual_server.h"

#include "net/socket_options.h"
#include "tunnel/local_hop.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tunnel {

VirtualServer::VirtualServer(const Environment& environment, const rpch::Cookie& virtual_connection, const Arrival& arrival,
                             Host& host)
    : environment_(environment), virtual_connection_(virtual_connection), host_(host),
      role_({.receive_window = environment.settings.receive_window, .recycle = true}),
      dialer_(std::make_unique<Dialer>(environment.loop, environment.workers, environment.policy))
{
    dialer_->start(arrival.route, arrival.target, net::Millis(environment.settings.connect_timeout),
                   Dialer::Callback::of<&VirtualServer::on_dialed>(this));
}

void VirtualServer::on_dialed(Dialer::Outcome outcome)
{
    std::string failure = outcome.reason;
    if (outcome.fd) {
        leg_.emplace(environment_.loop, net::Stream(std::move(outcome.fd)), static_cast<Leg::Owner&>(*this));
        if (!leg_->start({}))
            failure = std::string("the system watches no more connections: ") + std::strerror(errno);
    }
    dialer_.reset();
    if (!failure.empty()) {
        ended_ = true;
        host_.virtual_server_ended(*this);
        // OUT first: its client can be told.
        for (const Side side : {Side::out, Side::in})
            if (LocalHop* const attached = std::exchange(hop(side), nullptr))
                attached->server_failed(failure);
        return;
    }
    for (LocalHop* const attached : hops_)
        if (attached && !ended_)
            attached->user().hop_connected();
}

bool VirtualServer::attach(Side side, LocalHop& newcomer)
{
    if (hop(side))
        return false;
    hop(side) = &newcomer;
    return true;
}

void VirtualServer::detach(Side side)
{
    hop(side) = nullptr;
    end(side == Side::in ? "the IN channel has ended" : "the OUT channel has ended");
}

void VirtualServer::receive_rts(Side side, const rpch::Rts& pdu)
{
    rpch::Effects effects;
    bool& introduced = introduced_[side == Side::in ? 0 : 1];
    if (!introduced) {
        introduced = true;
        if (const char* const refusal = role_.on_newcomer(pdu, effects).refusal)
            return end(refusal);
    } else if (side == Side::in) {
        role_.on_in_rts(rpch::Leg::in, pdu, effects);
    } else {
        role_.on_out_rts(rpch::Leg::out, pdu, effects);
    }
    run(effects);
}

void VirtualServer::run(const rpch::Effects& effects)
{
    for (const rpch::Effect& effect : effects) {
        if (ended_)
            return;
        switch (effect.kind) {
        case rpch::Effect::Kind::send:
            if (LocalHop* const receiver = hop(effect.leg == rpch::Leg::in ? Side::in : Side::out)) {
                rpch::Rts pdu;
                [[maybe_unused]] const rpch::DecodeResult result = rpch::decode(effect.pdu, pdu);
                assert(result.ok());
                receiver->user().hop_rts(pdu);
            }
            break;
        case rpch::Effect::Kind::opened:
        case rpch::Effect::Kind::flow: resume(); break;
        case rpch::Effect::Kind::close: return end(effect.reason);
        case rpch::Effect::Kind::connect_server:
        case rpch::Effect::Kind::connect_successor:
        case rpch::Effect::Kind::send_last:
        case rpch::Effect::Kind::promote:
        case rpch::Effect::Kind::drop:
        case rpch::Effect::Kind::finish:
        case rpch::Effect::Kind::respond:
        case rpch::Effect::Kind::keep_alive: assert(!"no effect of the server role");
        }
    }
}

// IN: from the inbound proxy to the service.

void VirtualServer::put_rpc(const rpch::Framer::Piece& piece)
{
    leg_->outlet().put(piece);
}

bool VirtualServer::admits(std::uint32_t size) const
{
    return hops_[0] && hops_[0]->user().hop_admits(size);
}

void VirtualServer::sent(std::uint32_t size)
{
    hops_[0]->user().hop_sent(size);
    if (const char* const error = role_.on_in_rpc(rpch::Leg::in, size))
        end(error);
}

void VirtualServer::flush()
{
    if (ended_ || !leg_)
        return;
    if (!leg_->outlet().flush())
        return end("server: " + leg_->stream().error_text(leg_->outlet().failure()));
    const std::uint32_t consumed = leg_->outlet().take_consumed();
    if (consumed == 0)
        return;
    if (hops_[0])
        hops_[0]->user().hop_consumed(consumed);
    rpch::Effects effects;
    role_.on_consumed(consumed, effects);
    run(effects);
}

// OUT: from the service to the outbound proxy.

std::size_t VirtualServer::leg_allowance()
{
    if (ended_ || !hops_[1])
        return 0;
    // The window between the two ends in this process may be overshot by part of a read; the client's may not.
    // A PDU that has begun is always finished, or the RTS PDUs behind it would wait for ever.
    const std::size_t allowance = hops_[1]->user().hop_allowance(false);
    return role_.room() == 0 ? std::min<std::size_t>(allowance, coming_) : allowance;
}

void VirtualServer::leg_rpc(const rpch::Framer::Piece& piece)
{
    if (ended_ || !hops_[1])
        return;
    if (piece.first) {
        role_.sent(piece.frag_length);
        coming_ = piece.frag_length;
    }
    coming_ -= static_cast<std::uint32_t>(piece.bytes.size());
    hops_[1]->user().hop_rpc(piece);
    if (piece.first && role_.recycling_due())
        recycle_out();
}

/// Replaces the OUT channel before its Content-Length is used up, if the client can do it.
void VirtualServer::recycle_out()
{
    if (!hops_[1] || ended_)
        return;
    if (!hops_[1]->user().hop_recycles())
        return role_.doubt_client();
    rpch::Effects effects;
    role_.recycle_out(effects);
    run(effects);
}

void VirtualServer::leg_rts(const rpch::Rts&)
{
    end("RTS PDU from a server that is registered as ncacn_ip_tcp");
}

void VirtualServer::leg_delivered()
{
    if (!ended_ && hops_[1])
        hops_[1]->user().hop_delivered();
}

void VirtualServer::leg_closed(const std::string& reason)
{
    end("server: " + reason);
}

void VirtualServer::resume()
{
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
    if (leg_)
        leg_->close();
    host_.virtual_server_ended(*this);
    // OUT first: it may still have answers to deliver.
    for (const Side side : {Side::out, Side::in})
        if (LocalHop* const attached = std::exchange(hop(side), nullptr))
            attached->server_ended(reason);
}

} // namespace tunnel
