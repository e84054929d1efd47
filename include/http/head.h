#pragma once

#include "base/cursor.h"

#include <cstdint>
#include <string_view>

namespace http {

/// Finds the end of a request head in a stream, byte for byte, and refuses at once what can never become
/// one: a line feed without carriage return, a carriage return without line feed, any other control byte.
/// So a TLS greeting on a plain port does not wait for the deadline.
class HeadScanner {
public:
    enum class Found { more, complete, bad };

    /// `seen` is all that has come so far, the bytes of earlier calls first; only new ones are looked at.
    Found scan(base::Bytes seen) noexcept;
    /// After `complete`: the size of the head with its empty line.
    std::size_t size() const noexcept { return position_; }
    /// After `bad`.
    const char* error() const noexcept { return error_; }
    void reset() noexcept { *this = {}; }

private:
    std::size_t position_ = 0;
    unsigned ends_ = 0; // bytes of CR LF CR LF that the last bytes are
    const char* error_ = nullptr;
};

/// What the front must know of a head to carry the request. Everything else is read by the engine.
struct HeadFacts {
    bool http10 = false;
    bool keep_alive = false;      ///< the client wants the connection to stay open
    bool expect_continue = false; ///< never with HTTP/1.0
    bool through_front = false;   ///< Via, Forwarded or X-Forwarded-For: users may share the connection
    bool has_length = false;      ///< there is a Content-Length
    std::uint64_t content_length = 0;
};

struct HeadCheck {
    unsigned status = 0; ///< 0 = sound; otherwise the HTTP status to refuse it with
    const char* reason = "";
    HeadFacts facts;
    std::string_view method; ///< views into the head, for the log; empty when the request line is no good
    std::string_view target;
};

/// The strictness that libmicrohttpd lacks, RFC 9112 sections 2.2, 3, 5, 6 and RFC 9110 sections 5.5, 7.2, 8.6,
/// 10.1.1: whatever two readers could understand differently is refused. `head` is the exact text that will
/// be given to the engine, from the request line to the empty line.
HeadCheck check_head(std::string_view head) noexcept;

/// More header fields than any client has; bounds what the engine allocates.
constexpr unsigned max_header_fields = 128;

} // namespace http
