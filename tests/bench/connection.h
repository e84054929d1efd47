#pragma once

#include "bench/channel.h"
#include "rpch/effects.h"
#include "rpch/framer.h"

#include <list>
#include <memory>
#include <string>

namespace bench {

class Session;

/// One connection that the backend accepted: of a session's legs, once its first PDU has told which.
///
/// Destroy it with Loop::defer.
class Connection final : private Channel::Owner {
public:
    class Host {
    public:
        /// The first PDU. The session that takes the connection has called join(); else it was closed.
        virtual void connection_begins(Connection& connection, const rpch::Rts& pdu) = 0;
        /// It was closed, by whomever; the last callback.
        virtual void connection_gone(Connection& connection, const std::string& reason) = 0;

    protected:
        ~Host() = default;
    };

    Connection(net::Loop& loop, const Pattern& pattern, Host& host) : host_(host), channel_(loop, pattern, *this) {}

    /// `greeting` goes first. With a session the stream has no protocol.
    void start(base::UniqueFd socket, base::Bytes greeting, const std::shared_ptr<Session>& session);
    void close(const std::string& reason);
    /// As close(); the session has done it and is not told.
    void drop();

    void join(const std::shared_ptr<Session>& session, rpch::Leg leg);
    void become(rpch::Leg leg) noexcept { leg_ = leg; }
    rpch::Leg leg() const noexcept { return leg_; }
    const std::shared_ptr<Session>& session() const noexcept { return session_; }
    bool dropped() const noexcept { return dropped_; }
    Channel& channel() noexcept { return channel_; }
    std::list<Connection>::iterator self; ///< the host's own bookmark

private:
    void channel_ready(Channel&) override {}
    void channel_bytes(Channel& channel, base::Bytes bytes) override;
    void channel_drained(Channel& channel) override;
    void channel_closed(Channel&, const std::string& reason) override { host_.connection_gone(*this, reason); }

    void take_pdus(base::Bytes bytes);

    Host& host_;
    Channel channel_;
    rpch::Framer framer_;
    std::shared_ptr<Session> session_;
    rpch::Leg leg_ = rpch::Leg::in;
    bool framed_ = true;
    bool dropped_ = false;
};

} // namespace bench
