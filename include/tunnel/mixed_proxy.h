#pragma once

#include "leg/arrival.h"
#include "leg/dialer.h"
#include "leg/environment.h"
#include "leg/failure.h"
#include "leg/farewell.h"
#include "leg/leg.h"
#include "net/timer.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace tunnel {

/// The mixed proxy of RPC over HTTP version 1 (MS-RPCH 3.1.2): one stream to the client, one to the server,
/// and RPC PDUs unchanged both ways. No virtual connection, no RTS PDU, no flow control but TCP's: what one
/// side does not take is not read from the other.
///
/// Whether the client came with RPC_CONNECT or speaks plain RPC as to an ncacn_http server makes no
/// difference but in what it is told besides PDUs: the replies.
///
/// Destroyed with Loop::defer. One thread.
class MixedProxy {
public:
    /// For the last words of a side to reach the other, when it has closed.
    static constexpr net::Millis drain_patience{10'000};

    /// What the client is told before the first PDU of the server, and in place of all PDUs for the number of a
    /// leg::Failure. Both may be empty.
    struct Replies {
        std::string reached;
        std::string (*unreached)(std::uint32_t rpc_error) = nullptr;
    };
    /// The answers to RPC_CONNECT, MS-RPCH 2.1.1.1.2. For a server that cannot be reached it knows none; that
    /// of version 2 serves.
    static Replies http_replies();

    class Host {
    public:
        /// It is over: forget it, destroy it with Loop::defer.
        virtual void mixed_proxy_ended(MixedProxy& proxy) = 0;

    protected:
        ~Host() = default;
    };

    /// Of the arrival, its method, HTTP facts and length do not count. `early` are PDU bytes.
    MixedProxy(const leg::Environment& environment, leg::Farewell& farewell, leg::Arrival&& arrival, Replies replies, Host& host,
               net::Millis patience = drain_patience);

    /// Connects to the server. PDUs of the client wait until it is reached.
    void start();
    /// Closes both streams. Idempotent.
    void end(const std::string& reason);

    /// Its route is that of the connection to the server, once there is one.
    const leg::Arrival& arrival() const noexcept { return arrival_; }

private:
    /// One of the two ends of the splice. `leg` exists once the end does.
    struct End final : leg::Leg::Owner {
        End(MixedProxy& p, End& o, const char* n) noexcept : proxy(p), other(o), name(n), heard(p.environment_.loop.now()) {}

        std::size_t leg_allowance() override;
        void leg_rpc(const rpch::Framer::Piece& piece) override;
        void leg_rts(const rpch::Rts& pdu) override;
        void leg_delivered() override;
        void leg_writable() override { flush(); }
        void leg_closed(const std::string& reason) override { proxy.on_closed(*this, reason); }
        net::Millis leg_patience(bool) override { return proxy.patience_; }
        void leg_banner() override { proxy.on_reached(); }
        bool admits(std::uint32_t) const override { return true; }
        void sent(std::uint32_t) override {}

        void flush();

        MixedProxy& proxy;
        End& other;
        const char* const name;
        std::optional<leg::Leg> leg;
        std::uint64_t received = 0; // bytes of PDUs
        net::Millis heard;          // when the last one came
        bool deaf = false;          // takes nothing any more; what it has sent is still read
    };

    void on_client_event(std::uint32_t events);
    void on_dialed(leg::Dialer::Outcome outcome);
    void on_reached();
    void on_clock();
    void on_closed(End& from, const std::string& reason);
    void on_leaving(const End& from, const std::string& reason);
    void fail(const leg::Failure& failure);
    void close(End& end);

    const leg::Environment& environment_;
    leg::Farewell& farewell_;
    leg::Arrival arrival_; // its stream: until the server is reached
    Replies replies_; // likewise
    Host& host_;
    End client_;
    End server_;
    std::optional<net::Watch> client_watch_; // until the server is reached: a client can go away meanwhile
    std::unique_ptr<leg::Dialer> dialer_;
    net::Timer clock_; // for the banner; at the end for last words
    const net::Millis patience_;
    const net::Millis began_;
    std::string end_reason_; // one side has ended, and what it has sent has not been read to the end
    bool reached_ = false;
    bool ended_ = false;
};

} // namespace tunnel
