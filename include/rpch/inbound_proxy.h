#pragma once

#include "rpch/cookie.h"
#include "rpch/effects.h"
#include "rpch/flow.h"
#include "rpch/rts.h"

#include <cstdint>

namespace rpch {

/// The inbound proxy of one virtual IN channel, MS-RPCH 3.2.3, without I/O: it is told what happens
/// and answers with effects. Legs: Leg::client (the RPC_IN_DATA request) and Leg::server.
///
/// A method that returns text reports a protocol error: close every leg of the channel with that reason.
/// After a close nothing more may be reported. One thread.
class InboundProxy {
public:
    struct Settings {
        std::uint32_t receive_window;     ///< bytes, announced to the client through CONN/B2
        std::uint32_t connection_timeout; ///< ms, announced to the client through CONN/B2
    };

    enum class State : std::uint8_t { open_start, connecting, b3w, opened, finished };

    explicit InboundProxy(const Settings& settings) noexcept;

    /// The first PDU of the request: CONN/B1 (3.2.3.5.3).
    void on_first_pdu(const Rts& pdu, Effects& effects);
    /// The leg to the server is up; `client` is the client's address as this proxy sees it.
    void on_server_connected(const ClientAddress& client, Effects& effects);
    void on_client_rts(const Rts& pdu, Effects& effects);
    void on_server_rts(const Rts& pdu, Effects& effects);

    /// An RPC PDU of `size` bytes begins on the client leg. Null when it is legal now.
    const char* on_client_rpc(std::uint32_t size) noexcept;
    /// An RPC PDU from the server on the IN leg is never legal (3.2.3.5.2).
    static const char* on_server_rpc() noexcept { return "RPC PDU from the server on the IN channel"; }

    /// Whether an RPC PDU of `size` bytes may go to the server now, and that it went.
    bool admits(std::uint32_t size) const noexcept { return state_ == State::opened && server_window_.admits(size); }
    void sent(std::uint32_t size) noexcept { server_window_.sent(size); }
    /// `size` bytes of RPC PDUs have left for the server; the client may have to be told.
    void on_consumed(std::uint32_t size, Effects& effects);

    /// The client takes no part in flow control, as far as one can tell: acknowledgements are held back
    /// until it proves otherwise.
    void doubt_client() noexcept { doubted_ = !overrun_; }
    bool client_doubted() const noexcept { return doubted_ || overrun_; }
    /// Held-back acknowledgements, and the client stands where its window is used up: watch for silence.
    bool stall_suspected() const noexcept;
    /// The client has been silent there: it conforms after all and waits for the acknowledgement.
    void on_stall(Effects& effects);

    State state() const noexcept { return state_; }
    const Cookie& virtual_connection() const noexcept { return virtual_connection_; }
    const Cookie& channel() const noexcept { return channel_; }

private:
    void acknowledge(Effects& effects);

    Settings settings_;
    State state_ = State::open_start;
    bool doubted_ = false;
    bool overrun_ = false; // the client sent beyond an exhausted window: it surely does not look at it
    std::uint32_t largest_pdu_ = 0;
    std::uint32_t client_keepalive_ = 0;
    Cookie virtual_connection_{};
    Cookie channel_{};
    Cookie association_group_{};
    ReceiveWindow client_window_;
    SendWindow server_window_;
};

} // namespace rpch
