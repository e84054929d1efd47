#pragma once

#include "rpch/cookie.h"
#include "rpch/effects.h"
#include "rpch/flow.h"
#include "rpch/lifetime.h"
#include "rpch/rts.h"
#include "rpch/rules.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace rpch {

/// The client of one virtual connection, MS-RPCH 3.2.2, without I/O: it is told what happens and answers
/// with effects.
///
/// Legs: Leg::in (the body of RPC_IN_DATA) and Leg::out (the body of RPC_OUT_DATA and of its response).
/// A replacement is in_successor or out_successor until it is promoted. Of out_successor only the head of
/// the response may be read until then. in_predecessor still takes what waits for it and IN_Rx/A5, and is
/// closed by its proxy; out_predecessor is dropped at once.
///
/// A method that returns text reports a protocol error: close all channels with that reason. After a close
/// nothing more may be reported. One thread.
class Client {
public:
    struct Settings {
        std::uint32_t receive_window = 65'536;          ///< bytes, announced in CONN/A1 and OUT_Rx/A3
        std::uint32_t in_lifetime = 1'073'741'824;      ///< bytes, the Content-Length of every IN request
        std::uint32_t client_keepalive = 300'000;       ///< ms; never 0, which makes a Windows proxy fail
        std::uint32_t largest_pdu = 65'535;             ///< bytes, of the RPC PDUs that the caller sends
        bool recycle = false;                           ///< whether to replace channels; else only the wish is noted
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
    /// The head of the request for `leg`, in_successor or out_successor, was written: IN_Rx/A1 (3.2.2.4.3) or
    /// OUT_Rx/A3 (3.2.2.5.6) follows it. The Content-Length is settings.in_lifetime, or 120.
    void on_successor_request(Leg leg, Effects& effects);
    /// The request on Leg::out, or on out_successor, was answered with status 200 (3.2.2.5.2).
    void on_success_response(Effects& effects, Leg leg = Leg::out);
    /// From Leg::out.
    void on_out_rts(const Rts& pdu, Effects& effects);

    /// An RPC PDU of `size` bytes begins on Leg::out. Null when it is legal now.
    const char* on_out_rpc(std::uint32_t size) noexcept;
    /// `size` bytes of RPC PDUs were handed to the caller's RPC layer; the outbound proxy may have to be told.
    void on_consumed(std::uint32_t size, Effects& effects);

    /// How many bytes of RPC PDUs may be bound to Leg::in, when their sizes are not known. The last one may
    /// reach beyond, and wait there for admits(); all others wait with the caller, bound to no leg.
    std::uint32_t room() const noexcept
    {
        const bool flows = state_ == State::opened && !in_plugged_;
        return flows ? std::min(in_.window.available(), in_.lifetime.room()) : 0;
    }
    /// Whether an RPC PDU of `size` bytes may go to the inbound proxy now, and that it went. `leg`: in, or
    /// in_predecessor for what waits there.
    bool admits(std::uint32_t size, Leg leg = Leg::in) const noexcept
    {
        if (state_ != State::opened)
            return false;
        if (leg != Leg::in)
            return in_other_.window.admits(size) && in_other_.lifetime.fits(size);
        return !in_plugged_ && in_.window.admits(size) && in_.lifetime.admits(size) && in_.lifetime.fits(size);
    }
    void sent(std::uint32_t size, Leg leg = Leg::in) noexcept;
    /// Whether `size` more bytes fit into the Content-Length of the IN request.
    bool lifetime_admits(std::uint32_t size) const noexcept { return in_.lifetime.fits(size); }

    /// The IN channel nears its end: ask after every sent(), and then call recycle_in(). Events with effects
    /// do so themselves.
    bool recycling_due() const noexcept { return settings_.recycle && recycles_in() && in_.lifetime.near_end(); }
    /// Replaces the IN channel (3.2.2.4.3), whatever is left of it. False: not possible now, since the channel
    /// must be Opened for that and an earlier predecessor closed. A proxy or the server can refuse a successor
    /// that comes too early, while they still complete an earlier step.
    bool recycle_in(Effects& effects);

    /// How long the IN channel may stay silent, in ms: half of the connection timeout.
    std::uint32_t ping_after() const noexcept { return clamp_connection_timeout(connection_timeout_) / 2; }
    /// Nothing was sent on the IN channel for that long.
    void on_idle(Effects& effects);

