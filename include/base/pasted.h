#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// What a person has pasted may hold bytes that nobody sees. These say which, and where.

namespace base {

/// Printable ASCII but for the blank and both quotes: what server names, numbers and words are made of.
bool plain(char c) noexcept;
/// The same and blanks: what the values of a configuration are made of.
bool plain_or_blank(char c) noexcept;

bool digit(char c) noexcept;

/// One byte of `text`: "byte 0x0d (carriage return) at position 17", counted from 1. The first byte of a character beyond
/// ASCII tells the character: "byte 0xe2 (en dash) at position 4".
std::string byte_text(std::string_view text, std::size_t index);

/// The first byte that does not belong into `text`, as byte_text says it; empty when all belong.
std::string odd_byte(std::string_view text, bool (*belongs)(char) noexcept = plain);

/// The first byte that a reader would not see, in a text that may be any UTF-8, as byte_text says it: control characters,
/// blanks at the ends, blanks and marks beyond ASCII, and what is not UTF-8. Empty when there is none.
std::string unseen_byte(std::string_view text);

/// Without the white space at both ends, one pair of quotes around all that is left, and white space at the ends within.
std::string_view unwrapped(std::string_view text) noexcept;

/// `"name"`, and what unseen_byte says of it: `"EX1 " with byte 0x20 (blank) at position 4`.
std::string quoted(std::string_view name);

} // namespace base
