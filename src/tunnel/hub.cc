#include "tunnel/hub.h"

#include "hop/ncacn_http.h"
#include "hop/node.h"
#include "leg/refusal.h"
#include "rpch/rts_table.h"

#include <algorithm>
#include <cassert>
#include <unordered_set>
#include <utility>

namespace tunnel {
Hub::Hub(const leg::Environment& environment)
    : environment_(environment), hubs_{this}, farewell_(environment.loop),
      pairing_(environment_, grants_, farewell_, *this),
      recheck_again_(environment.loop, net::Timer::Callback::of<&Hub::begin_recheck>(this)),
      moved_(environment.loop), asking_(environment.loop),
      ending_(environment.loop), cutting_(environment.loop)
{
}

void Hub::join(std::span<Hub* const> hubs)
{
    hubs_.assign(hubs.begin(), hubs.end());
    std::vector<pairing::Pairing*> all;
    for (Hub* const hub : hubs_)
        all.push_back(&hub->pairing_);
    pairing_.join(all);
}

// A channel request comes in.

void Hub::arrive(leg::Arrival&& arrival)
{
    if (arrival.method == leg::Method::connect) {
        Opening opening;
        opening.arrival = std::move(arrival);
        return take_in(std::move(opening));
    }
    Newcomer& newcomer = newcomers_.emplace_back(environment_.loop, *this, std::move(arrival));
    newcomer.self = std::prev(newcomers_.end());
    newcomer.start(net::Millis(environment_.settings.setup_timeout));
}

void Hub::splice(leg::Arrival&& arrival, MixedProxy::Replies replies)
{
    const auto proxy =
        std::make_shared<MixedProxy>(environment_, farewell_, std::move(arrival), std::move(replies), *this);
    spliced_.emplace(proxy.get(), proxy);
    if (closed_)
        return proxy->end("the daemon stops");
    proxy->start();
}

void Hub::newcomer_ready(Newcomer& newcomer, Opening&& opening)
{
    Hub& home = *hubs_[opening.virtual_connection.hash() % hubs_.size()];
    environment_.loop.defer([this, self = newcomer.self] { newcomers_.erase(self); });
    if (&home == this)
        return admit(std::move(opening));
    environment_.loop.part_with(opening.arrival.stream);
    auto parcel = std::make_shared<Opening>(std::move(opening));
    home.environment_.loop.post([&home, parcel] { home.admit(std::move(*parcel)); });
}

void Hub::newcomer_failed(Newcomer& newcomer, const std::string& reason)
{
    refuse(newcomer.arrival(), reason);
    environment_.loop.defer([this, self = newcomer.self] { newcomers_.erase(self); });
}

/// The end of every way of a client into this shard.
void Hub::take_in(Opening&& opening)
{
    if (opening.arrival.method == leg::Method::connect)
        return in_doubt(opening.arrival) ? judge_again(std::move(opening))
                                         : splice(std::move(opening.arrival), MixedProxy::http_replies());
    admit(std::move(opening));
}

void Hub::refuse(leg::Arrival& arrival, const std::string& reason, const rpch::Cookie* virtual_connection,
                 const std::string& reply)
{
    leg::log_refused({arrival.id, name(arrival.method), virtual_connection, arrival.peer, arrival.grant.party}, reason);
    farewell_.say(std::move(arrival.stream), base::bytes_of(reply));
}

void Hub::admit(Opening&& opening)
{
    const bool in = opening.arrival.method == leg::Method::in_data;
    const bool successor = in ? find_inbound(opening.virtual_connection) != nullptr
                              : find_outbound(opening.virtual_connection) != nullptr;
    const char* reason = objection(opening);
    if (!reason && successor)
        reason = succeed(opening);
    // A protocol error is answered by closing, without an HTTP response (3.2.3.5.10, 3.2.4.5.14), and costs the newcomer
    // alone, never the virtual connection it names.
    if (reason)
        return refuse(opening.arrival, reason, &opening.virtual_connection);
    if (successor)
        return; // whom recheck_routes() knows
    if (in_doubt(opening.arrival))
        return judge_again(std::move(opening));
    const rpch::Cookie cookie = opening.virtual_connection;
    if (in)
        inbound_.emplace(cookie, std::make_unique<InboundChannel>(*this, opening)).first->second->start(opening);
    else
        outbound_.emplace(cookie, std::make_unique<OutboundChannel>(*this, opening)).first->second->start(opening);
}

// Between its judgement and its admission a client may take its time, and the directory may have changed; whoever is in a
// table is found by recheck_routes().

bool Hub::in_doubt(const leg::Arrival& arrival) const noexcept
{
    return arrival.judged_at != environment_.judge.generation();
}

void Hub::judge_again(Opening&& opening)
{
    const std::string target = opening.arrival.grant.party.target;
    doubts_.ask(environment_, "a second judgement", std::move(opening), target,
                [this](Opening&& judged, std::uint64_t generation, const std::optional<directory::Decision>& answer) {
                    judged.arrival.judged_at = generation;
                    on_judged_again(std::move(judged), answer);
                });
}

void Hub::on_judged_again(Opening&& opening, const std::optional<directory::Decision>& answer)
{
    leg::Arrival& arrival = opening.arrival;
    const rpch::Cookie* const vc = arrival.method == leg::Method::connect ? nullptr : &opening.virtual_connection;
    if (!answer)
        return refuse(arrival, "too much waits for the directory", vc,
                      leg::rpc_error_reply(leg::rpc_code::server_too_busy));
    if (!answer->allowed())
        return refuse(arrival, "the directory has changed: " + answer->reason, vc,
                      leg::rpc_error_reply(leg::rpc_code::server_unavailable));
    arrival.grant = leg::Grant::of(std::move(arrival.grant.party), *answer);
    take_in(std::move(opening));
}

/// Why a channel may not join, or null. See "Cookies" in PROTOCOL NOTES of rpctunneld(8).
const char* Hub::objection(const Opening& opening)
{
    if (closed_)
        return "the daemon stops";
    const bool in = opening.arrival.method == leg::Method::in_data;
    const InboundChannel* const inbound = find_inbound(opening.virtual_connection);
    const OutboundChannel* const outbound = find_outbound(opening.virtual_connection);
    const bool recycles = opening.first_pdu.is(rpch::RtsId::in_r1_a1) || opening.first_pdu.is(rpch::RtsId::out_r1_a3);
    if (in && inbound && !recycles)
        return "the virtual connection has an IN channel already";
    if (!in && outbound && !recycles)
        return "the virtual connection has an OUT channel already";
    const leg::Visitor* const visitor = inbound ? &inbound->visitor() : outbound ? &outbound->visitor() : nullptr;
    const leg::Party* const mate = visitor ? &visitor->party() : nullptr;
    if (mate && mate->principal != opening.arrival.grant.party.principal)
        return "the other channel of the virtual connection belongs to another user";
    if (mate && mate->target != opening.arrival.grant.party.target)
        return "the other channel of the virtual connection has another target";
    return nullptr;
}

/// A replacement for a channel of this node: IN_R2, OUT_R2. Null when the channel has taken it.
const char* Hub::succeed(Opening& opening)
{
    const bool in = opening.arrival.method == leg::Method::in_data;
    if (in)
        return find_inbound(opening.virtual_connection)->succeed(opening);
    return find_outbound(opening.virtual_connection)->succeed(opening);
}

// The tables.

InboundChannel* Hub::find_inbound(const rpch::Cookie& virtual_connection)
{
    const auto found = inbound_.find(virtual_connection);
    return found == inbound_.end() ? nullptr : found->second.get();
}

OutboundChannel* Hub::find_outbound(const rpch::Cookie& virtual_connection)
{
    const auto found = outbound_.find(virtual_connection);
    return found == outbound_.end() ? nullptr : found->second.get();
}

std::unique_ptr<hop::Hop> Hub::make_hop(leg::Side side, const leg::Visitor& visitor, bool joins, hop::Hop::User& user)
{
    switch (visitor.grant->route.transport) {
    case directory::Transport::ncacn_http: return std::make_unique<hop::NcacnHttp>(environment_, side, visitor, user);
    case directory::Transport::ncacn_ip_tcp:
        if (environment_.nodes.alone())
            return std::make_unique<hop::Local>(pairing_, side, visitor, joins, user);
        return std::make_unique<hop::Node>(environment_, pairing_, side, visitor, joins, user);
    case directory::Transport::https: break; // the directory gives no such route
    }
    assert(!"a route without a next hop");
    return nullptr;
}

// What has ended may still be on the stack: it is destroyed at the end of the round.

template <class Table> static void bury(Table& table, const rpch::Cookie& cookie, const void* object, net::Loop& loop)
{
    const auto found = table.find(cookie);
    if (found == table.end() || found->second.get() != object)
        return;
    std::shared_ptr<typename Table::mapped_type::element_type> last(std::move(found->second));
    table.erase(found);
    loop.defer([last] {});
}

/// True when the channel was relieved before: nothing ends with it.
template <class Channel> static bool bury(std::vector<std::unique_ptr<Channel>>& relieved, Channel& channel, net::Loop& loop)
{
    const auto found = std::find_if(relieved.begin(), relieved.end(), [&](const auto& one) { return one.get() == &channel; });
    if (found == relieved.end())
        return false;
    std::shared_ptr<Channel> last(std::move(*found));
    relieved.erase(found);
    loop.defer([last] {});
    return true;
}

void Hub::relieve(InboundChannel& channel)
{
    const auto found = inbound_.find(channel.virtual_connection());
    if (found == inbound_.end() || found->second.get() != &channel)
        return;
    relieved_inbound_.push_back(std::move(found->second));
    inbound_.erase(found);
}

void Hub::relieve(OutboundChannel& channel)
{
    const auto found = outbound_.find(channel.virtual_connection());
    if (found == outbound_.end() || found->second.get() != &channel)
        return;
    relieved_outbound_.push_back(std::move(found->second));
    outbound_.erase(found);
}

void Hub::retire(InboundChannel& channel)
{
    if (bury(relieved_inbound_, channel, environment_.loop))
        return;
    bury(inbound_, channel.virtual_connection(), &channel, environment_.loop);
    if (channel.joining())
        return; // the channel that it was to replace goes on
    if (OutboundChannel* const mate = find_outbound(channel.virtual_connection()))
        mate->mate_ended("the IN channel has ended", channel.unreachable());
}

void Hub::retire(OutboundChannel& channel)
{
    if (bury(relieved_outbound_, channel, environment_.loop))
        return;
    bury(outbound_, channel.virtual_connection(), &channel, environment_.loop);
    if (channel.joining())
        return;
    if (InboundChannel* const mate = find_inbound(channel.virtual_connection()))
        mate->end("the OUT channel has ended");
}

void Hub::mixed_proxy_ended(MixedProxy& proxy)
{
    const auto found = spliced_.find(&proxy);
    environment_.loop.defer([last = std::move(found->second)] {});
    spliced_.erase(found);
}

void Hub::close_all(const std::string& reason)
{
    closed_ = true;
    while (!outbound_.empty())
        outbound_.begin()->second->end(reason);
    while (!inbound_.empty())
        inbound_.begin()->second->end(reason);
    while (!relieved_outbound_.empty())
        relieved_outbound_.back()->end(reason);
    while (!relieved_inbound_.empty())
        relieved_inbound_.back()->end(reason);
    pairing_.close_all(reason);
    for (Newcomer& newcomer : newcomers_)
        newcomer.end(reason);
    doubts_.end([&](Opening&& opening) { refuse(opening.arrival, reason); });
    while (!spliced_.empty())
        spliced_.begin()->second->end(reason);
}

} // namespace tunnel