    /// Effect::send_last on in_predecessor is through: the successor is unplugged.
    void on_drained(Leg leg, Effects& effects);
    /// The peer has closed `leg`, or it broke, or the request for it was refused (3.2.2.5.12).
    void on_closed(Leg leg, Effects& effects);
    /// The channel `leg`, in or out, is in a state that must not last: run a timer for each, and report when
    /// it expires.
    bool awaits(Leg leg) const noexcept;
    /// While the virtual connection is established: the end. Later a successor to which nobody is committed
    /// is dropped, and the predecessor goes on; else it is the end too.
    void on_timeout(Leg leg, Effects& effects);

    State state() const noexcept { return state_; }
    RoleState in_state() const noexcept { return in_state_; }
    RoleState out_state() const noexcept { return out_state_; }
    /// Those of the default channels.
    const Cookies& cookies() const noexcept { return cookies_; }
    /// What the proxies announced, as received: bytes and ms; 0 before CONN/C2, the timeout before CONN/A3.
    std::uint32_t in_window() const noexcept { return in_.window.announced(); }
    std::uint32_t connection_timeout() const noexcept { return connection_timeout_; }
    /// The server asked for a new OUT channel: the lifetime of this one is nearly used up.
    bool recycling_asked() const noexcept { return recycling_asked_; }

    /// What `pdu` is in these states, or nothing: the lines of this role's automaton.
    static std::optional<RtsId> recognise(Where where, RoleState states, const Rts& pdu) noexcept;

private:
    static constexpr std::uint32_t a5_size = 40;
    /// Successors in a row that are asked for when nothing of the IN channel is left.
    static constexpr std::uint8_t most_refused = 16;

    struct InLeg {
        Cookie channel{};
        SendWindow window;
        Lifetime lifetime;
    };
    enum class Other : std::uint8_t { none, successor, predecessor };

    static const Rule<Client> rules_[];

    RoleState states() const noexcept;
    Lifetime lifetime() const noexcept;
    bool recycles_in() const noexcept;

    const char* on_conn_a3(Leg, const Rts& pdu, Effects& effects);
    const char* on_conn_c2(Leg, const Rts& pdu, Effects& effects);
    const char* on_in_r1_a4(Leg, const Rts& pdu, Effects& effects);
    const char* on_in_r2_a4(Leg, const Rts& pdu, Effects& effects);
    const char* on_late_a4(Leg, const Rts& pdu, Effects& effects);
    const char* on_out_rx_a2(Leg, const Rts& pdu, Effects& effects);
    const char* on_out_r1_a6(Leg, const Rts& pdu, Effects& effects);
    const char* on_out_r2_a6(Leg, const Rts& pdu, Effects& effects);
    const char* on_late_a6(Leg, const Rts& pdu, Effects& effects);
    const char* on_out_r1_a10(Leg, const Rts& pdu, Effects& effects);
    const char* on_out_r2_b3(Leg, const Rts& pdu, Effects& effects);
    const char* on_ping(Leg, const Rts& pdu, Effects& effects);
    const char* on_acknowledgement(Leg, const Rts& pdu, Effects& effects);

    void acknowledge_if_due(Effects& effects);
    void recycle_if_due(Effects& effects);
    void promote_in(const SendWindow& window, Effects& effects);
    void promote_out(Effects& effects);
    void send_in(const RtsBytes& pdu, Effects& effects);
    void fail(const char* reason, Effects& effects);

    Settings settings_;
    Cookies cookies_;
    Cookie out_successor_{};
    State state_ = State::out_channel_wait;
    RoleState in_state_ = RoleState::in_opened;
    RoleState out_state_ = RoleState::out_opened;
    Other in_is_other_ = Other::none; // what in_other_ is
    bool in_plugged_ = false;         // IN_Rx/A5 waits behind RPC PDUs of the predecessor
    bool in_requested_ = false;       // IN_Rx/A1 is out
    bool out_requested_ = false;      // OUT_Rx/A3 is out
    bool in_abandoned_ = false;       // IN_Rx/A4 may still come for a successor that is gone, or may never come
    bool out_abandoned_ = false;      // OUT_Rx/A6 may
    bool out_answered_ = false;       // Leg::out has its 200
    bool successor_answered_ = false; // out_successor has
    bool recycling_asked_ = false;
    std::uint8_t refused_ = 0;        // successors of the IN channel in a row
    std::uint32_t connection_timeout_ = 0;
    std::uint32_t carried_ = 0; // bytes of OUT predecessors that the caller has not consumed yet
    InLeg in_;
    InLeg in_other_;
    ReceiveWindow out_window_;
};

} // namespace rpch
