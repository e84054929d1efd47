#pragma once

#include "base/cursor.h"
#include "rpch/pdu.h"

#include <array>
#include <cstdint>
#include <memory>

namespace rpch {

/// Cuts a byte stream into PDUs.
///
/// RPC PDUs are cut through: they come out in the pieces in which they came in, unbuffered. RTS PDUs
/// (PTYPE 20) always come out whole. What is kept between calls is at most a partial 10-byte header, or
/// a partial RTS PDU of at most 256 bytes, whose memory exists only while it is partial.
///
/// Checked here: version 5; a known byte order; fragment length 16..65535, for RTS 20..256 and the one
/// legal byte order `10 00 00 00` (MS-RPCH 2.2.3.6.1). All else of an RTS PDU is checked by decode().
///
/// Movable; a moved-from framer can only be destroyed or assigned to.
class Framer {
public:
    enum class Kind : std::uint8_t { more, rpc, rts, bad };

    struct Piece {
        base::Bytes bytes{};           ///< valid until the next call, and as long as the input is
        const char* error = nullptr;   ///< of `bad`: what is wrong, for the log
        std::uint32_t frag_length = 0; ///< of the whole PDU; of `bad`: what the header says, if it got so far
        Kind kind = Kind::more;
        PacketType type = PacketType::request;
        bool first = false;            ///< the piece begins a PDU
        bool last = false;             ///< the piece ends a PDU; with `first`, the PDU is whole
    };

    /// Takes the next piece from the front of `input`. Call until it says `more`.
    ///   rpc:  the bytes of one PDU that are there. The first piece has at least the 10 framing bytes; it
    ///         can lie in the framer itself.
    ///   rts:  a whole PDU.
    ///   more: the input is used up.
    ///   bad:  the stream is no PDU stream (any more); every later call says the same.
    Piece next(base::Bytes& input);

    /// What is wrong with a PDU that begins with these bytes, fewer than framing_size, or null: a peer that speaks
    /// something else altogether may never send that many.
    static const char* objection(base::Bytes begin) noexcept { return text(early_fault(begin)); }

    /// True when no PDU is partly read.
    bool at_boundary() const noexcept { return state_ == State::boundary || state_ == State::delivered; }

private:
    enum class State : std::uint8_t {
        boundary,  ///< between two PDUs
        header,    ///< `have_` bytes of a header are in `header_`
        rpc,       ///< within an RPC PDU, `remaining_` bytes to come
        rts,       ///< within an RTS PDU, `remaining_` bytes to come; the others are in `rts_`
        delivered, ///< as boundary; `rts_` was just handed out
        bad,
    };
    enum class Fault : std::uint8_t {
        none,
        version,
        byte_order,
        too_short,
        rts_byte_order,
        rts_too_short,
        rts_too_long,
    };
    using Header = std::span<const std::uint8_t, framing_size>;
    struct Framing {
        std::uint16_t frag_length;
        PacketType type;
        Fault fault;
    };

    static Framing read(Header header) noexcept;
    static Fault early_fault(base::Bytes begin) noexcept;
    static const char* text(Fault fault) noexcept;

    Piece next_partial(base::Bytes& input);
    Piece begin(base::Bytes& input);
    Piece begin_rpc(base::Bytes bytes, Framing framing) noexcept;
    Piece begin_rts(Header header, Framing framing, base::Bytes& input);
    Piece continue_rpc(base::Bytes& input) noexcept;
    Piece continue_rts(base::Bytes& input) noexcept;
    Piece fail(Framing framing) noexcept;

    std::unique_ptr<std::uint8_t[]> rts_;
    std::array<std::uint8_t, framing_size> header_;
    std::uint16_t frag_length_ = 0;
    std::uint16_t remaining_ = 0;
    std::uint8_t have_ = 0;
    PacketType type_ = PacketType::request;
    State state_ = State::boundary;
    Fault fault_ = Fault::none;
};

static_assert(sizeof(Framer) <= 32, "thousands of idle channels each hold a framer");

inline Framer::Framing Framer::read(Header header) noexcept
{
    const auto type = static_cast<PacketType>(header[2]);
    const bool little = (header[4] & 0xf0) == 0x10;
    const bool big = (header[4] & 0xf0) == 0;
    const auto length = static_cast<std::uint16_t>(little ? header[8] | header[9] << 8 : header[8] << 8 | header[9]);
    Fault fault = Fault::none;
    if (header[0] != rpc_version)
        fault = Fault::version;
    else if (!little && !big)
        fault = Fault::byte_order;
    else if (length < header_size)
        fault = Fault::too_short;
    else if (type == PacketType::rts) {
        if (header[4] != 0x10 || (header[5] | header[6] | header[7]) != 0)
            fault = Fault::rts_byte_order;
        else if (length < rts_header_size)
            fault = Fault::rts_too_short;
        else if (length > max_rts_size)
            fault = Fault::rts_too_long;
    }
    return {length, type, fault};
}

inline Framer::Piece Framer::next(base::Bytes& input)
{
    if (state_ == State::boundary && input.size() >= framing_size) {
        const Framing framing = read(input.first<framing_size>());
        if (framing.fault == Fault::none && framing.frag_length <= input.size()) {
            const Kind kind = framing.type == PacketType::rts ? Kind::rts : Kind::rpc;
            const base::Bytes whole = input.first(framing.frag_length);
            input = input.subspan(framing.frag_length);
            return {whole, nullptr, framing.frag_length, kind, framing.type, true, true};
        }
    }
    return next_partial(input);
}

} // namespace rpch
