#pragma once

#include "rpch/cookie.h"
#include "rpch/effects.h"
#include "rpch/flow.h"
#include "rpch/rts.h"
#include "rpch/rules.h"

#include <cstdint>
#include <optional>

namespace rpch {

/// The inbound proxy of one virtual IN channel, MS-RPCH 3.2.3, without I/O: it is told what happens
/// and answers with effects.
///
/// Legs: Leg::client (the RPC_IN_DATA request) and Leg::server. While the channel is recycled on this node
/// (IN_R2) there is Leg::successor, a second request, of which nothing is passed on before it is promoted.
/// When it is recycled on another node (IN_R1), this object is one of two: the predecessor ends with
/// Effect::Kind::finish, the successor began with IN_R1/A1.
///
/// A method that returns text reports a protocol error: close every leg of the channel with that reason.
/// After a close nothing more may be reported. One thread.
class InboundProxy {
public:
    struct Settings {
        std::uint32_t receive_window;     ///< bytes, announced to the client through CONN/B2 or IN_R1/A2
        std::uint32_t connection_timeout; ///< ms, announced to the client through CONN/B2 or IN_R1/A2
    };

    /// 3.2.3.1. `draining` is Finished while RPC PDUs still wait for the server.
    enum class State : std::uint32_t {
        open_start = bits(RoleState::vc_unknown),
        connecting = bits(RoleState::connecting),
        b3w = bits(RoleState::b3w),
        wait_b2 = bits(RoleState::wait_b2),
        opened = bits(RoleState::in_opened),
        opened_a5w = bits(RoleState::opened_a5w),
        draining = bits(RoleState::draining),
        finished = bits(RoleState::none),
    };

    explicit InboundProxy(const Settings& settings) noexcept;

    /// The first PDU of a request whose virtual connection is not in the table: CONN/B1 (3.2.3.5.3) or
    /// IN_R1/A1 (3.2.3.5.5.2).
    void on_first_pdu(const Rts& pdu, Effects& effects);
    /// The first PDU of a request whose virtual connection is in the table and is this one: IN_R2/A1
    /// (3.2.3.5.5.1). Null: the request is Leg::successor from now on. Text: refused, and nothing has
    /// changed; close the newcomer alone. The caller has compared principal and target.
    const char* on_successor(const Rts& pdu, Effects& effects);
    /// The leg to the server is up; `client` is the client's address as this proxy sees it.
    void on_server_connected(const ClientAddress& client, Effects& effects);
    /// From Leg::client.
    void on_client_rts(const Rts& pdu, Effects& effects);
    void on_server_rts(const Rts& pdu, Effects& effects);

    /// An RPC PDU of `size` bytes begins on Leg::client. Null when it is legal now.
    const char* on_client_rpc(std::uint32_t size) noexcept;
    /// An RPC PDU from the server on the IN leg is never legal (3.2.3.5.2).
    static const char* on_server_rpc() noexcept { return "RPC PDU from the server on the IN channel"; }

    /// Whether Leg::client may be read. After IN_R1/A5 nothing may come (3.2.1.5.3.2).
    bool reads_client() const noexcept { return state_ != State::draining && state_ != State::finished; }

    /// Whether an RPC PDU of `size` bytes may go to the server now, and that it went.
    bool admits(std::uint32_t size) const noexcept { return unplugged_ && server_window_.admits(size); }
    void sent(std::uint32_t size) noexcept { server_window_.sent(size); }
    /// `size` bytes of RPC PDUs have left for the server; the client may have to be told.
    void on_consumed(std::uint32_t size, Effects& effects);

    /// The peer has closed `leg` or it broke (3.2.3.5.9, 3.2.3.5.13).
    void on_closed(Leg leg, Effects& effects);
    /// A state that must not last: run a timer, and report when it expires.
    bool awaits() const noexcept { return state_ != State::opened && state_ != State::finished; }
    /// In Opened_A5W the successor is dropped and the channel goes on; in every other state it ends.
    void on_timeout(Effects& effects);

    /// The client takes no part in flow control, as far as one can tell: acknowledgements are held back
    /// until it proves otherwise.
    void doubt_client() noexcept { doubted_ = !overrun_; }
    bool client_doubted() const noexcept { return doubted_ || overrun_; }
    /// The client may wait for an acknowledgement: one is held back and it stands where its window is used up, or none
    /// is due and its next PDU does not fit. Watch for silence.
    bool client_may_wait() const noexcept;
    /// The client has been silent there: it is told what is open, and one that was doubted conforms after all.
    void on_silence(Effects& effects);

    State state() const noexcept { return state_; }
    /// Opened, in whatever stage of recycling.
    bool established() const noexcept { return state_ == State::opened || state_ == State::opened_a5w; }
    const Cookie& virtual_connection() const noexcept { return virtual_connection_; }
    /// The cookie of the default channel.
    const Cookie& channel() const noexcept { return channel_; }

    /// What `pdu` is in these states, or nothing: the lines of this role's automaton.
    static std::optional<RtsId> recognise(Where where, RoleState states, const Rts& pdu) noexcept;

private:
    static const Rule<InboundProxy> rules_[];

    void handle(Where where, Leg from, const Rts& pdu, Effects& effects);
    void fail(const char* reason, Effects& effects);

    const char* on_conn_b1(Leg, const Rts& pdu, Effects& effects);
    const char* on_conn_b3(Leg, const Rts& pdu, Effects& effects);
    const char* on_r1_a1(Leg, const Rts& pdu, Effects& effects);
    const char* on_r1_a5(Leg, const Rts& pdu, Effects& effects);
    const char* on_r1_b2(Leg, const Rts& pdu, Effects& effects);
    const char* on_r2_a1(Leg, const Rts& pdu, Effects& effects);
    const char* on_r2_a5(Leg, const Rts& pdu, Effects& effects);
    const char* on_ping(Leg, const Rts& pdu, Effects& effects);
    const char* on_keep_alive(Leg, const Rts& pdu, Effects& effects);
    const char* on_acknowledgement(Leg, const Rts& pdu, Effects& effects);
    const char* on_forward(Leg, const Rts& pdu, Effects& effects);

    const char* open(std::uint32_t window, Effects& effects);
    void abandon_successor() noexcept;
    void acknowledge(Effects& effects);

    Settings settings_;
    State state_ = State::open_start;
    bool recycles_ = false;  // began with IN_R1/A1
    bool unplugged_ = false; // the server's window is known
    bool doubted_ = false;
    bool overrun_ = false; // the client sent beyond an exhausted window: it surely does not look at it
    std::uint32_t largest_pdu_ = 0;
    std::uint32_t client_keepalive_ = default_client_keepalive;
    std::uint32_t carried_ = 0; // bytes of predecessors that have not left yet
    Cookie virtual_connection_{};
    Cookie channel_{};
    Cookie other_{};     // the predecessor; in Opened_A5W the successor
    Cookie announced_{}; // the last one that the server was told in IN_R2/A2; zero: none
    Cookie association_group_{};
    ReceiveWindow client_window_;
    SendWindow server_window_;
};

} // namespace rpch
