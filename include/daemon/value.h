#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rpctunneld {

/// "90s", "15 min", "250ms", "2h", "1d"; "0" needs no unit. Anything else, and what does not fit, is nothing.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
/// The largest unit that divides it: "15min", "90s".
std::string duration_text(std::chrono::milliseconds duration);

/// Bytes: "65536", "64KiB", "1 GiB", "8MiB".
std::optional<std::uint64_t> parse_size(std::string_view text);
std::string size_text(std::uint64_t bytes);

/// "yes" or "no".
std::optional<bool> parse_yes_no(std::string_view text) noexcept;

} // namespace rpctunneld
