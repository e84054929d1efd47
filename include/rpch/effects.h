#pragma once

#include "rpch/rts_builder.h"

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <new>

namespace rpch {

/// The ways a role can send on. A proxy has a client and a server; the server and the client role have
/// an IN and an OUT channel.
enum class Leg : std::uint8_t { client, server, in, out };

/// What a role wants done. Roles do no I/O: the caller carries the effects out in their order.
struct Effect {
    enum class Kind : std::uint8_t {
        connect_server, ///< open the leg to the server, then report on_server_connected
        respond,        ///< write the success head of the OUT channel; `value` is its Content-Length
        send,           ///< write the RTS PDU `pdu` on `leg`
        flow,           ///< RPC PDUs that waited for `leg` may move: it was unplugged, or its window opened
        keep_alive,     ///< set the TCP keep-alive interval of the server leg to `value` ms
        opened,         ///< the channel (or virtual connection) is established
        close,          ///< protocol error or orderly end: close every leg of this role; `reason` says why
    };

    Kind kind;
    Leg leg = Leg::client;
    std::uint32_t value = 0;
    const char* reason = nullptr; ///< static text
    RtsBytes pdu{};
};

/// The effects of one event, in order. No event has more than `limit`.
class Effects {
public:
    static constexpr std::size_t limit = 4;

    Effects() noexcept {}

    void connect_server() noexcept { add({.kind = Effect::Kind::connect_server}); }
    void respond(std::uint32_t content_length) noexcept { add({.kind = Effect::Kind::respond, .value = content_length}); }
    void send(Leg leg, const RtsBytes& pdu) noexcept { add({.kind = Effect::Kind::send, .leg = leg, .pdu = pdu}); }
    void flow(Leg leg) noexcept { add({.kind = Effect::Kind::flow, .leg = leg}); }
    void keep_alive(std::uint32_t ms) noexcept { add({.kind = Effect::Kind::keep_alive, .value = ms}); }
    void opened() noexcept { add({.kind = Effect::Kind::opened}); }
    void close(const char* reason) noexcept { add({.kind = Effect::Kind::close, .reason = reason}); }

    const Effect* begin() const noexcept { return effects_.data(); }
    const Effect* end() const noexcept { return effects_.data() + count_; }
    bool empty() const noexcept { return count_ == 0; }
    std::size_t size() const noexcept { return count_; }

private:
    void add(const Effect& effect) noexcept
    {
        assert(count_ < limit);
        new (&effects_[count_++]) Effect(effect);
    }

    // Made for every read and nearly always empty: what is not used is not initialised.
    union {
        std::array<Effect, limit> effects_;
    };
    std::size_t count_ = 0;
};

} // namespace rpch
