#pragma once

#include "rpch/cookie.h"
#include "rpch/effects.h"
#include "rpch/flow.h"
#include "rpch/rts.h"

#include <cstdint>
#include <optional>

namespace rpch {

/// The outbound proxy of one virtual OUT channel, MS-RPCH 3.2.4, without I/O: it is told what happens
/// and answers with effects. Legs: Leg::client (the response to RPC_OUT_DATA) and Leg::server.
///
/// A method that returns text reports a protocol error: close every leg of the channel with that reason.
/// After a close nothing more may be reported. One thread.
class OutboundProxy {
public:
    struct Settings {
        std::uint32_t receive_window;     ///< bytes, announced to the server in CONN/A2
        std::uint32_t connection_timeout; ///< ms, announced to the client in CONN/A3
        std::uint32_t channel_lifetime;   ///< bytes of response body, announced to client and server
    };

    enum class State : std::uint8_t { open_start, connecting, c1w, opened, finished };

    /// Windows sends PingTrafficSentNotify when more than this many bytes of pings are not yet reported.
    static constexpr std::uint32_t ping_notify_threshold = 1031;

    explicit OutboundProxy(const Settings& settings) noexcept;

    /// The first PDU of the request: CONN/A1 (3.2.4.5.3).
    void on_first_pdu(const Rts& pdu, Effects& effects);
    void on_server_connected(Effects& effects);
    void on_server_rts(const Rts& pdu, Effects& effects);
    /// The client has nothing to say on the OUT channel after its first PDU (3.2.4.5.2).
    static const char* on_client_bytes() noexcept { return "bytes from the client behind CONN/A1 on the OUT channel"; }

    /// An RPC PDU of `size` bytes begins on the server leg. Null when it is legal now.
    const char* on_server_rpc(std::uint32_t size, Effects& effects);

    /// Whether an RPC PDU of `size` bytes may go to the client now, and that it went.
    bool admits(std::uint32_t size) const noexcept { return state_ == State::opened && client_window_.admits(size); }
    void sent(std::uint32_t size) noexcept;
    /// What the client's window leaves, in bytes.
    std::uint32_t room() const noexcept { return state_ == State::opened ? client_window_.available() : 0; }
    /// Whether `size` more bytes fit into the Content-Length that was announced.
    bool lifetime_admits(std::uint32_t size) const noexcept { return body_sent_ + size <= settings_.channel_lifetime; }
    /// `size` bytes of RPC PDUs have left for the client; the server may have to be told.
    void on_consumed(std::uint32_t size, Effects& effects);

    /// Nothing was sent to the client for half of the connection timeout.
    void on_idle(Effects& effects);

    /// The client takes no part in flow control, as far as one can tell: it gets no Ping after CONN/C2 and
    /// its window does not count. Acknowledgements for it are held back by the inbound proxy.
    void doubt_client() noexcept;
    /// It acknowledges or waits for acknowledgements after all.
    void trust_client() noexcept { doubted_ = false; }
    bool doubted() const noexcept { return doubted_; }
    /// The client has read everything and acknowledged nothing while its window is used up: go on without it.
    void give_up_window() noexcept { client_window_.lift(); }
    bool window_lifted() const noexcept { return client_window_.lifted(); }

    State state() const noexcept { return state_; }
    const Cookie& virtual_connection() const noexcept { return virtual_connection_; }
    const Cookie& channel() const noexcept { return channel_; }
    std::uint32_t client_announced_window() const noexcept { return client_window_.announced(); }
    std::uint64_t body_sent() const noexcept { return body_sent_; }

private:
    void send_client(const RtsBytes& pdu, Effects& effects);

    Settings settings_;
    State state_ = State::open_start;
    bool doubted_ = false;
    bool server_answered_ = false; // the first RPC PDU after CONN/C2 has come
    std::uint32_t unreported_ping_bytes_ = 0;
    std::uint64_t body_sent_ = 0;
    Cookie virtual_connection_{};
    Cookie channel_{};
    SendWindow client_window_;
    ReceiveWindow server_window_;
    std::optional<FlowControlAck> held_ack_; // for the client, until the server's first answer
};

} // namespace rpch
