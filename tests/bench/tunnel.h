#pragma once

#include "bench/plan.h"
#include "bench/request.h"
#include "rpch/client.h"

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

namespace bench {

/// The client end of one tunnel: one connection without protocol, or two with MS-RPCH's client role on them,
/// with HTTP requests (Relay::rpch) or without (Relay::pair). Behind rpctunneld its channels are replaced when they
/// near their end, or when the plan says so.
class Tunnel final : private Request::Owner {
public:
    class Host {
    public:
        virtual void tunnel_opened(Tunnel& tunnel) = 0;
        /// It could not be opened, and is closed. Only when the plan has steps; else that is the end.
        virtual void tunnel_failed(Tunnel& tunnel, const std::string& reason) = 0;

    protected:
        ~Host() = default;
    };
    /// What all tunnels share.
    struct Common : Request::Means {
        Counts& counts;
        Host& host;
    };

    /// `number`: counted from 0; the source address and the user depend on it.
    Tunnel(const Common& common, std::uint32_t number);
    ~Tunnel() { close(); }

    void open();
    /// Begins the work of the plan.
    void start();
    /// Echo: one PDU more, which was due at `due` (ns).
    void ask(std::uint64_t due);
    void close();
    /// It is not to open any more.
    void fail(const std::string& reason);

    std::uint32_t number() const noexcept { return number_; }
    std::uint64_t received() const noexcept { return received_; } ///< bytes of the pattern
    std::string describe() const { return at(rpch::Leg::in)->channel().describe(); }
    /// What it has done and in which states it is, for whoever looks why it does no more.
    std::string progress() const;

private:
    using Leg = rpch::Leg;
    enum class State : std::uint8_t { opening, opened, failed };

    void request_ready(Request& request) override;
    void request_answered(Request& request) override;
    void request_piece(Request& request, const rpch::Framer::Piece& piece) override;
    void request_taken(Request& request) override;
    void request_drained(Request& request) override;
    void request_closed(Request& request, const std::string& reason) override;

    void opened();
    void take_pattern(base::Bytes bytes);
    void arrived();
    void answered();
    void pump();

    void run(const rpch::Effects& effects);
    void send_request(Leg leg);
    void promote(Leg leg);
    void drop(Leg leg);
    bool moves(Leg leg) const;
    void watch_the_time();
    void on_time(Leg leg);
    void on_in_time() { on_time(Leg::in); }
    void on_out_time() { on_time(Leg::out); }

    std::unique_ptr<Request>& at(Leg leg) { return legs_[static_cast<std::size_t>(leg)]; }
    const std::unique_ptr<Request>& at(Leg leg) const { return legs_[static_cast<std::size_t>(leg)]; }
    Leg leg_of(const Request& request) const;

    const Common& common_;
    const std::uint32_t number_;
    State state_ = State::opening;
    std::array<std::unique_ptr<Request>, 10> legs_; // by Leg; with Relay::single `in` alone
    rpch::Client role_;
    net::Timer in_time_;  // for a step of a channel's replacement
    net::Timer out_time_;
    std::uint32_t in_requests_ = 0, out_requests_ = 0;
    std::uint32_t consumed_ = 0; // bytes of RPC PDUs in the read that is being taken
    bool started_ = false;
    std::uint64_t wanted_ = 0;   // bytes of the pattern to send
    std::uint64_t admitted_ = 0; // of these given to an IN channel
    std::uint64_t received_ = 0; // bytes of the pattern
    std::uint64_t answers_ = 0;  // echo: PDUs that came back
    std::deque<std::uint64_t> asked_; // echo: when those on the way were due, ns
};

} // namespace bench
