#include "leg/banner.h"

namespace leg {

Banner::Result Banner::take(base::Bytes& input) noexcept
{
    if (!expected_)
        return Result::absent;
    while (!input.empty()) {
        if (input[0] != static_cast<std::uint8_t>(text[seen_])) {
            expected_ = false;
            return seen_ == 0 ? Result::absent : Result::wrong;
        }
        input = input.subspan(1);
        if (++seen_ == text.size()) {
            expected_ = false;
            return Result::complete;
        }
    }
    return Result::partial;
}

} // namespace leg
