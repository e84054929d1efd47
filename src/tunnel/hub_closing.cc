#include "tunnel/hub.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

// How tunnels are ended that have done nothing wrong: a mailbox moves, or the node goes.

namespace tunnel {
namespace {

/// Channels of moved mailboxes are closed over about this time, so that their clients do not all come
/// back at once.
constexpr net::Millis moving_time{2000};

} // namespace

/// Routes on their way to a worker and back. The loop's thread clears `hub` to cancel.
struct Hub::Recheck {
    Hub* hub;
    std::vector<std::pair<std::string, directory::Route>> routes;
    std::unordered_set<std::string> moved;
};

Hub::~Hub()
{
    if (recheck_)
        recheck_->hub = nullptr;
    close_all("the daemon stops");
    environment_.loop.settle(); // what has ended refers to its hub until it is buried
}

void Hub::recheck_routes()
{
    if (recheck_)
        recheck_->hub = nullptr;
    recheck_ = std::make_shared<Recheck>();
    recheck_->hub = this;
    std::unordered_set<std::string> seen;
    const auto note = [&](bool mailbox, const std::string& target, const directory::Route& route) {
        if (mailbox && seen.insert(target + ' ' + route.text()).second)
            recheck_->routes.emplace_back(target, route);
    };
    const auto note_grant = [&](const Grant& grant) { note(grant.mailbox, grant.party.target, grant.route); };
    for (const auto& entry : inbound_)
        note_grant(*entry.second->visitor().grant);
    for (const auto& entry : outbound_)
        note_grant(*entry.second->visitor().grant);
    for (const auto& [key, proxy] : spliced_)
        note(proxy->arrival().mailbox, proxy->arrival().target, proxy->arrival().route);
    if (recheck_->routes.empty())
        return recheck_.reset();

    // The hub and its environment may be gone when a worker comes to it; the directory and the loop are not.
    const bool submitted = environment_.workers.submit([recheck = recheck_, &policy = environment_.policy,
                                                        &loop = environment_.loop] {
        for (const auto& [target, route] : recheck->routes) {
            const directory::Decision decision = policy.decide(target);
            if (decision.allowed() && decision.route != route)
                recheck->moved.insert(target + ' ' + route.text());
        }
        loop.post([recheck] {
            if (Hub* const hub = recheck->hub)
                hub->mark_moved(*recheck);
        });
    });
    if (!submitted)
        recheck_.reset();
}

void Hub::mark_moved(const Recheck& answer)
{
    static constexpr char reason[] = "the active copy of the mailbox database has moved to another server";
    const auto moved = [&](bool mailbox, const std::string& target, const directory::Route& route) {
        return mailbox && answer.moved.contains(target + ' ' + route.text());
    };
    const auto grant_moved = [&](const Grant& grant) { return moved(grant.mailbox, grant.party.target, grant.route); };
    std::vector<Spread::Act> acts;
    for (const auto& [cookie, channel] : inbound_)
        if (grant_moved(*channel->visitor().grant))
            acts.push_back(ending(cookie, reason));
    for (const auto& [cookie, channel] : outbound_)
        if (grant_moved(*channel->visitor().grant) && !inbound_.contains(cookie))
            acts.push_back(ending(cookie, reason));
    for (const auto& [key, proxy] : spliced_)
        if (moved(proxy->arrival().mailbox, proxy->arrival().target, proxy->arrival().route))
            acts.push_back(ending(proxy, reason));
    recheck_.reset();
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
    // The rest of the time is for the last words. An IN channel cannot be asked for; if its OUT channel can, it has half
    // of the time to be replaced for a reason of its own.
    const net::Millis window = std::max(time / 2, time - Farewell::patience - net::Millis(500));
    asking_.start(std::move(asks), net::Millis(0), time / 4);
    ending_.start(std::move(ends), net::Millis(0), window);
    cutting_.start(std::move(cuts), window / 2, window / 2);
}

} // namespace tunnel
