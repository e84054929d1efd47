#include "leg/prelude.h"

#include "leg/failure.h"

#include <array>

namespace leg {
namespace {

/// Enough for every first PDU and what comes before it; what follows belongs to the channel and is not needed here.
constexpr std::size_t read_size = 512;

} // namespace

Prelude::Prelude(net::Loop& loop, Owner& owner, const char* speaker, net::Stream& stream,
                 std::vector<std::uint8_t>& bytes) noexcept
    : owner_(owner), speaker_(speaker), stream_(stream), bytes_(bytes),
      watch_(loop, net::Watch::Callback::of<&Prelude::on_events>(this)),
      limit_(loop, net::Timer::Callback::of<&Prelude::on_timeout>(this))
{
}

void Prelude::start(std::string_view greeting, const char* greeting_name, net::Millis patience, net::Loop::Turn turn)
{
    if (!greeting.empty()) {
        const net::IoResult result = stream_.write(base::bytes_of(greeting));
        if (!result.ok() || result.size != greeting.size())
            return fail(std::string(speaker_) + " does not take " + greeting_name);
    }
    if (owner_.prelude_grew())
        return;
    limit_.set(patience);
    if (!watch_.add(stream_.fd(), net::Watch::all_events, turn))
        return fail(no_watch().reason);
    if (stream_.readable_inside()) // of everything else the watch brings an event
        on_events(EPOLLIN);
}

void Prelude::on_events(std::uint32_t)
{
    while (!over_) {
        std::array<std::uint8_t, read_size> piece;
        const net::IoResult result = stream_.read(piece);
        switch (result.kind) {
        case net::IoResult::Kind::ok: break;
        case net::IoResult::Kind::again: return;
        case net::IoResult::Kind::eof: return fail("closed by " + std::string(speaker_) + " before its first PDU");
        case net::IoResult::Kind::error: return fail("before the first PDU: " + stream_.error_text(result));
        }
        bytes_.insert(bytes_.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(result.size));
        if (owner_.prelude_grew())
            return;
    }
}

void Prelude::on_timeout()
{
    fail("no first PDU within the time limit");
}

void Prelude::done()
{
    over_ = true;
    watch_.hand_over();
    limit_.cancel();
}

void Prelude::fail(const std::string& reason)
{
    if (over_)
        return;
    over_ = true;
    watch_.remove();
    limit_.cancel();
    owner_.prelude_failed(reason);
}

} // namespace leg
