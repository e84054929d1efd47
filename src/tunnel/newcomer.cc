#include "tunnel/newcomer.h"

#include "leg/failure.h"
#include "leg/first_pdu.h"

#include <array>
#include <string_view>

namespace tunnel {
namespace {

/// Enough for every first PDU; what follows it belongs to the channel and is not needed here.
constexpr std::size_t read_size = 512;

} // namespace

Newcomer::Newcomer(net::Loop& loop, Host& host, leg::Arrival&& arrival)
    : host_(host), arrival_(std::move(arrival)),
      watch_(loop, net::Watch::Callback::of<&Newcomer::on_events>(this)),
      limit_(loop, net::Timer::Callback::of<&Newcomer::on_timeout>(this))
{
}

void Newcomer::start(net::Millis patience)
{
    if (arrival_.expect_continue) {
        static constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
        const net::IoResult result = arrival_.stream.write(base::bytes_of(text));
        if (!result.ok() || result.size != text.size())
            return end("the client does not take 100 Continue");
    }
    if (take_first_pdu())
        return;
    limit_.set(patience);
    if (!watch_.add(arrival_.stream.fd()))
        return end(leg::no_watch().reason);
    if (arrival_.stream.readable_inside()) // of everything else the watch brings an event
        on_events(EPOLLIN);
}

void Newcomer::on_events(std::uint32_t)
{
    std::vector<std::uint8_t>& buffer = arrival_.early;
    while (!done_) {
        std::array<std::uint8_t, read_size> piece;
        const net::IoResult result = arrival_.stream.read(piece);
        switch (result.kind) {
        case net::IoResult::Kind::ok: break;
        case net::IoResult::Kind::again: return;
        case net::IoResult::Kind::eof: return end("closed by the client before its first PDU");
        case net::IoResult::Kind::error: return end("before the first PDU: " + arrival_.stream.error_text(result));
        }
        buffer.insert(buffer.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(result.size));
        if (take_first_pdu())
            return;
    }
}

void Newcomer::on_timeout()
{
    end("no first PDU within the time limit");
}

/// True when the matter is decided, for better or worse.
bool Newcomer::take_first_pdu()
{
    const leg::FirstPdu first = leg::read_first_pdu(arrival_.early);
    switch (first.kind) {
    case leg::FirstPdu::Kind::partial:
        if (arrival_.early.size() < arrival_.content_length)
            return false;
        end("the first PDU is longer than the Content-Length");
        return true;
    case leg::FirstPdu::Kind::rpc: end("the first PDU is no RTS PDU"); return true;
    case leg::FirstPdu::Kind::bad: end(first.error); return true;
    case leg::FirstPdu::Kind::rts: break;
    }
    if (first.size > arrival_.content_length) {
        end("the first PDU is longer than the Content-Length");
        return true;
    }
    done_ = true;
    watch_.hand_over();
    limit_.cancel();
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

void Newcomer::end(const std::string& reason)
{
    if (done_)
        return;
    done_ = true;
    watch_.remove();
    limit_.cancel();
    host_.newcomer_failed(*this, reason);
}

} // namespace tunnel
