#pragma once

#include "base/cursor.h"

#include <optional>
#include <string>
#include <string_view>

namespace base {

/// RFC 4648 section 4, with padding, no line breaks.
std::string base64_encode(Bytes bytes);

/// Strict: the length is a multiple of four, the padding is in its place, the unused bits are zero, no
/// other byte occurs.
std::optional<std::string> base64_decode(std::string_view text);

} // namespace base
