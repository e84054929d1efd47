#include "rpch/pdu.h"

namespace rpch {

namespace {

constexpr std::uint16_t swap(std::uint16_t v) noexcept
{
    return static_cast<std::uint16_t>(v << 8 | v >> 8);
}

constexpr std::uint32_t swap(std::uint32_t v) noexcept
{
    return v << 24 | (v & 0xff00) << 8 | (v >> 8 & 0xff00) | v >> 24;
}

} // namespace

std::optional<PduHeader> PduHeader::decode(base::Bytes pdu) noexcept
{
    base::Cursor c(pdu);
    PduHeader h;
    h.version = c.u8();
    h.version_minor = c.u8();
    h.type = static_cast<PacketType>(c.u8());
    h.flags = c.u8();
    c.copy(h.drep);
    h.frag_length = c.u16();
    h.auth_length = c.u16();
    h.call_id = c.u32();
    if (!c.ok())
        return std::nullopt;
    if (!h.little_endian()) {
        h.frag_length = swap(h.frag_length);
        h.auth_length = swap(h.auth_length);
        h.call_id = swap(h.call_id);
    }
    return h;
}

void PduHeader::encode(base::Writer& out) const noexcept
{
    const bool little = little_endian();
    out.u8(version);
    out.u8(version_minor);
    out.u8(static_cast<std::uint8_t>(type));
    out.u8(flags);
    out.bytes(drep);
    out.u16(little ? frag_length : swap(frag_length));
    out.u16(little ? auth_length : swap(auth_length));
    out.u32(little ? call_id : swap(call_id));
}

} // namespace rpch
