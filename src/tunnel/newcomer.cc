#include "tunnel/newcomer.h"

#include "rpch/pdu.h"
#include "rpch/rts_fields.h"

#include <array>
#include <string_view>

namespace tunnel {
namespace {

/// Enough for every first PDU; what follows it belongs to the channel and is not needed here.
constexpr std::size_t read_size = 512;

} // namespace

Newcomer::Newcomer(net::Loop& loop, Host& host, Arrival&& arrival)
    : loop_(loop), host_(host), arrival_(std::move(arrival)),
      watch_(loop, net::Watch::Callback::of<&Newcomer::on_events>(this)),
      limit_(loop, net::Timer::Callback::of<&Newcomer::on_timeout>(this))
{
}

void Newcomer::start(net::Millis patience)
{
    if (arrival_.expect_continue) {
        static constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
        const net::IoResult result = arrival_.stream.write({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
        if (!result.ok() || result.size != text.size())
            return end("the client does not take 100 Continue");
    }
    if (take_first_pdu())
        return;
    limit_.set(patience);
    if (!watch_.add(arrival_.stream.fd()))
        return end("the system watches no more connections");
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
    const base::Bytes bytes = arrival_.early;
    if (bytes.size() < rpch::framing_size)
        return false;
    const std::size_t size = rpch::frag_length(bytes.first<rpch::framing_size>());
    if (static_cast<rpch::PacketType>(bytes[2]) != rpch::PacketType::rts) {
        end("the first PDU is no RTS PDU");
        return true;
    }
    if (size < rpch::rts_header_size || size > rpch::max_rts_size || size > arrival_.content_length) {
        end("the first PDU has an illegal length");
        return true;
    }
    if (bytes.size() < size)
        return false;

    Opening opening;
    const rpch::DecodeResult decoded = rpch::decode(bytes.first(size), opening.first_pdu);
    if (!decoded.ok()) {
        end(std::string("malformed first PDU: ") + decoded.error);
        return true;
    }
    // Every PDU that may come first begins with the version and the cookie of the virtual connection.
    rpch::RtsFields fields(opening.first_pdu);
    fields.version();
    opening.virtual_connection = fields.cookie();
    if (!fields.ok()) {
        end("the first PDU names no virtual connection");
        return true;
    }
    done_ = true;
    watch_.remove();
    limit_.cancel();
    opening.first_pdu_size = static_cast<std::uint32_t>(size);
    opening.arrival = std::move(arrival_);
    std::vector<std::uint8_t>& early = opening.arrival.early;
    early.erase(early.begin(), early.begin() + static_cast<std::ptrdiff_t>(size));
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
