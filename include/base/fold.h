#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace base {

/// The form in which names of people and domains are compared: every character in lower case by Unicode rules,
/// whatever the locale of the process. Nullopt when `text` is not valid UTF-8 or holds a control character.
std::optional<std::string> fold(std::string_view text);

} // namespace base
