#include "base/fold.h"

#include "base/utf8.h"

#include <locale.h>
#include <wctype.h>

namespace base {
namespace {

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
        append_character(result, lower(*c));
    }
    return result;
}

} // namespace base
