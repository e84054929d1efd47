#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace base {

/// Cuts the first character off `text`, which is not empty. Nullopt: not UTF-8 (RFC 3629: shortest form, no surrogates).
std::optional<char32_t> next_character(std::string_view& text) noexcept;

/// `c` is a character of Unicode.
void append_character(std::string& text, char32_t c);

bool is_utf8(std::string_view text) noexcept;

/// What text in Windows-1252 is in UTF-8. Nullopt: it has one of the five bytes that mean nothing there.
std::optional<std::string> from_windows_1252(std::string_view text);

} // namespace base
