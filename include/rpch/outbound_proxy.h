#pragma once

#include "rpch/cookie.h"
#include "rpch/effects.h"
#include "rpch/flow.h"
#include "rpch/held_pdus.h"
#include "rpch/rts.h"
#include "rpch/rules.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace rpch {

/// The outbound proxy of one virtual OUT channel, MS-RPCH 3.2.4, without I/O: it is told what happens
/// and answers with effects.
///
/// Legs: Leg::client (the response to RPC_OUT_DATA) and Leg::server. While the channel is recycled on this
/// node (OUT_R2) there is Leg::successor, a second request; when it is promoted, Leg::predecessor is the old
/// one, until what waits for it has left. When it is recycled on another node (OUT_R1), this object is one
/// of two: the predecessor ends with Effect::Kind::finish, the successor began with OUT_R1/A3.
///
/// A method that returns text reports a protocol error: close every leg of the channel with that reason.
/// After a close nothing more may be reported. One thread.
class OutboundProxy {
public:
    struct Settings {
        std::uint32_t receive_window;     ///< bytes, announced to the server in CONN/A2 or OUT_R1/A4
        std::uint32_t connection_timeout; ///< ms, announced to the client in CONN/A3 or OUT_R1/A4
        std::uint32_t channel_lifetime;   ///< bytes of every response body, announced to client and server
    };

    /// 3.2.4.1. `opened_b2w` is Opened again after a successor was lost that the server still waits for;
    /// `draining` is Finished while RPC PDUs still wait for the client.
    enum class State : std::uint32_t {
        open_start = bits(RoleState::vc_unknown),
        connecting = bits(RoleState::connecting),
        c1w = bits(RoleState::c1w),
        a11w = bits(RoleState::a11w),
        opened = bits(RoleState::out_opened),
        b1_or_c1w = bits(RoleState::b1_or_c1w),
        b1w = bits(RoleState::b1w),
        r2c1w = bits(RoleState::r2c1w),
        opened_b2w = bits(RoleState::opened_b2w),
        draining = bits(RoleState::draining),
        finished = bits(RoleState::none),
    };

    /// Windows sends PingTrafficSentNotify when more than this many bytes of pings are not yet reported.
    static constexpr std::uint32_t ping_notify_threshold = 1031;

    explicit OutboundProxy(const Settings& settings) noexcept;

    /// The first PDU of a request whose virtual connection is not in the table: CONN/A1 (3.2.4.5.3) or
    /// OUT_R1/A3 (3.2.4.5.6.2).
    void on_first_pdu(const Rts& pdu, Effects& effects);
    /// The first PDU of a request whose virtual connection is in the table and is this one: OUT_R2/A3
    /// (3.2.4.5.6.1). Null: the request is Leg::successor from now on. Text: refused, and nothing has
    /// changed; close the newcomer alone. The caller has compared principal and target.
    const char* on_successor(const Rts& pdu, Effects& effects);
    void on_server_connected(Effects& effects);
    void on_server_rts(const Rts& pdu, Effects& effects);
    /// The last PDU of a replacement request: OUT_R1/A11 or OUT_R2/C1. From Leg::client or Leg::successor.
    void on_client_rts(Leg from, const Rts& pdu, Effects& effects);
    /// The client has nothing else to say on the OUT channel after its first PDU (3.2.4.5.2).
    static const char* on_client_bytes() noexcept { return "bytes from the client that may not come on OUT"; }

    /// An RPC PDU of `size` bytes begins on the server leg, for Leg::client as it is now. Null when it is
    /// legal now. The effects go behind this PDU.
    const char* on_server_rpc(std::uint32_t size, Effects& effects);

    /// Whether an RPC PDU of `size` bytes may go to the client now, and that it went. `leg`: client or predecessor.
    bool admits(std::uint32_t size, Leg leg = Leg::client) const noexcept
    {
        const ClientLeg* const to = at(leg);
        return to && to->responded && to->window.admits(size);
    }
    void sent(std::uint32_t size, Leg leg = Leg::client) noexcept
    {
        if (ClientLeg* const to = at(leg)) {
            to->window.sent(size);
            to->body_sent += size;
        }
    }
    /// What the client's window leaves on Leg::client, in bytes.
    std::uint32_t room() const noexcept { return flows() ? client_.window.available() : 0; }
    /// Whether `size` more bytes fit into the Content-Length that was announced.
    bool lifetime_admits(std::uint32_t size, Leg leg = Leg::client) const noexcept
    {
        const ClientLeg* const to = at(leg);
        return to && to->body_sent + size <= settings_.channel_lifetime;
    }
    /// `size` bytes of RPC PDUs have left for the client, on whatever leg; the server may have to be told.
    void on_consumed(std::uint32_t size, Effects& effects);
    /// The server may wait with a PDU that does not fit: watch for silence, and report it.
    bool server_may_wait() const noexcept { return hears_server() && server_window_.sender_may_wait(); }
    void on_silence(Effects& effects);

    /// What was to be written on Leg::predecessor is written, and it is closed.
    void on_drained(Leg leg) noexcept;
    /// The peer has closed `leg` or it broke (3.2.4.5.13, 3.2.4.5.17).
    void on_closed(Leg leg, Effects& effects);
    /// A state that must not last: run a timer, and report when it expires.
    bool awaits() const noexcept
    {
        return state_ != State::opened && state_ != State::opened_b2w && state_ != State::finished;
    }
    /// Before B1 the successor is dropped and the channel goes on; in every other state it ends.
    void on_timeout(Effects& effects);

