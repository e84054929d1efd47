#include "leg/first_pdu.h"

#include "rpch/framer.h"
#include "rpch/pdu.h"
#include "rpch/rts_fields.h"

namespace leg {
namespace {

constexpr char neither[] = "the first PDU is no RTS PDU and no RPC PDU";

} // namespace

FirstPdu read_first_pdu(base::Bytes bytes)
{
    FirstPdu first;
    const auto bad = [&](std::string error) {
        first.kind = FirstPdu::Kind::bad;
        first.error = std::move(error);
        return first;
    };
    if (bytes.size() < rpch::framing_size)
        return rpch::Framer::objection(bytes) ? bad(neither) : first;
    if (static_cast<rpch::PacketType>(bytes[2]) != rpch::PacketType::rts) {
        if (bytes[0] != 5 || bytes[1] > 1)
            return bad(neither);
        first.kind = FirstPdu::Kind::rpc;
        return first;
    }
    const std::size_t size = rpch::frag_length(bytes.first<rpch::framing_size>());
    if (size < rpch::rts_header_size || size > rpch::max_rts_size)
        return bad("the first PDU has an illegal length");
    if (bytes.size() < size)
        return first;
    if (const rpch::DecodeResult decoded = rpch::decode(bytes.first(size), first.pdu); !decoded.ok())
        return bad(std::string("malformed first PDU: ") + decoded.error);
    rpch::RtsFields fields(first.pdu);
    fields.version();
    first.virtual_connection = fields.cookie();
    if (!fields.ok() || first.virtual_connection.zero())
        return bad("the first PDU names no virtual connection");
    first.kind = FirstPdu::Kind::rts;
    first.size = static_cast<std::uint32_t>(size);
    return first;
}

} // namespace leg
