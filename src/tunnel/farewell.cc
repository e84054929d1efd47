#include "tunnel/farewell.h"

namespace tunnel {

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
        return;
    stream.shutdown_write();
    Guest& guest = guests_.emplace_back(*this, std::move(stream));
    guest.self = std::prev(guests_.end());
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
    watch.remove();
    limit.cancel();
    stream.close();
    farewell.loop_.defer([&guests = farewell.guests_, entry = self] { guests.erase(entry); });
}

} // namespace tunnel
