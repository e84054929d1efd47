#include "base/utf8.h"

#include <cstdint>

namespace base {
namespace {

/// Windows-1252 from 0x80 on, where it is not ISO 8859-1. 0: nothing.
constexpr char16_t windows_1252[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017d, 0,
    0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

} // namespace

std::optional<char32_t> next_character(std::string_view& text) noexcept
{
    const auto lead = static_cast<std::uint8_t>(text.front());
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4
                                                                                                                : 0;
    if (size == 0 || text.size() < size)
        return std::nullopt;
    char32_t value = size == 1 ? lead : lead & (0x7fU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        const auto byte = static_cast<std::uint8_t>(text[i]);
        if ((byte & 0xc0) != 0x80)
            return std::nullopt;
        value = value << 6 | (byte & 0x3fU);
    }
    const bool overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
    if (overlong || (value >= 0xd800 && value < 0xe000) || value > 0x10ffff)
        return std::nullopt;
    text.remove_prefix(size);
    return value;
}

void append_character(std::string& text, char32_t c)
{
    if (c < 0x80) {
        text += static_cast<char>(c);
        return;
    }
    if (c < 0x800) {
        text += static_cast<char>(0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            text += static_cast<char>(0xe0 | c >> 12);
        } else {
            text += static_cast<char>(0xf0 | c >> 18);
            text += static_cast<char>(0x80 | (c >> 12 & 0x3f));
        }
        text += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    }
    text += static_cast<char>(0x80 | (c & 0x3f));
}

bool is_utf8(std::string_view text) noexcept
{
    while (!text.empty())
        if (!next_character(text))
            return false;
    return true;
}

std::optional<std::string> from_windows_1252(std::string_view text)
{
    std::string result;
    result.reserve(3 * text.size());
    for (const char byte : text) {
        const auto code = static_cast<std::uint8_t>(byte);
        const char32_t c = code >= 0x80 && code < 0xa0 ? windows_1252[code - 0x80] : code;
        if (c == 0 && code != 0)
            return std::nullopt;
        append_character(result, c);
    }
    return result;
}

} // namespace base
