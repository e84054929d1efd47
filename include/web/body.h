#pragma once

#include "base/cursor.h"
#include "web/response.h"

#include <cstdint>

namespace web {

/// Takes the coding off a body: plain with a length or until the end, or chunked, since some middle boxes
/// re-chunk an OUT response.
class BodyReader {
public:
    enum class Kind { more, bytes, end, bad };
    struct Piece {
        Kind kind;
        base::Bytes bytes; ///< within the input
    };

    void begin(const Response& response) noexcept;
    /// Consumes from `input`.
    Piece next(base::Bytes& input) noexcept;

private:
    enum class State { length, to_the_end, chunk_size, chunk_extension, chunk, chunk_end, trailer, ended, bad };

    Piece count_down(base::Bytes& input, State after) noexcept;

    State state_ = State::ended;
    std::uint64_t left_ = 0;
    unsigned digits_ = 0;
    std::size_t line_ = 0;
};

} // namespace web
