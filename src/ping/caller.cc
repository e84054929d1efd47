#include "ping/caller.h"

#include "base/text.h"

namespace ping {
namespace {

constexpr std::size_t response_limit = 1024 * 1024;

} // namespace

Caller::Caller(Report& report) : report_(report), reader_(response_limit) {}

std::optional<rpch::RpcAnswer> Caller::bind(const rpch::Syntax& interface)
{
    return begin(rpch::bind_pdu(++call_id_, interface));
}

std::optional<rpch::RpcAnswer> Caller::call(std::uint16_t opnum)
{
    return begin(rpch::request_pdu(++call_id_, opnum, {}));
}

std::optional<rpch::RpcAnswer> Caller::begin(base::Bytes pdu)
{
    outstanding_ = true;
    answered_ = false;
    return exchange(pdu);
}

void Caller::trace_rpc(Place place, const char* direction, base::Bytes pdu)
{
    if (report_.tracing())
        report_.trace(place, direction,
                      "RPC PDU, " + std::to_string(pdu.size()) + " bytes: " + base::hex(pdu.data(), pdu.size()));
}

const char* Caller::take(Place place, const rpch::Framer::Piece& piece)
{
    if (piece.first)
        pdu_.clear();
    pdu_.insert(pdu_.end(), piece.bytes.begin(), piece.bytes.end());
    if (!piece.last)
        return nullptr;
    trace_rpc(place, "<", pdu_);
    if (!outstanding_)
        return piece.type == rpch::PacketType::shutdown ? nullptr : "RPC PDU without a call";
    switch (reader_.take(pdu_, call_id_)) {
    case rpch::RpcReader::Kind::more:
        return nullptr;
    case rpch::RpcReader::Kind::answer:
        answered_ = true;
        outstanding_ = false;
        return nullptr;
    case rpch::RpcReader::Kind::bad:
        return reader_.error();
    }
    return nullptr;
}

} // namespace ping
