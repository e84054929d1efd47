#include "leg/farewell.h"

#include <array>

namespace leg {
namespace {

/// Nothing comes any more and nothing is unread, so that closing sends no reset.
bool has_ended(net::Stream& stream, std::size_t& dropped) noexcept
{
    // Not the loop's scratch memory: what a leg has read may still be on its way there.
    std::array<std::uint8_t, 256> bytes;
    const net::IoResult result = stream.read(bytes);
    dropped += result.size;
    return result.kind == net::IoResult::Kind::eof;
}

} // namespace

Farewell::Guest::Guest(Farewell& f, net::Stream s)
    : farewell(f), stream(std::move(s)), watch(f.loop_, net::Watch::Callback::of<&Guest::on_events>(this)),
      limit(f.loop_, net::Timer::Callback::of<&Guest::on_timeout>(this))
{
}

void Farewell::say(net::Stream stream, base::Bytes last_words)
{
    if (!stream)
        return;
    if (!last_words.empty() && !stream.write(last_words).ok())
        return loop_.close(stream);
    std::size_t dropped = 0;
    const bool ended = !stream.flushing() && has_ended(stream, dropped);
    if (!ended || stream.tls()) // with TLS it says close_notify
        stream.shutdown_write();
    if (ended)
        return loop_.close(stream);
    Guest& guest = guests_.emplace_back(*this, std::move(stream));
    guest.self = std::prev(guests_.end());
    guest.dropped = dropped;
    guest.limit.set(patience);
    if (!guest.watch.add(guest.stream.fd(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET))
        guest.leave();
}

void Farewell::Guest::on_events(std::uint32_t)
{
    if (stream.flushing())
        stream.flush();
    for (;;) {
        const net::IoResult result = stream.read(farewell.loop_.scratch());
        if (result.kind == net::IoResult::Kind::again)
            return;
        dropped += result.size;
        if (!result.ok() || dropped > drop_limit)
            return leave();
    }
}

void Farewell::Guest::on_timeout()
{
    leave();
}

void Farewell::Guest::leave()
{
    if (left)
        return;
    left = true;
    limit.cancel();
    watch.close(stream);
    farewell.loop_.defer([&guests = farewell.guests_, entry = self] { guests.erase(entry); });
}

} // namespace leg
