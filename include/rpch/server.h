#pragma once

#include "rpch/cookie.h"
#include "rpch/effects.h"
#include "rpch/flow.h"
#include "rpch/rts.h"

#include <cstdint>

namespace rpch {

/// The server end of one virtual connection, MS-RPCH 3.2.5, without I/O: where the IN and the OUT
/// channel meet. Legs: Leg::in (to the inbound proxy) and Leg::out (to the outbound proxy).
///
/// A method that returns text reports a protocol error: close both legs with that reason.
/// After a close nothing more may be reported. One thread.
class Server {
public:
    enum class State : std::uint8_t { open_start, a2w, b2w, opened, finished };

    /// `receive_window`: bytes, announced to the inbound proxy in CONN/B3.
    explicit Server(std::uint32_t receive_window) noexcept;

    void on_in_rts(const Rts& pdu, Effects& effects);
    void on_out_rts(const Rts& pdu, Effects& effects);

    /// An RPC PDU of `size` bytes begins on the IN leg. Null when it is legal now.
    const char* on_in_rpc(std::uint32_t size) noexcept;
    /// `size` bytes of RPC PDUs have reached the RPC service; the inbound proxy may have to be told.
    void on_consumed(std::uint32_t size, Effects& effects);

    /// What the outbound proxy's window leaves for RPC PDUs of the service, in bytes.
    std::uint32_t room() const noexcept { return state_ == State::opened ? out_window_.available() : 0; }
    bool admits(std::uint32_t size) const noexcept { return state_ == State::opened && out_window_.admits(size); }
    void sent(std::uint32_t size) noexcept { out_window_.sent(size); }

    State state() const noexcept { return state_; }

private:
    void on_conn_a2(const Rts& pdu, Effects& effects);
    void on_conn_b2(const Rts& pdu, Effects& effects);
    void establish(Effects& effects);

    State state_ = State::open_start;
    Cookie in_channel_{};
    Cookie out_channel_{};
    std::uint32_t inbound_proxy_window_ = 0;
    std::uint32_t inbound_proxy_timeout_ = 0;
    ReceiveWindow in_window_;
    SendWindow out_window_;
};

} // namespace rpch
