#include "tunnel/newcomer.h"

#include "leg/first_pdu.h"

namespace tunnel {

Newcomer::Newcomer(net::Loop& loop, Host& host, leg::Arrival&& arrival)
    : host_(host), arrival_(std::move(arrival)), prelude_(loop, *this, "the client", arrival_.stream, arrival_.early)
{
}

void Newcomer::start(net::Millis patience)
{
    prelude_.start(arrival_.expect_continue ? "HTTP/1.1 100 Continue\r\n\r\n" : "", "100 Continue", patience,
                   net::Loop::Turn::served);
}

bool Newcomer::prelude_grew()
{
    const auto refused = [&](const std::string& reason) {
        end(reason);
        return true;
    };
    const leg::FirstPdu first = leg::read_first_pdu(arrival_.early);
    switch (first.kind) {
    case leg::FirstPdu::Kind::partial:
        if (arrival_.early.size() < arrival_.content_length)
            return false;
        return refused("the first PDU is longer than the Content-Length");
    case leg::FirstPdu::Kind::rpc: return refused("the first PDU is no RTS PDU");
    case leg::FirstPdu::Kind::bad: return refused(first.error);
    case leg::FirstPdu::Kind::rts: break;
    }
    if (first.size > arrival_.content_length)
        return refused("the first PDU is longer than the Content-Length");
    prelude_.done();
    Opening opening;
    opening.first_pdu = first.pdu;
    opening.virtual_connection = first.virtual_connection;
    opening.first_pdu_size = first.size;
    opening.arrival = std::move(arrival_);
    std::vector<std::uint8_t>& early = opening.arrival.early;
    early.erase(early.begin(), early.begin() + static_cast<std::ptrdiff_t>(first.size));
    host_.newcomer_ready(*this, std::move(opening));
    return true;
}

} // namespace tunnel
