#pragma once

#include "rpch/cookie.h"
#include "rpch/effects.h"
#include "rpch/flow.h"
#include "rpch/rts.h"

#include <cstdint>

namespace rpch {

/// The client of one virtual connection, MS-RPCH 3.2.2, without I/O: it is told what happens and answers
/// with effects. Legs: Leg::in (the body of RPC_IN_DATA) and Leg::out (the body of RPC_OUT_DATA and of
/// its response).
///
/// It does not recycle: a channel lives until its lifetime is used up. A method that returns text reports
/// a protocol error: close both channels with that reason. After a close nothing more may be reported.
/// One thread.
class Client {
public:
    struct Settings {
        std::uint32_t receive_window = 65'536;     ///< bytes, announced in CONN/A1
        std::uint32_t in_lifetime = 1'073'741'824; ///< bytes, the Content-Length of the IN request
        std::uint32_t client_keepalive = 300'000;  ///< ms; never 0, which makes a Windows proxy fail
    };
    struct Cookies {
        Cookie virtual_connection, in_channel, out_channel, association_group;
        static Cookies random();
    };

    /// 3.2.2.1: OUT Channel Wait, Wait_A3W, Wait_C2, Opened.
    enum class State : std::uint8_t { out_channel_wait, a3w, c2w, opened, finished };

    Client(const Settings& settings, const Cookies& cookies) noexcept;

    /// The head of the IN request was written: CONN/B1 follows it. The two requests come in any order.
    void on_in_request(Effects& effects);
    /// The head of the OUT request was written: CONN/A1 follows it.
    void on_out_request(Effects& effects);
    /// The OUT request was answered with status 200 (3.2.2.5.2).
    void on_success_response(Effects& effects);
    void on_out_rts(const Rts& pdu, Effects& effects);

    /// An RPC PDU of `size` bytes begins on the OUT channel. Null when it is legal now.
    const char* on_out_rpc(std::uint32_t size) noexcept;
    /// `size` bytes of RPC PDUs were handed to the caller's RPC layer; the outbound proxy may have to be told.
    void on_consumed(std::uint32_t size, Effects& effects);

    /// Whether an RPC PDU of `size` bytes may go to the inbound proxy now, and that it went.
    bool admits(std::uint32_t size) const noexcept { return state_ == State::opened && in_window_.admits(size); }
    void sent(std::uint32_t size) noexcept;
    /// Whether `size` more bytes fit into the Content-Length of the IN request.
    bool lifetime_admits(std::uint32_t size) const noexcept { return in_body_sent_ + size <= settings_.in_lifetime; }

    /// How long the IN channel may stay silent, in ms: half of the connection timeout.
    std::uint32_t ping_after() const noexcept { return clamp_connection_timeout(connection_timeout_) / 2; }
    /// Nothing was sent on the IN channel for that long.
    void on_idle(Effects& effects);

    State state() const noexcept { return state_; }
    const Cookies& cookies() const noexcept { return cookies_; }
    /// What the proxies announced, as received: bytes and ms; 0 before CONN/C2, the timeout before CONN/A3.
    std::uint32_t in_window() const noexcept { return in_window_.announced(); }
    std::uint32_t connection_timeout() const noexcept { return connection_timeout_; }
    /// The server asked for a new OUT channel: the lifetime of this one is nearly used up.
    bool recycling_asked() const noexcept { return recycling_asked_; }

private:
    void on_conn_a3(const Rts& pdu, Effects& effects);
    void on_conn_c2(const Rts& pdu, Effects& effects);
    void on_acknowledgement(const Rts& pdu, Effects& effects);
    void send_in(const RtsBytes& pdu, Effects& effects);
    void fail(const char* reason, Effects& effects);

    Settings settings_;
    Cookies cookies_;
    State state_ = State::out_channel_wait;
    bool recycling_asked_ = false;
    std::uint32_t connection_timeout_ = 0;
    std::uint64_t in_body_sent_ = 0;
    SendWindow in_window_;
    ReceiveWindow out_window_;
};

} // namespace rpch
