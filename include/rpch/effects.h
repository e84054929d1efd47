#pragma once

#include "rpch/rts.h"

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>

namespace rpch {

/// The ways a role can send on. A proxy has a client and a server; the server and the client role have
/// an IN and an OUT channel.
///
/// While a channel is replaced there are two legs of a kind. The one that RPC PDUs use is the default one,
/// `client`, `in` or `out`. The other one is the successor until Effect::Kind::promote; from then on the old
/// default leg is the predecessor.
enum class Leg : std::uint8_t {
    client,
    server,
    in,
    out,
    successor,   ///< of `client`, at a proxy
    predecessor, ///< of `client`, at a proxy
    in_successor,
    in_predecessor,
    out_successor,
    out_predecessor,
};

/// What a role wants done. Roles do no I/O: the caller carries the effects out in their order.
struct Effect {
    enum class Kind : std::uint8_t {
        connect_server,    ///< open the leg to the server, then report on_server_connected
        connect_successor, ///< client role: send a new request for `leg`, then report on_successor_request
        respond,           ///< write the success head of the OUT channel on `leg`; `value` is its Content-Length
        send,              ///< write the RTS PDU `pdu` on `leg`, ahead of RPC PDUs that wait for it
        send_last,         ///< write `pdu` on `leg` behind every RPC PDU that waits for it; none follows. Then
                           ///< report on_drained, where the role has it
        promote,           ///< the successor of `leg` becomes `leg`; what was `leg` is the predecessor from now on.
                           ///< RPC PDUs that begin later use the new one; one that has begun ends on the old one
        drop,              ///< close `leg` alone, now
        flow,              ///< RPC PDUs that wait for `leg` may move: it was unplugged, or its window opened
        keep_alive,        ///< set the TCP keep-alive interval of the server leg to `value` ms
        opened,            ///< the channel (or virtual connection) is established
        finish,            ///< orderly end: the channel leaves its table now, so that another one may take its
                           ///< place; when all that waits has left, close every leg. Until then report as before
        close,             ///< protocol error or end: close every leg of this role; `reason` says why
    };

    Kind kind;
    Leg leg;
    std::uint32_t value;
    const char* reason; ///< of `finish` and `close`: static text
    RtsBytes pdu;
};

/// The effects of one event, in order. No event has more than `limit`.
class Effects {
public:
    static constexpr std::size_t limit = 8;

    void connect_server() noexcept { add(Effect::Kind::connect_server, Leg::server); }
    void connect_successor(Leg leg) noexcept { add(Effect::Kind::connect_successor, leg); }
    void respond(Leg leg, std::uint32_t content_length) noexcept { add(Effect::Kind::respond, leg, content_length); }
    void send(Leg leg, const RtsBytes& pdu) noexcept { add(Effect::Kind::send, leg).pdu = pdu; }
    void send_last(Leg leg, const RtsBytes& pdu) noexcept { add(Effect::Kind::send_last, leg).pdu = pdu; }
    void promote(Leg leg) noexcept { add(Effect::Kind::promote, leg); }
    void drop(Leg leg) noexcept { add(Effect::Kind::drop, leg); }
    void flow(Leg leg) noexcept { add(Effect::Kind::flow, leg); }
    void keep_alive(std::uint32_t ms) noexcept { add(Effect::Kind::keep_alive, Leg::server, ms); }
    void opened() noexcept { add(Effect::Kind::opened, Leg::client); }
    void finish(const char* reason) noexcept { add(Effect::Kind::finish, Leg::client, 0, reason); }
    void close(const char* reason) noexcept { add(Effect::Kind::close, Leg::client, 0, reason); }

    const Effect* begin() const noexcept { return effects_.data(); }
    const Effect* end() const noexcept { return effects_.data() + count_; }
    std::size_t size() const noexcept { return count_; }

private:
    Effect& add(Effect::Kind kind, Leg leg, std::uint32_t value = 0, const char* reason = nullptr) noexcept
    {
        assert(count_ < limit);
        Effect& effect = effects_[count_++];
        effect.kind = kind;
        effect.leg = leg;
        effect.value = value;
        effect.reason = reason;
        return effect;
    }

    std::array<Effect, limit> effects_;
    std::size_t count_ = 0;
};

} // namespace rpch
