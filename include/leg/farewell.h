#pragma once

#include "net/loop.h"
#include "net/stream.h"
#include "net/timer.h"

#include <list>

namespace leg {

/// Ends streams without a reset: says that nothing more will come, reads and drops what the peer still
/// sends, for at most two seconds and a bounded number of bytes, then closes. A plain close() with bytes
/// unread makes the kernel send RST, and the peer may lose the answer it was just given.
class Farewell {
public:
    static constexpr net::Millis patience{2000};
    static constexpr std::size_t drop_limit = 1024 * 1024;

    explicit Farewell(net::Loop& loop) noexcept : loop_(loop) {}

    /// `last_words` are written first, as far as the socket takes them at once. A peer that has said its own last word
    /// is not waited for. Keeps no more than the stream; the destructor closes all that are still here.
    void say(net::Stream stream, base::Bytes last_words = {});
    std::size_t size() const noexcept { return guests_.size(); }

private:
    struct Guest {
        Guest(Farewell& f, net::Stream s);
        void on_events(std::uint32_t);
        void on_timeout();
        void leave();

        Farewell& farewell;
        net::Stream stream;
        net::Watch watch;
        net::Timer limit;
        std::size_t dropped = 0;
        bool left = false;
        std::list<Guest>::iterator self;
    };

    net::Loop& loop_;
    std::list<Guest> guests_;
};

} // namespace leg
