#include "tunnel/inbound_channel.h"

#include "base/log.h"
#include "rpch/rts.h"
#include "tunnel/hub.h"

#include <algorithm>
#include <cassert>

namespace tunnel {
namespace {

rpch::ClientAddress client_address(const net::Address& peer)
{
    rpch::ClientAddress address;
    address.ipv6 = peer.ipv6();
    const auto bytes = peer.bytes();
    std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
    return address;
}

} // namespace

InboundChannel::InboundChannel(Hub& hub, Opening& opening)
    : Channel(hub, leg::Side::in, opening, opening.first_pdu.is(rpch::RtsId::in_r1_a1)),
      content_length_(opening.arrival.content_length), first_pdu_size_(opening.first_pdu_size),
      http10_(opening.arrival.http10),
      role_({.receive_window = hub.environment().settings.receive_window,
             .connection_timeout = hub.environment().settings.connection_timeout})
{
}

void InboundChannel::start(const Opening& opening)
{
    if (content_length_ <= first_pdu_size_)
        return end(length_used_up);
    rpch::Effects effects;
    role_.on_first_pdu(opening.first_pdu, effects);
    run(effects);
    if (ended_)
        return;
    listen_to_client(opening.arrival.early);
}

/// `early`: what has come behind the request's first PDU.
void InboundChannel::listen_to_client(base::Bytes early)
{
    if (!leg_->start(early.first(std::min<std::uint64_t>(early.size(), content_length_ - first_pdu_size_))))
        end(leg::no_watch().reason);
}

std::size_t InboundChannel::most_waiting() const
{
    return hub_.environment().settings.receive_window + leg::Leg::control_room;
}

std::size_t InboundChannel::leg_allowance()
{
    const std::uint64_t body = content_length_ - first_pdu_size_;
    if (ended_ || leg_->received() >= body || !role_.reads_client())
        return 0;
    const std::size_t limit = most_waiting();
    const std::size_t waiting = hop_->waiting();
    return std::min<std::uint64_t>(body - leg_->received(), limit > waiting ? limit - waiting : 0);
}

void InboundChannel::leg_rpc(const rpch::Framer::Piece& piece)
{
    if (ended_)
        return;
    if (piece.first)
        if (const char* const error = role_.on_client_rpc(piece.frag_length))
            return end(error);
    hop_->put_rpc(piece);
}

void InboundChannel::leg_rts(const rpch::Rts& pdu)
{
    if (ended_)
        return;
    rpch::Effects effects;
    role_.on_client_rts(pdu, effects);
    run(effects);
}

void InboundChannel::leg_delivered()
{
    if (ended_)
        return;
    heard();
    hop_->flush();
    if (ended_ || finish_reason_)
        return;
    if (leg_->received() + first_pdu_size_ >= content_length_)
        return wind_up(length_used_up);
    acknowledge_if_silent();
}

void InboundChannel::leg_closed(const std::string& reason)
{
    if (!finish_reason_)
        wind_up("client: " + reason);
}

/// Nothing more comes from the client. What has come before still goes to the server, as long as that takes it.
void InboundChannel::wind_up(const std::string& reason)
{
    if (leg_->broken() || hop_->waiting() == 0)
        return end(reason);
    if (end_reason_)
        return;
    end_reason_ = std::make_unique<const std::string>(reason);
    clock_.set(drain_patience);
}

void InboundChannel::hop_connected()
{
    if (ended_)
        return;
    rpch::Effects effects;
    role_.on_server_connected(client_address(visitor_.peer), effects);
    run(effects);
}

void InboundChannel::hop_rts(const rpch::Rts& pdu)
{
    if (ended_)
        return;
    rpch::Effects effects;
    role_.on_server_rts(pdu, effects);
    run(effects);
}

void InboundChannel::hop_consumed(std::uint32_t size)
{
    if (ended_)
        return;
    rpch::Effects effects;
    role_.on_consumed(size, effects);
    run(effects);
    if (ended_)
        return;
    acknowledge_if_silent();
    if (!end_reason_)
        return leg_->resume();
    if (hop_->waiting() == 0)
        return end(*end_reason_);
    clock_.set(drain_patience);
}

void InboundChannel::run(const rpch::Effects& effects)
{
    bool written = false;
    bool promoted = false;
    std::vector<std::uint8_t> early; // of the promoted successor
    for (const rpch::Effect& effect : effects) {
        if (ended_)
            return;
        switch (effect.kind) {
        case rpch::Effect::Kind::connect_server: hop_->connect(); break;
        case rpch::Effect::Kind::keep_alive: hop_->keep_alive(effect.value); break;
        case rpch::Effect::Kind::send:
            hop_->send_rts(effect.pdu);
            written = true;
            break;
        case rpch::Effect::Kind::flow: written = true; break;
        case rpch::Effect::Kind::opened: {
            const OutboundChannel* const mate = hub_.find_outbound(virtual_connection());
            // The mate's window completes the guess; a mate on another node leaves the request line.
            if (http10_ && (!mate || mate->client_announced_window() == rpch::max_receive_window))
                role_.doubt_client();
            if (!end_reason_)
                clock_.set(net::Millis(hub_.environment().settings.connection_timeout));
            break;
        }
        case rpch::Effect::Kind::close: return end(effect.reason);
        case rpch::Effect::Kind::send_last:
            hop_->send_last(effect.pdu);
            written = true;
            break;
        case rpch::Effect::Kind::promote:
            early = promote_successor();
            written = promoted = true;
            break;
        case rpch::Effect::Kind::drop: drop(effect.leg); break;
        case rpch::Effect::Kind::finish:
            finish_reason_ = effect.reason;
            limit_recycling();
            hub_.relieve(*this);
            break;
        case rpch::Effect::Kind::connect_successor:
        case rpch::Effect::Kind::respond: assert(!"no effect of the inbound proxy");
        }
    }
    if (written && !ended_)
        hop_->flush();
    if (promoted && !ended_)
        listen_to_client(early);
    if (finish_reason_ && !ended_ && hop_->waiting() == 0)
        end(finish_reason_);
}

void InboundChannel::on_clock()
{
    if (finish_reason_)
        return;
    if (end_reason_)
        return end(hop_->waiting() == 0 ? *end_reason_ : *end_reason_ + "; the server did not take the rest");
    if (!opened())
        return end("the virtual connection was not established within the time limit");
    const net::Millis timeout(hub_.environment().settings.connection_timeout);
    const net::Millis so_far = silent();
    if (so_far < timeout || role_.client_doubted())
        return clock_.set(so_far < timeout ? timeout - so_far : timeout);
    end("nothing came from the client within the connection timeout");
}

void InboundChannel::acknowledge_if_silent()
{
    if (role_.client_may_wait())
        watch_for_silence();
}

void InboundChannel::on_silence()
{
    silence_.reset();
    if (!role_.client_may_wait())
        return;
    if (role_.client_doubted()) {
        base::log::info("client-waits", {{"id", visitor_.id}, {"vc", virtual_connection().prefix()},
                                         {"reason", "silent where its IN window is used up: it takes part in flow control"}});
        if (OutboundChannel* const mate = hub_.find_outbound(virtual_connection()))
            mate->trust_client();
    }
    rpch::Effects effects;
    role_.on_silence(effects);
    run(effects);
}

void InboundChannel::hop_failed(const leg::Failure& failure)
{
    if (ended_)
        return;
    unreachable_ = std::make_unique<const leg::Failure>(failure);
    log_refused(failure.reason);
    end(failure.reason);
}

void InboundChannel::end(const std::string& reason)
{
    if (ended_)
        return;
    ended_ = true;
    drop(rpch::Leg::successor);
    close(leg_->received() + first_pdu_size_, hub_.find_outbound(virtual_connection()), reason);
    hub_.retire(*this);
}

} // namespace tunnel
