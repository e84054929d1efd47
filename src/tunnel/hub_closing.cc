#include "tunnel/hub.h"

#include "net/ask.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

// How tunnels are ended that have done nothing wrong: a mailbox moves, or the node goes.

namespace tunnel {
namespace {

/// Channels of moved mailboxes are closed over about this time, so that their clients do not all come
/// back at once.
constexpr net::Millis moving_time{2000};
/// Some milliseconds of one thread.
constexpr std::size_t routes_at_once = 100;

} // namespace

/// Of some of them.
struct Hub::Findings {
    std::vector<std::string> moved;
    std::string failure; ///< why the directory could not tell of all
};

Hub::~Hub()
{
    close_all("the daemon stops");
    environment_.loop.settle(); // what has ended refers to its hub until it is buried
}

void Hub::recheck_routes()
{
    recheck_again_.cancel();
    begin_recheck();
}

void Hub::begin_recheck()
{
    recheck_.pending.cancel();
    recheck_.routes.clear();
    recheck_.next = 0;
    std::unordered_set<std::string> seen;
    const auto note = [&](const leg::Grant& grant) {
        if (grant.mailbox && seen.insert(grant.party.target + ' ' + grant.route.text()).second)
            recheck_.routes.emplace_back(grant.party.target, grant.route);
    };
    for (const auto& entry : inbound_)
        note(*entry.second->visitor().grant);
    for (const auto& entry : outbound_)
        note(*entry.second->visitor().grant);
    for (const auto& [key, proxy] : spliced_)
        note(proxy->arrival().grant);
    recheck_next();
}

void Hub::recheck_next()
{
    if (recheck_.next == recheck_.routes.size()) {
        recheck_retry_.done();
        return mark_moved();
    }
    const auto first = recheck_.routes.begin() + static_cast<std::ptrdiff_t>(recheck_.next);
    recheck_.next = std::min(recheck_.next + routes_at_once, recheck_.routes.size());
    std::vector<std::pair<std::string, directory::Route>> routes(
        first, recheck_.routes.begin() + static_cast<std::ptrdiff_t>(recheck_.next));
    auto work = [routes = std::move(routes), &judge = environment_.judge] {
        Findings findings;
        for (const auto& [target, route] : routes) {
            const directory::Decision decision = judge.decide(target);
            if (decision.kind == directory::Decision::Kind::failed) {
                findings.failure = decision.reason;
                break; // the others would fail too, each after a wait for the same lock
            }
            if (decision.allowed() && decision.route != route)
                findings.moved.push_back(target + ' ' + route.text());
        }
        return findings;
    };
    net::ask(environment_.directory, "a recheck of routes", environment_.loop, recheck_.pending, std::move(work),
             [this](const std::optional<Findings>& findings) { on_rechecked(findings); });
}

void Hub::on_rechecked(const std::optional<Findings>& findings)
{
    if (findings)
        recheck_.moved.insert(findings->moved.begin(), findings->moved.end());
    if (findings && findings->failure.empty())
        return recheck_next();
    recheck_again_.set(recheck_retry_.failed(findings ? findings->failure : "too much waits for the directory"));
    mark_moved();
}

/// Closes what is known by now.
void Hub::mark_moved()
{
    const std::unordered_set<std::string> found = std::exchange(recheck_.moved, {});
    if (found.empty())
        return;
    static constexpr char reason[] = "the active copy of the mailbox database has moved to another server";
    const auto moved = [&](const leg::Grant& grant) {
        return grant.mailbox && found.contains(grant.party.target + ' ' + grant.route.text());
    };
    std::vector<Spread::Act> acts;
    for (const auto& [cookie, channel] : inbound_)
        if (moved(*channel->visitor().grant))
            acts.push_back(ending(cookie, reason));
    for (const auto& [cookie, channel] : outbound_)
        if (moved(*channel->visitor().grant) && !inbound_.contains(cookie))
            acts.push_back(ending(cookie, reason));
    for (const auto& [key, proxy] : spliced_)
        if (moved(proxy->arrival().grant))
            acts.push_back(ending(proxy, reason));
    moved_.start(std::move(acts), net::Millis(0), moving_time);
}

/// Ends what this node has of a virtual connection. OUT first: its client can be told.
Spread::Act Hub::ending(const rpch::Cookie& virtual_connection, const char* reason)
{
    return [this, virtual_connection, reason] {
        if (OutboundChannel* const channel = find_outbound(virtual_connection))
            channel->end(reason);
        if (InboundChannel* const channel = find_inbound(virtual_connection))
            channel->end(reason);
        pairing_.end(virtual_connection, reason);
    };
}

Spread::Act Hub::ending(const std::weak_ptr<MixedProxy>& proxy, const char* reason)
{
    return [proxy, reason] {
        if (const auto living = proxy.lock())
            living->end(reason);
    };
}

void Hub::drain(net::Millis time)
{
    static constexpr char reason[] = "the daemon stops";
    closed_ = true;
    std::vector<Spread::Act> asks, cuts, ends;
    for (const auto& [cookie, channel] : outbound_) {
        (channel->movable() ? cuts : ends).push_back(ending(cookie, reason));
        if (channel->movable())
            asks.push_back([this, vc = cookie] {
                if (OutboundChannel* const living = find_outbound(vc))
                    living->move();
            });
    }
    for (const auto& entry : inbound_)
        if (!outbound_.contains(entry.first))
            ends.push_back(ending(entry.first, reason));
    for (const rpch::Cookie& cookie : pairing_.virtual_connections())
        if (!outbound_.contains(cookie) && !inbound_.contains(cookie))
            ends.push_back(ending(cookie, reason));
    for (const auto& [key, proxy] : spliced_)
        ends.push_back(ending(proxy, reason));
    for (Newcomer& newcomer : newcomers_)
        newcomer.end(reason); // it would not be admitted any more
    // The rest of the time is for the last words. An IN channel cannot be asked for; if its OUT channel can, it has half
    // of the time to be replaced for a reason of its own.
    const net::Millis window = std::max(time / 2, time - leg::Farewell::patience - net::Millis(500));
    asking_.start(std::move(asks), net::Millis(0), time / 4);
    ending_.start(std::move(ends), net::Millis(0), window);
    cutting_.start(std::move(cuts), window / 2, window / 2);
}

} // namespace tunnel
