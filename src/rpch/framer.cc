#include "rpch/framer.h"

#include <algorithm>

namespace rpch {

const char* Framer::text(Fault fault) noexcept
{
    switch (fault) {
    case Fault::none:
        return nullptr;
    case Fault::version:
        return "RPC version is not 5";
    case Fault::byte_order:
        return "unknown byte order";
    case Fault::too_short:
        return "fragment length below 16";
    case Fault::rts_byte_order:
        return "RTS PDU is not in the byte order 10 00 00 00";
    case Fault::rts_too_short:
        return "RTS fragment length below 20";
    case Fault::rts_too_long:
        return "RTS fragment length above 256";
    }
    return nullptr;
}

Framer::Piece Framer::next_partial(base::Bytes& input)
{
    switch (state_) {
    case State::delivered:
        rts_.reset();
        state_ = State::boundary;
        return next(input);
    case State::boundary:
    case State::header:
        return begin(input);
    case State::rpc:
        return continue_rpc(input);
    case State::rts:
        return continue_rts(input);
    case State::bad:
        break;
    }
    return {.error = text(fault_), .frag_length = frag_length_, .kind = Kind::bad};
}

/// As if the rest of the header were in order.
Framer::Fault Framer::early_fault(base::Bytes begin) noexcept
{
    std::array<std::uint8_t, framing_size> header{rpc_version, 0, 0, 0, 0x10, 0, 0, 0, rts_header_size, 0};
    // Half of a length tells nothing.
    std::copy_n(begin.begin(), std::min<std::size_t>(begin.size(), 8), header.begin());
    return read(Header(header)).fault;
}

Framer::Piece Framer::begin(base::Bytes& input)
{
    if (input.empty())
        return {};
    if (have_ == 0 && input.size() >= framing_size) {
        const Header header = input.first<framing_size>();
        const Framing framing = read(header);
        if (framing.fault != Fault::none)
            return fail(framing);
        if (framing.type == PacketType::rts) {
            input = input.subspan(framing_size);
            return begin_rts(header, framing, input);
        }
        const base::Bytes bytes = input.first(std::min<std::size_t>(framing.frag_length, input.size()));
        input = input.subspan(bytes.size());
        return begin_rpc(bytes, framing);
    }
    const std::size_t n = std::min(framing_size - have_, input.size());
    std::copy_n(input.begin(), n, header_.begin() + have_);
    have_ = static_cast<std::uint8_t>(have_ + n);
    input = input.subspan(n);
    state_ = State::header;
    if (have_ < framing_size) {
        const Fault fault = early_fault(base::Bytes(header_).first(have_));
        return fault == Fault::none ? Piece{} : fail({0, PacketType::request, fault});
    }
    have_ = 0;
    const Framing framing = read(Header(header_));
    if (framing.fault != Fault::none)
        return fail(framing);
    if (framing.type == PacketType::rts)
        return begin_rts(Header(header_), framing, input);
    return begin_rpc(header_, framing);
}

Framer::Piece Framer::begin_rpc(base::Bytes bytes, Framing framing) noexcept
{
    frag_length_ = framing.frag_length;
    type_ = framing.type;
    remaining_ = static_cast<std::uint16_t>(framing.frag_length - bytes.size());
    state_ = remaining_ == 0 ? State::boundary : State::rpc;
    return {bytes, nullptr, frag_length_, Kind::rpc, type_, true, remaining_ == 0};
}

Framer::Piece Framer::continue_rpc(base::Bytes& input) noexcept
{
    if (input.empty())
        return {};
    const base::Bytes bytes = input.first(std::min<std::size_t>(remaining_, input.size()));
    input = input.subspan(bytes.size());
    remaining_ = static_cast<std::uint16_t>(remaining_ - bytes.size());
    if (remaining_ == 0)
        state_ = State::boundary;
    return {bytes, nullptr, frag_length_, Kind::rpc, type_, false, remaining_ == 0};
}

Framer::Piece Framer::begin_rts(Header header, Framing framing, base::Bytes& input)
{
    rts_ = std::make_unique<std::uint8_t[]>(framing.frag_length);
    std::copy(header.begin(), header.end(), rts_.get());
    frag_length_ = framing.frag_length;
    type_ = framing.type;
    remaining_ = static_cast<std::uint16_t>(framing.frag_length - framing_size);
    state_ = State::rts;
    return continue_rts(input);
}

Framer::Piece Framer::continue_rts(base::Bytes& input) noexcept
{
    const std::size_t n = std::min<std::size_t>(remaining_, input.size());
    std::copy_n(input.begin(), n, rts_.get() + (frag_length_ - remaining_));
    input = input.subspan(n);
    remaining_ = static_cast<std::uint16_t>(remaining_ - n);
    if (remaining_ != 0)
        return {};
    state_ = State::delivered;
    return {{rts_.get(), frag_length_}, nullptr, frag_length_, Kind::rts, type_, true, true};
}

Framer::Piece Framer::fail(Framing framing) noexcept
{
    state_ = State::bad;
    fault_ = framing.fault;
    frag_length_ = framing.frag_length;
    return {.error = text(fault_), .frag_length = frag_length_, .kind = Kind::bad};
}

} // namespace rpch
