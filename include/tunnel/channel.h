#pragma once

#include "hop/hop.h"
#include "leg/leg.h"
#include "leg/silence.h"
#include "net/timer.h"
#include "tunnel/newcomer.h"

#include <cstdint>
#include <memory>
#include <string>

namespace tunnel {

class Hub;

/// What an IN and an OUT channel of this node have in common: the client's leg, the hop to the server, how both begin, and
/// how they end.
class Channel : public leg::Leg::Owner, public hop::Hop::User {
public:
    const leg::Visitor& visitor() const noexcept { return visitor_; }
    const rpch::Cookie& virtual_connection() const noexcept { return visitor_.virtual_connection; }
    virtual bool opened() const noexcept = 0;
    /// It is to replace a channel of another node, and has not yet.
    bool joining() const noexcept { return joins_ && !opened(); }
    /// How long nothing has come from the client (IN), or gone to it (OUT).
    net::Millis silent() const;

protected:
    /// Takes the stream of `opening`. `joins`: it begins as the replacement of a channel of another node.
    Channel(Hub& hub, leg::Side side, Opening& opening, bool joins);
    ~Channel() = default;

    /// The end of both legs; what the client was told last still reaches it. `bytes`: of the body, for the log. `mate`: the
    /// other channel of the virtual connection, or null.
    void close(std::uint64_t bytes, const Channel* mate, const std::string& reason);
    /// A line for an administrator who sees refusals only: the channel's server cannot be had.
    void log_refused(const std::string& reason) const;
    /// Something has, now: see silent().
    void heard() noexcept;
    /// For a successor to complete, or a predecessor to drain: then on_recycling_timeout().
    void limit_recycling();
    /// Waits for leg::Silence; then on_silence().
    void watch_for_silence();

    virtual void on_clock() = 0;
    virtual void on_silence() = 0;
    virtual void on_recycling_timeout() = 0;

    void hop_routed(const directory::Route& route) override;

    Hub& hub_;
    leg::Visitor visitor_;
    const leg::Side side_;
    const bool joins_;
    bool ended_ = false;
    std::unique_ptr<leg::Leg> leg_;
    std::unique_ptr<hop::Hop> hop_;
    net::Timer clock_; // until opened: the time to get there; then what the channel needs; at the end: for last words
    leg::Silence silence_; // of a peer that may wait for an acknowledgement
    std::unique_ptr<net::Timer> recycling_; // only while it runs
    const net::Millis began_;
    net::Millis heard_;
};

} // namespace tunnel