    /// Nothing was sent to the client for half of the connection timeout. No Ping goes out on a channel
    /// whose response has not begun.
    void on_idle(Effects& effects);

    /// Has a server of ours ask the client for a new OUT channel now: it is told of so many bytes of pings as make a new
    /// one due. Windows' own servers take no such number (MS-RPCH 6, 2.2.3.5.15: 8 KiB in four minutes).
    void use_up(Effects& effects);

    /// The client takes no part in flow control nor in recycling, as far as one can tell: it gets no Ping
    /// after CONN/C2 and no OUT_Rx/A2, and its window does not count. Acknowledgements for it are held back
    /// by the inbound proxy.
    void doubt_client() noexcept;
    /// It acknowledges or waits for acknowledgements after all.
    void trust_client() noexcept { doubted_ = false; }
    bool doubted() const noexcept { return doubted_; }
    /// Whether it is the client's window that stops RPC PDUs on `leg`, client or predecessor, if anything does.
    bool windowed(Leg leg = Leg::client) const noexcept
    {
        const ClientLeg* const to = at(leg);
        return to && to->responded && !to->window.lifted();
    }
    /// The client has read everything and acknowledged nothing while its window is used up: go on without it. It takes
    /// no part in flow control, or the next PDU fits its window and not what is open of it. A predecessor can need
    /// this too, when the server passes acknowledgements on to the default channel only.
    void give_up_window(Leg leg = Leg::client) noexcept
    {
        if (ClientLeg* const to = at(leg))
            to->window.lift();
    }

    State state() const noexcept { return state_; }
    /// Opened, in whatever stage of recycling.
    bool established() const noexcept;
    const Cookie& virtual_connection() const noexcept { return virtual_connection_; }
    /// The cookie of the default channel.
    const Cookie& channel() const noexcept { return client_.channel; }
    std::uint32_t client_announced_window() const noexcept { return client_.window.announced(); }
    /// Bytes of the response body on Leg::client.
    std::uint64_t body_sent() const noexcept { return client_.body_sent; }

    /// What `pdu` is in these states, or nothing: the lines of this role's automaton.
    static std::optional<RtsId> recognise(Where where, RoleState states, const Rts& pdu) noexcept;

private:
    struct ClientLeg {
        Cookie channel{};
        SendWindow window;
        std::uint64_t body_sent = 0;
        bool responded = false; // the head is out; before it the channel is plugged
    };
    enum class Other : std::uint8_t { none, successor, predecessor };

    static const Rule<OutboundProxy> rules_[];

    void handle(Where where, Leg from, const Rts& pdu, Effects& effects);
    void fail(const char* reason, Effects& effects);

    const char* on_conn_a1(Leg, const Rts& pdu, Effects& effects);
    const char* on_conn_c1(Leg, const Rts& pdu, Effects& effects);
    const char* on_rx_a1(Leg, const Rts& pdu, Effects& effects);
    const char* on_r1_a3(Leg, const Rts& pdu, Effects& effects);
    const char* on_r1_a9(Leg, const Rts& pdu, Effects& effects);
    const char* on_r1_a11(Leg from, const Rts& pdu, Effects& effects);
    const char* on_r2_a3(Leg, const Rts& pdu, Effects& effects);
    const char* on_r2_b1(Leg, const Rts& pdu, Effects& effects);
    const char* on_late_b1(Leg, const Rts& pdu, Effects& effects);
    const char* on_r2_b2(Leg, const Rts& pdu, Effects& effects);
    const char* on_late_b2(Leg, const Rts& pdu, Effects& effects);
    const char* on_r2_c1(Leg from, const Rts& pdu, Effects& effects);
    const char* on_swallow(Leg, const Rts& pdu, Effects& effects);
    const char* on_forward(Leg, const Rts& pdu, Effects& effects);
    const char* on_acknowledgement(Leg, const Rts& pdu, Effects& effects);

    const ClientLeg* at(Leg leg) const noexcept { return leg == Leg::client ? &client_ : other_.get(); }
    ClientLeg* at(Leg leg) noexcept { return leg == Leg::client ? &client_ : other_.get(); }
    bool flows() const noexcept { return client_.responded && state_ != State::c1w && state_ != State::draining; }
    /// RPC PDUs still come from the server: not after A9.
    bool hears_server() const noexcept { return established() || state_ == State::a11w; }
    void acknowledge(Effects& effects);
    void respond(Effects& effects);
    bool send_client(const RtsBytes& pdu, Effects& effects);
    void release_held(Effects& effects);
    void abandon_successor() noexcept;

    Settings settings_;
    State state_ = State::open_start;
    Other is_other_ = Other::none;
    bool recycles_ = false;        // began with OUT_R1/A3
    bool asked_ = false;           // OUT_Rx/A1 has passed: the client may bring a successor
    bool doubted_ = false;
    bool server_answered_ = false; // the first RPC PDU after CONN/C2 has come
    std::uint32_t unreported_ping_bytes_ = 0;
    Cookie virtual_connection_{};
    ClientLeg client_;
    std::unique_ptr<ClientLeg> other_; // as is_other_ says; for OUT_R1/A4 the predecessor's cookie; else null
    ReceiveWindow server_window_;
    HeldPdus held_; // for the client: until the server's first answer, or until the response begins
};

} // namespace rpch
