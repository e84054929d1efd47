#include "tunnel/inbound_channel.h"

#include "base/log.h"
#include "tunnel/hub.h"

#include <algorithm>

// The IN channel gets another request of its client: MS-RPCH 3.2.1.5.3.2 and .3.

namespace tunnel {

const char* InboundChannel::succeed(Opening& opening)
{
    if (opening.arrival.content_length <= opening.first_pdu_size)
        return length_used_up;
    rpch::Effects effects;
    if (const char* const refusal = role_.on_successor(opening.first_pdu, effects))
        return refusal;
    successor_ = std::make_unique<Successor>(*this, std::move(opening));
    limit_recycling();
    run(effects);
    if (!successor_)
        return nullptr;
    const net::Stream& stream = successor_->opening.arrival.stream;
    if (!successor_->watch.add(stream.fd()))
        lose_successor(leg::no_watch().reason);
    else if (stream.readable_inside()) // of everything else the watch brings an event
        on_successor(EPOLLIN);
    return nullptr;
}

InboundChannel::Successor::Successor(InboundChannel& channel, Opening&& from)
    : opening(std::move(from)),
      watch(channel.hub_.environment().loop, net::Watch::Callback::of<&InboundChannel::on_successor>(&channel))
{
}

void InboundChannel::on_successor(std::uint32_t events)
{
    if (events & (EPOLLERR | EPOLLHUP))
        return lose_successor("connection reset by the peer");
    leg::Arrival& arrival = successor_->opening.arrival;
    const std::span<std::uint8_t> scratch = hub_.environment().loop.scratch();
    std::vector<std::uint8_t>& early = arrival.early;
    for (const std::size_t limit = most_waiting(); early.size() < limit;) {
        const std::size_t room = std::min(scratch.size(), limit - early.size());
        const net::IoResult result = arrival.stream.read(scratch.first(room));
        switch (result.kind) {
        case net::IoResult::Kind::ok:
            early.insert(early.end(), scratch.begin(), scratch.begin() + static_cast<std::ptrdiff_t>(result.size));
            break;
        case net::IoResult::Kind::again: return;
        case net::IoResult::Kind::eof:
            if (early.empty())
                lose_successor("closed by the peer");
            return; // its last words are behind an IN_R2/A5 that is still to come
        case net::IoResult::Kind::error: return lose_successor(arrival.stream.error_text(result));
        }
    }
}

void InboundChannel::lose_successor(const std::string& reason)
{
    base::log::info("leg-lost", {{"id", successor_->opening.arrival.id}, {"channel", "in"},
                                 {"vc", virtual_connection().prefix()}, {"reason", reason}});
    recycling_.reset();
    rpch::Effects effects;
    role_.on_closed(rpch::Leg::successor, effects);
    drop(rpch::Leg::successor);
    run(effects);
}

/// The successor carries the channel from now on. What the predecessor brought has been put before. The result is what
/// has come behind the successor's first PDU.
std::vector<std::uint8_t> InboundChannel::promote_successor()
{
    recycling_.reset();
    predecessor_ = std::move(leg_);
    successor_->watch.remove();
    Opening& opening = successor_->opening;
    net::Stream stream = std::move(opening.arrival.stream);
    base::log::info("recycled", {{"id", visitor_.id}, {"channel", "in"}, {"vc", virtual_connection().prefix()},
                                 {"successor", opening.arrival.id},
                                 {"bytes", predecessor_->received() + first_pdu_size_}});
    visitor_.id = opening.arrival.id;
    visitor_.peer = opening.arrival.peer;
    content_length_ = opening.arrival.content_length;
    first_pdu_size_ = opening.first_pdu_size;
    std::vector<std::uint8_t> early = std::move(opening.arrival.early);
    successor_.reset();
    leg_ = std::make_unique<leg::Leg>(hub_.environment().loop, std::move(stream), *this);
    return early;
}

void InboundChannel::drop(rpch::Leg leg)
{
    if (leg == rpch::Leg::successor && successor_) {
        successor_->watch.remove();
        leg::Arrival& arrival = successor_->opening.arrival;
        base::log::notice("successor-dropped", {{"id", arrival.id}, {"channel", "in"},
                                                {"vc", virtual_connection().prefix()}});
        hub_.farewell().say(std::move(arrival.stream));
        successor_.reset();
    } else if (leg == rpch::Leg::predecessor && predecessor_) {
        hub_.farewell().say(predecessor_->release());
        hub_.environment().loop.defer([last = std::shared_ptr<leg::Leg>(std::move(predecessor_))] {});
    }
}

void InboundChannel::on_recycling_timeout()
{
    recycling_.reset();
    rpch::Effects effects;
    role_.on_timeout(effects);
    run(effects);
}

} // namespace tunnel
