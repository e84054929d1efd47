#include "rpch/guid.h"

#include "base/text.h"

#include <cstddef>

namespace rpch {

namespace {

/// Where the text's pairs of digits go: the first three fields are little-endian in memory.
constexpr std::array<std::uint8_t, 16> place{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
constexpr std::size_t text_size = 36;

constexpr bool dash_at(std::size_t position) noexcept
{
    return position == 8 || position == 13 || position == 18 || position == 23;
}

} // namespace

std::optional<Guid> Guid::parse(std::string_view text) noexcept
{
    if (!base::is_uuid(text))
        return std::nullopt;
    Guid guid;
    std::size_t digits = 0;
    for (const char c : text) {
        if (c == '-')
            continue;
        std::uint8_t& byte = guid.bytes[place[digits / 2]];
        byte = static_cast<std::uint8_t>(byte << 4 | *base::hex_digit(c));
        ++digits;
    }
    return guid;
}

std::string Guid::text() const
{
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(text_size);
    for (const std::uint8_t from : place) {
        if (dash_at(text.size()))
            text += '-';
        text += digits[bytes[from] >> 4];
        text += digits[bytes[from] & 15];
    }
    return text;
}

} // namespace rpch
