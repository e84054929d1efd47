#pragma once

#include "base/pending.h"
#include "base/retry.h"
#include "leg/arrival.h"
#include "leg/environment.h"
#include "leg/farewell.h"
#include "leg/grant.h"
#include "leg/inquiries.h"
#include "net/timer.h"
#include "pairing/pairing.h"
#include "tunnel/inbound_channel.h"
#include "tunnel/mixed_proxy.h"
#include "tunnel/newcomer.h"
#include "tunnel/outbound_channel.h"
#include "tunnel/spread.h"

#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace tunnel {

/// All virtual connections of one shard: one table per role, keyed by the cookie of the virtual
/// connection (MS-RPCH 3.2.3.1, 3.2.4.1, 3.2.5.1). Lives in its loop's thread; only join() comes before.
///
/// A channel request arrives on any shard. As soon as its first PDU has named the virtual connection, the
/// stream moves to that connection's home shard, so that everything about it happens in one thread.
class Hub final : public leg::Reception, public Newcomer::Host, public MixedProxy::Host, public pairing::Pairing::Splicer {
public:
    explicit Hub(const leg::Environment& environment);
    /// What it still has, ends. Not within a callback of the loop.
    ~Hub();

    /// Tells the hub of all shards, itself included, before the loops run. They outlive each other's use.
    void join(std::span<Hub* const> hubs);
    pairing::Pairing& pairing() noexcept { return pairing_; }

    void arrive(leg::Arrival&& arrival) override;
    /// A client whose stream is RPC PDUs alone, for the mixed proxy: version 1 of the protocol. It stays on this shard.
    void splice(leg::Arrival&& arrival, MixedProxy::Replies replies);
    /// The same for one that came without HTTP.
    void splice(leg::Arrival&& arrival) override { splice(std::move(arrival), {}); }
    std::size_t clients() const override { return size() + leaving(); }

    /// The directory has changed: channels of mailboxes whose active copy has moved are closed, spread over
    /// a short time. Returns at once, and is repeated until the directory has answered.
    void recheck_routes();
    /// Ends everything softly, within `time`; from now on nothing new is admitted. Clients whose server end is on another
    /// node are asked to replace their OUT channels, which another node will take. What cannot go on without
    /// this node ends one after the other.
    void drain(net::Millis time);
    /// Closes every channel; from now on none is admitted.
    void close_all(const std::string& reason);

    std::size_t outbound_channels() const noexcept { return outbound_.size(); }
    /// Everything that still serves a client.
    std::size_t size() const noexcept
    {
        return inbound_.size() + outbound_.size() + relieved_inbound_.size() + relieved_outbound_.size()
               + newcomers_.size() + doubts_.size() + spliced_.size();
    }
    /// Clients that have been told the end and may still be reading it.
    std::size_t leaving() const noexcept { return farewell_.size(); }

    // For the channels.
    const leg::Environment& environment() const noexcept { return environment_; }
    InboundChannel* find_inbound(const rpch::Cookie& virtual_connection);
    OutboundChannel* find_outbound(const rpch::Cookie& virtual_connection);
    /// `joins`: the channel replaces one of another node.
    std::unique_ptr<hop::Hop> make_hop(leg::Side side, const leg::Visitor& visitor, bool joins, hop::Hop::User& user);
    void retire(InboundChannel& channel);
    void retire(OutboundChannel& channel);
    /// The channel goes on on another node: it leaves its table and lives on until it has drained.
    void relieve(InboundChannel& channel);
    void relieve(OutboundChannel& channel);
    leg::Farewell& farewell() noexcept { return farewell_; }
    leg::Grants& grants() noexcept { return grants_; }

private:
    void newcomer_ready(Newcomer& newcomer, Opening&& opening) override;
    void newcomer_failed(Newcomer& newcomer, const std::string& reason) override;
    void mixed_proxy_ended(MixedProxy& proxy) override;

    void admit(Opening&& opening);
    const char* objection(const Opening& opening);
    const char* succeed(Opening& opening);

    /// Routes that are asked for anew, a few at a time, so that nobody waits long behind them.
    struct Recheck {
        std::vector<std::pair<std::string, directory::Route>> routes;
        std::size_t next = 0;
        std::unordered_set<std::string> moved;
        base::Pending pending;
    };
    struct Findings;

    bool in_doubt(const leg::Arrival& arrival) const noexcept;
    void judge_again(Opening&& opening);
    void on_judged_again(Opening&& opening, const std::optional<directory::Decision>& answer);
    /// `virtual_connection`: null when it has named none yet.
    void refuse(leg::Arrival& arrival, const std::string& reason, const rpch::Cookie* virtual_connection = nullptr,
                const std::string& reply = {});
    void take_in(Opening&& opening);
    void begin_recheck();
    void recheck_next();
    void on_rechecked(const std::optional<Findings>& findings);
    void mark_moved();
    Spread::Act ending(const rpch::Cookie& virtual_connection, const char* reason);
    static Spread::Act ending(const std::weak_ptr<MixedProxy>& proxy, const char* reason);

    const leg::Environment environment_;
    std::vector<Hub*> hubs_;
    leg::Farewell farewell_;
    leg::Grants grants_;
    pairing::Pairing pairing_;
    std::list<Newcomer> newcomers_;
    std::unordered_map<rpch::Cookie, std::unique_ptr<InboundChannel>> inbound_;
    std::unordered_map<rpch::Cookie, std::unique_ptr<OutboundChannel>> outbound_;
    std::vector<std::unique_ptr<InboundChannel>> relieved_inbound_;
    std::vector<std::unique_ptr<OutboundChannel>> relieved_outbound_;
    std::unordered_map<const MixedProxy*, std::shared_ptr<MixedProxy>> spliced_;
    leg::Inquiries<Opening> doubts_; // judged before the directory changed
    Recheck recheck_;
    base::Retry recheck_retry_{"recheck", "tunnels may stay whose mailbox has moved; it is tried again", "done after all"};
    net::Timer recheck_again_;
    Spread moved_;   // closes tunnels whose mailbox has moved
    Spread asking_;  // asks for new OUT channels
    Spread ending_;  // ends what cannot move
    Spread cutting_; // ends what has not moved
    bool closed_ = false;
};

} // namespace tunnel
