#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace base {

/// ASCII only, on purpose: host names and HTTP tokens are compared so.
char lower(char c) noexcept;
std::string lower(std::string_view text);
std::string upper(std::string_view text);
bool equal_nocase(std::string_view a, std::string_view b) noexcept;

/// Without leading and trailing blanks and tabs.
std::string_view trim(std::string_view text) noexcept;

/// A decimal number without sign, blank or leading "+", at most `max`; nothing else is accepted.
std::optional<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t max) noexcept;

/// The pieces between `separator`, empty ones included. Views into `text`.
std::vector<std::string_view> split(std::string_view text, char separator);

/// The value of a hexadecimal digit of either case.
std::optional<unsigned> hex_digit(char c) noexcept;

/// Exactly 8-4-4-4-12 hexadecimal digits of either case; no braces, no blanks.
bool is_uuid(std::string_view text) noexcept;

/// Lower-case hexadecimal digits of `bytes`.
std::string hex(const std::uint8_t* bytes, std::size_t size);

} // namespace base
