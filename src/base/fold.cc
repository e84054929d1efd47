#include "base/fold.h"

#include <locale.h>
#include <wctype.h>

#include <cstdint>

namespace base {
namespace {

/// Cuts the first character off `text`. Nullopt: not UTF-8 (RFC 3629: shortest form, no surrogates).
std::optional<char32_t> next_character(std::string_view& text)
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

void append(std::string& text, char32_t c)
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

/// The C library's Unicode tables. Without them (a system without C.UTF-8) only ASCII is folded.
locale_t unicode()
{
    static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return locale;
}

char32_t lower(char32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
    const locale_t locale = unicode();
    return locale ? static_cast<char32_t>(towlower_l(static_cast<wint_t>(c), locale)) : c;
}

} // namespace

std::optional<std::string> fold(std::string_view text)
{
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const auto c = next_character(text);
        if (!c || *c < 0x20 || (*c >= 0x7f && *c < 0xa0))
            return std::nullopt;
        append(result, lower(*c));
    }
    return result;
}

} // namespace base
