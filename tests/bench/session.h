#pragma once

#include "bench/pattern.h"
#include "bench/plan.h"
#include "bench/server_end.h"
#include "net/timer.h"
#include "rpch/cookie.h"

#include <array>
#include <memory>
#include <string>

namespace bench {

class Connection;

/// The far end of one tunnel: a connection without protocol, or those of a virtual connection with the server's
/// part of MS-RPCH.
class Session : public std::enable_shared_from_this<Session> {
public:
    using Leg = rpch::Leg;

    /// What all sessions share.
    struct Common {
        net::Loop& loop;
        const Plan& plan;
        const Pattern& pattern;
        Counts& counts;
    };

    /// `end`: null without protocol; then there is no cookie either.
    Session(const Common& common, const rpch::Cookie& virtual_connection, std::unique_ptr<ServerEnd> end);

    /// Null: `connection` is one of the legs now. Text: it may not come now.
    const char* admit(Connection& connection, const rpch::Rts& pdu);
    /// The only leg of a session without protocol.
    void attach(Connection& connection);

    void on_rts(Leg leg, const rpch::Rts& pdu);
    void on_rpc(Leg leg, std::uint32_t size);
    void take(base::Bytes bytes);
    /// `size` bytes of RPC PDUs were taken.
    void arrived(std::uint32_t size);
    void on_drained(Leg leg);
    /// A leg is gone. Null: the session goes on without it, or has ended with it. Text: why it cannot go on.
    const char* on_gone(Connection& connection);
    /// Closes all legs.
    void close(const std::string& reason);

    bool over() const noexcept; ///< it has no leg any more
    const rpch::Cookie& virtual_connection() const noexcept { return virtual_connection_; }
    std::uint64_t received() const noexcept { return received_; }
    std::uint64_t sent() const noexcept { return admitted_; }

private:
    void pump();
    void run(const rpch::Effects& effects);
    void promote(Leg leg);
    void watch_the_time();
    void on_time(Leg leg);
    void on_in_time() { on_time(Leg::in); }
    void on_out_time() { on_time(Leg::out); }

    Connection*& at(Leg leg) { return legs_[static_cast<std::size_t>(leg)]; }

    const Common& common_;
    const rpch::Cookie virtual_connection_;
    const std::unique_ptr<ServerEnd> end_; // none without protocol
    std::array<Connection*, 10> legs_{};   // by Leg
    net::Timer in_time_;
    net::Timer out_time_;
    std::uint64_t received_ = 0;
    std::uint64_t wanted_ = 0;   // bytes to send
    std::uint64_t admitted_ = 0; // of these given to an OUT channel
};

} // namespace bench
