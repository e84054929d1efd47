#pragma once

#include "rpch/cookie.h"
#include "rpch/effects.h"
#include "rpch/flow.h"
#include "rpch/lifetime.h"
#include "rpch/rts.h"
#include "rpch/rules.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>

namespace rpch {

/// The server end of one virtual connection, MS-RPCH 3.2.5, without I/O: where the IN and the OUT
/// channel meet. A leg is a TCP connection from a proxy, or one in memory.
///
/// Legs: Leg::in and Leg::out; in_successor from IN_R1/A2 to B1; out_successor from OUT_R1/A4 to A8, and
/// then out_predecessor until its proxy closes it.
///
/// A method that returns text reports a protocol error: close every leg with that reason.
/// After a close nothing more may be reported. One thread.
class Server {
public:
    struct Settings {
        std::uint32_t receive_window;         ///< bytes, announced to the inbound proxy in CONN/B3 and IN_R1/B2
        std::uint32_t largest_pdu = Lifetime::largest_rpc_pdu; ///< bytes, of the RPC PDUs that the service sends
        bool recycle = true;                  ///< whether to replace OUT channels before their lifetime ends
    };

    enum class State : std::uint32_t {
        open_start = bits(RoleState::vc_unknown),
        a2w = bits(RoleState::a2w),
        b2w = bits(RoleState::b2w),
        opened = bits(RoleState::in_opened | RoleState::out_opened),
        finished = bits(RoleState::none),
    };

    explicit Server(const Settings& settings) noexcept : settings_(settings) {}

    struct Admission {
        const char* refusal; ///< null: admitted as `leg`. Text: close the newcomer alone; nothing has changed
        Leg leg;
    };
    /// The first PDU of a new leg, whose cookie has led to this virtual connection: CONN/A2 and CONN/B2
    /// (3.2.5.5.2, .3), IN_R1/A2 (3.2.5.5.4), OUT_R1/A4 (3.2.5.5.9). Attach the leg before the effects are
    /// carried out.
    [[nodiscard]] Admission on_newcomer(const Rts& pdu, Effects& effects);

    /// From Leg::in or in_successor; from Leg::out, out_successor or out_predecessor.
    void on_in_rts(Leg from, const Rts& pdu, Effects& effects);
    void on_out_rts(Leg from, const Rts& pdu, Effects& effects);

    /// An RPC PDU of `size` bytes begins. Null when it is legal now: on Leg::in only.
    const char* on_in_rpc(Leg from, std::uint32_t size) noexcept;
    static const char* on_out_rpc() noexcept { return "RPC PDU from the outbound proxy"; }
    /// `size` bytes of RPC PDUs have reached the RPC service; the inbound proxy may have to be told.
    void on_consumed(std::uint32_t size, Effects& effects);
    /// The inbound proxy may wait with a PDU that does not fit: watch for silence, and report it.
    bool proxy_may_wait() const noexcept { return vc_ == State::opened && in_window_.sender_may_wait(); }
    void on_silence(Effects& effects);

    /// How many bytes of RPC PDUs of the service may be bound to Leg::out, when their sizes are not known. The
    /// last one may reach beyond, and wait there for admits(); all others wait with the service.
    std::uint32_t room() const noexcept
    {
        return vc_ == State::opened ? std::min(out_.window.available(), out_.lifetime.room()) : 0;
    }
    /// Whether an RPC PDU may go now, and that it went. `leg`: out, or out_predecessor for what waits there.
    bool admits(std::uint32_t size, Leg leg = Leg::out) const noexcept
    {
        const OutLeg* const to = at(leg);
        return to && vc_ == State::opened && to->window.admits(size) && (leg != Leg::out || to->lifetime.admits(size));
    }
    void sent(std::uint32_t size, Leg leg = Leg::out) noexcept
    {
        if (OutLeg* const to = at(leg)) {
            to->window.sent(size);
            to->lifetime.count(size);
        }
    }

    /// The OUT channel nears its end: ask after every sent(), and then call recycle_out(). Events with effects
    /// do so themselves.
    bool recycling_due() const noexcept { return recycles() && out_.lifetime.near_end(); }
    /// Asks the client for a new OUT channel (3.2.5.4.1), whatever is left of this one. False: not possible
    /// now, since a channel must be Opened for that, or since the client cannot do it.
    bool recycle_out(Effects& effects);
    /// The client cannot recycle: it is not asked, and the OUT channel ends with its lifetime.
    void doubt_client(Effects& effects);

