#include "rpch/rpc.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace rpch {
namespace {

constexpr std::size_t request_head_size = header_size + 8;
constexpr std::size_t bind_size = header_size + 12 + 44; // one context with one transfer syntax

void write_syntax(base::Writer& out, const Syntax& syntax)
{
    out.bytes(syntax.uuid.bytes);
    out.u16(syntax.major);
    out.u16(syntax.minor);
}

void write_header(base::Writer& out, PacketType type, std::size_t size, std::uint32_t call_id)
{
    PduHeader header;
    header.type = type;
    header.frag_length = static_cast<std::uint16_t>(size);
    header.call_id = call_id;
    header.encode(out);
}

} // namespace

std::string Syntax::text() const
{
    return uuid.text() + " v" + std::to_string(major) + "." + std::to_string(minor);
}

std::vector<std::uint8_t> bind_pdu(std::uint32_t call_id, const Syntax& interface)
{
    std::vector<std::uint8_t> pdu(bind_size);
    base::Writer out(pdu);
    write_header(out, PacketType::bind, pdu.size(), call_id);
    out.u16(rpc_fragment_size); // max_xmit_frag
    out.u16(rpc_fragment_size); // max_recv_frag
    out.u32(0);                 // association group: a new one
    out.u8(1);                  // one context
    out.zeros(3);
    out.u16(0); // context id
    out.u8(1);  // one transfer syntax
    out.zeros(1);
    write_syntax(out, interface);
    write_syntax(out, ndr_syntax);
    assert(out.size() == pdu.size());
    return pdu;
}

std::vector<std::uint8_t> request_pdu(std::uint32_t call_id, std::uint16_t opnum, base::Bytes stub)
{
    assert(stub.size() <= rpc_fragment_size - request_head_size);
    std::vector<std::uint8_t> pdu(request_head_size + stub.size());
    base::Writer out(pdu);
    write_header(out, PacketType::request, pdu.size(), call_id);
    out.u32(static_cast<std::uint32_t>(stub.size())); // alloc_hint
    out.u16(0);                                       // context id
    out.u16(opnum);
    out.bytes(stub);
    return pdu;
}

NdrCursor::NdrCursor(base::Bytes input, bool little_endian) noexcept
    : cursor_(input), size_(input.size()), little_endian_(little_endian)
{
}

std::uint16_t NdrCursor::u16() noexcept
{
    const std::uint16_t value = cursor_.u16();
    return little_endian_ ? value : static_cast<std::uint16_t>(value << 8 | value >> 8);
}

std::uint32_t NdrCursor::u32() noexcept
{
    const std::uint32_t value = cursor_.u32();
    return little_endian_ ? value : __builtin_bswap32(value);
}

Guid NdrCursor::guid() noexcept
{
    Guid guid;
    cursor_.copy(guid.bytes);
    if (!little_endian_) {
        std::reverse(guid.bytes.begin(), guid.bytes.begin() + 4);
        std::reverse(guid.bytes.begin() + 4, guid.bytes.begin() + 6);
        std::reverse(guid.bytes.begin() + 6, guid.bytes.begin() + 8);
    }
    return guid;
}

Syntax NdrCursor::syntax() noexcept
{
    const Guid uuid = guid();
    const std::uint16_t major = u16();
    const std::uint16_t minor = u16();
    return {uuid, major, minor};
}

void NdrCursor::align(std::size_t n) noexcept
{
    const std::size_t offset = size_ - cursor_.left();
    cursor_.skip((n - offset % n) % n);
}

RpcReader::Kind RpcReader::take(base::Bytes pdu, std::uint32_t call_id)
{
    const auto header = PduHeader::decode(pdu);
    if (!header || header->frag_length != pdu.size())
        return fail("truncated RPC PDU");
    if (header->version != rpc_version)
        return fail("RPC PDU of another version");
    if (header->type == PacketType::shutdown)
        return Kind::more; // a wish of the server to end the connection when it is idle; ours is about to
    if (header->auth_length != 0)
        return fail("RPC answer with authentication that was not asked for");
    if (header->call_id != call_id)
        return fail("RPC answer to another call");

    // A server that cannot finish its response says so with a fault (C706 12.6.4.7).
    const bool first = (header->flags & first_fragment) != 0 || header->type == PacketType::fault;
    if (first) {
        if (within_response_ && header->type != PacketType::fault)
            return fail("RPC answer begins within another");
        answer_ = {};
        answer_.type = header->type;
        answer_.call_id = call_id;
        answer_.little_endian = header->little_endian();
    } else if (!within_response_) {
        return fail("RPC answer without its first fragment");
    } else if (header->type != PacketType::response || header->little_endian() != answer_.little_endian) {
        return fail("RPC answer changes within its fragments");
    }

    const NdrCursor body(pdu.subspan(header_size), header->little_endian());
    switch (header->type) {
    case PacketType::bind_ack:
        return take_bind_ack(body);
    case PacketType::bind_nak:
        return take_bind_nak(body);
    case PacketType::response:
        return take_response(*header, body);
    case PacketType::fault:
        return take_fault(body);
    default: // any other number the peer chose
        return fail("RPC PDU that a server may not send");
    }
}

RpcReader::Kind RpcReader::fail(const char* error) noexcept
{
    error_ = error;
    return Kind::bad;
}

RpcReader::Kind RpcReader::take_bind_ack(NdrCursor body)
{
    body.skip(4); // max_xmit_frag, max_recv_frag
    answer_.association_group = body.u32();
    const base::Bytes address = body.take(body.u16());
    answer_.secondary_address.assign(address.begin(), std::find(address.begin(), address.end(), 0));
    body.align(4);
    const std::uint8_t results = body.u8();
    body.skip(3);
    answer_.result = body.u16();
    answer_.reason = body.u16();
    body.syntax(); // only one was offered, so an acceptance can mean no other
    return body.ok() && results > 0 ? Kind::answer : fail("malformed bind_ack");
}

RpcReader::Kind RpcReader::take_bind_nak(NdrCursor body)
{
    answer_.reason = body.u16();
    return body.ok() ? Kind::answer : fail("malformed bind_nak");
}

RpcReader::Kind RpcReader::take_response(const PduHeader& header, NdrCursor body)
{
    body.skip(4); // alloc_hint: only a hint, and the peer's
    const std::uint16_t context = body.u16();
    body.skip(2);
    if (!body.ok())
        return fail("malformed response");
    if (context != 0)
        return fail("response in another context");
    if (answer_.stub.size() + body.left() > stub_limit_)
        return fail("response too long");
    const base::Bytes part = body.take(body.left());
    answer_.stub.insert(answer_.stub.end(), part.begin(), part.end());
    within_response_ = (header.flags & last_fragment) == 0;
    return within_response_ ? Kind::more : Kind::answer;
}

RpcReader::Kind RpcReader::take_fault(NdrCursor body)
{
    body.skip(8); // alloc_hint, context id, cancel count
    answer_.status = body.u32();
    within_response_ = false;
    return body.ok() ? Kind::answer : fail("malformed fault");
}

} // namespace rpch
