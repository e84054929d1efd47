#include "web/body.h"

#include "base/text.h"

#include <algorithm>

namespace web {

void BodyReader::begin(const Response& response) noexcept
{
    digits_ = 0;
    line_ = 0;
    left_ = 0;
    if (response.chunked) {
        state_ = State::chunk_size;
    } else if (response.content_length) {
        left_ = *response.content_length;
        state_ = left_ ? State::length : State::ended;
    } else {
        state_ = State::to_the_end;
    }
}

BodyReader::Piece BodyReader::count_down(base::Bytes& input, State after) noexcept
{
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
    const base::Bytes bytes = input.first(size);
    input = input.subspan(size);
    left_ -= size;
    if (left_ == 0)
        state_ = after;
    return {Kind::bytes, bytes};
}

BodyReader::Piece BodyReader::next(base::Bytes& input) noexcept
{
    for (;;) {
        if (state_ == State::ended)
            return {Kind::end, {}};
        if (state_ == State::bad)
            return {Kind::bad, {}};
        if (input.empty())
            return {Kind::more, {}};
        if (state_ == State::length)
            return count_down(input, State::ended);
        if (state_ == State::chunk)
            return count_down(input, State::chunk_end);
        if (state_ == State::to_the_end) {
            const base::Bytes bytes = input;
            input = {};
            return {Kind::bytes, bytes};
        }

        const char c = static_cast<char>(input[0]);
        input = input.subspan(1);
        if (++line_ > 1024) {
            state_ = State::bad;
        } else if (state_ == State::chunk_size) {
            if (const auto digit = base::hex_digit(c); digit && digits_ < 15) {
                left_ = left_ << 4 | *digit;
                ++digits_;
            } else if (digits_ == 0 || digit) {
                state_ = State::bad;
            } else if (c == '\n') {
                state_ = left_ ? State::chunk : State::trailer;
                line_ = 0;
            } else {
                state_ = State::chunk_extension;
            }
        } else if (state_ == State::chunk_extension) {
            if (c == '\n') {
                state_ = left_ ? State::chunk : State::trailer;
                line_ = 0;
            }
        } else if (state_ == State::chunk_end) {
            if (c == '\n') {
                state_ = State::chunk_size;
                digits_ = 0;
                left_ = 0;
                line_ = 0;
            } else if (c != '\r') {
                state_ = State::bad;
            }
        } else { // trailer: ends with an empty line
            if (c == '\n') {
                if (line_ <= 2)
                    state_ = State::ended;
                line_ = 0;
            }
        }
    }
}

} // namespace web