    /// Effect::send_last on `leg` is through.
    void on_drained(Leg leg) noexcept;
    /// The peer has closed `leg` or it broke (3.2.5.5.14).
    void on_closed(Leg leg, Effects& effects);
    /// A state of the channel `leg`, in or out, that must not last: run a timer for each, and report when it
    /// expires.
    bool awaits(Leg leg) const noexcept;
    /// While the two channels meet: the end. Later the successor is dropped if the client is not yet
    /// committed to it, and the predecessor goes on; else it is the end too.
    void on_timeout(Leg leg, Effects& effects);

    State state() const noexcept { return vc_; }
    RoleState in_state() const noexcept { return in_state_; }
    RoleState out_state() const noexcept { return out_state_; }

    /// What `pdu` is in these states, or nothing: the lines of this role's automaton.
    static std::optional<RtsId> recognise(Where where, RoleState states, const Rts& pdu) noexcept;

private:
    struct InLeg {
        Cookie channel{};
        std::uint32_t proxy_window = 0;  // bytes, for the client
        std::uint32_t proxy_timeout = 0; // ms, for the client
    };
    struct OutLeg {
        Cookie channel{};
        SendWindow window;
        Lifetime lifetime;
    };
    /// What a channel's replacement on either side needs to remember.
    struct Recycling {
        InLeg in_successor;
        Cookie in_before{}; // the cookie before IN_R2/A2: the recycling may not happen after all
        Cookie out_next{};  // OUT_R2: the successor's
    };
    enum class Other : std::uint8_t { none, successor, predecessor };

    static const Rule<Server> rules_[];

    RoleState states() const noexcept;
    void handle(Where where, Leg from, const Rts& pdu, Effects& effects);
    void fail(const char* reason, Effects& effects);

    const char* on_conn_a2(Leg, const Rts& pdu, Effects& effects);
    const char* on_conn_b2(Leg, const Rts& pdu, Effects& effects);
    const char* on_in_r1_a2(Leg, const Rts& pdu, Effects& effects);
    const char* on_in_r1_a6(Leg, const Rts& pdu, Effects& effects);
    const char* on_in_r1_b1(Leg, const Rts& pdu, Effects& effects);
    const char* on_in_r2_a2(Leg, const Rts& pdu, Effects& effects);
    const char* on_out_r1_a4(Leg, const Rts& pdu, Effects& effects);
    const char* on_out_r1_a8(Leg, const Rts& pdu, Effects& effects);
    const char* on_out_r2_a4(Leg, const Rts& pdu, Effects& effects);
    const char* on_out_r2_a8(Leg, const Rts& pdu, Effects& effects);
    const char* on_ping(Leg, const Rts& pdu, Effects& effects);
    const char* on_ping_traffic(Leg, const Rts& pdu, Effects& effects);
    const char* on_acknowledgement(Leg from, const Rts& pdu, Effects& effects);
    const char* on_forward_out(Leg, const Rts& pdu, Effects& effects);
    const char* on_forward_in(Leg, const Rts& pdu, Effects& effects);

    const OutLeg* at(Leg leg) const noexcept { return leg == Leg::out ? &out_ : out_other_.get(); }
    OutLeg* at(Leg leg) noexcept { return leg == Leg::out ? &out_ : out_other_.get(); }
    bool recycles() const noexcept
    {
        return out_state_ == RoleState::out_opened && vc_ == State::opened && settings_.recycle && !doubted_;
    }
    Lifetime lifetime(std::uint32_t bytes) const noexcept;
    void establish(Effects& effects);
    void send_out(const RtsBytes& pdu, Effects& effects);
    void recycle_if_due(Effects& effects);
    Recycling& recycling();
    void keep_predecessor(Effects& effects);
    void lift_lifetime(Effects& effects);
    void acknowledge(Effects& effects);
    void forget_other() noexcept;

    Settings settings_;
    State vc_ = State::open_start;
    RoleState in_state_ = RoleState::in_opened;
    RoleState out_state_ = RoleState::out_opened;
    Other is_other_ = Other::none; // what out_other_ is
    bool out_drained_ = false;     // A9 has left on the predecessor
    bool doubted_ = false;
    std::uint32_t carried_ = 0; // bytes of IN predecessors that have not reached the service yet
    InLeg in_;
    ReceiveWindow in_window_;
    OutLeg out_;
    std::unique_ptr<Recycling> recycling_; // since a channel was replaced for the first time
    std::unique_ptr<OutLeg> out_other_; // as is_other_ says, else null
};

} // namespace rpch
