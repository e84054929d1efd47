#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rpch {

/// A UUID in the memory order of the wire: the first three fields little-endian (MS-DTYP 2.3.4.2).
struct Guid {
    std::array<std::uint8_t, 16> bytes{};

    auto operator<=>(const Guid&) const = default;

    /// Exactly 8-4-4-4-12 hexadecimal digits, upper or lower case; no braces, no blanks.
    static std::optional<Guid> parse(std::string_view text) noexcept;
    /// The mirror of parse, in lower case.
    std::string text() const;
};

} // namespace rpch
