#pragma once

#include "net/loop.h"
#include "net/stream.h"
#include "net/timer.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leg {

/// Reads what a new connection says first, until its first PDU has told to which virtual connection it belongs. The stream
/// and what has been read are the owner's. One thread.
class Prelude {
public:
    class Owner {
    public:
        /// Look at what is there: more, or all that was there at the start. True: it was enough, and done() or fail() was
        /// called.
        virtual bool prelude_grew() = 0;
        virtual void prelude_failed(const std::string& reason) = 0;

    protected:
        ~Owner() = default;
    };

    /// Who speaks, for the reasons: "the client". `bytes` grows.
    Prelude(net::Loop& loop, Owner& owner, const char* speaker, net::Stream& stream, std::vector<std::uint8_t>& bytes) noexcept;

    /// Writes `greeting`, which people know as `greeting_name`, and listens for `patience`. Callbacks can come inside.
    void start(std::string_view greeting, const char* greeting_name, net::Millis patience, net::Loop::Turn turn);
    /// It is over, well: the stream may go to another loop after Loop::part_with().
    void done();
    /// It is over: calls prelude_failed(). Nothing happens when it was over before.
    void fail(const std::string& reason);

private:
    void on_events(std::uint32_t);
    void on_timeout();

    Owner& owner_;
    const char* const speaker_;
    net::Stream& stream_;
    std::vector<std::uint8_t>& bytes_;
    net::Watch watch_;
    net::Timer limit_;
    bool over_ = false;
};

} // namespace leg
