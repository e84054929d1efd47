#include "ntlm/text.h"

#include <unicase.h>
#include <unistr.h>

#include <cstdlib>
#include <memory>

namespace ntlm {
namespace {

template <class Unit> struct Text {
    struct Free {
        void operator()(Unit* text) const noexcept { std::free(text); }
    };
    std::unique_ptr<Unit, Free> units; // null: the conversion failed
    std::size_t size = 0;
};

std::uint16_t unit_at(base::Bytes utf16, std::size_t at) noexcept
{
    return static_cast<std::uint16_t>(utf16[at] | utf16[at + 1] << 8);
}

void append(std::vector<std::uint8_t>& text, std::uint16_t unit)
{
    text.push_back(static_cast<std::uint8_t>(unit));
    text.push_back(static_cast<std::uint8_t>(unit >> 8));
}

bool control(std::uint16_t unit) noexcept
{
    return unit < 0x20 || (unit >= 0x7f && unit < 0xa0);
}

/// Windows' table has the letters that are a pair, each the other's, and the final sigma. Unicode maps more (the micro sign
/// to the letter mu, the dotless i to I), and has given Georgian its capitals since that table was made.
std::uint16_t upper(std::uint16_t unit) noexcept
{
    const ucs4_t capital = uc_toupper(unit);
    const bool georgian = unit >= 0x10d0 && unit < 0x1100, final_sigma = unit == 0x3c2;
    const bool pair = capital <= 0xffff && uc_tolower(capital) == unit;
    return (pair && !georgian) || final_sigma ? static_cast<std::uint16_t>(capital) : unit;
}

} // namespace

std::optional<std::vector<std::uint8_t>> to_utf16(std::string_view utf8)
{
    std::vector<std::uint8_t> result;
    if (utf8.empty())
        return result;
    Text<std::uint16_t> text;
    text.units.reset(u8_to_u16(reinterpret_cast<const std::uint8_t*>(utf8.data()), utf8.size(), nullptr, &text.size));
    if (!text.units)
        return std::nullopt;
    result.reserve(2 * text.size);
    for (std::size_t i = 0; i < text.size; ++i)
        append(result, text.units.get()[i]);
    return result;
}

std::optional<std::string> name_from_utf16(base::Bytes utf16)
{
    if (utf16.size() % 2 != 0)
        return std::nullopt;
    if (utf16.empty())
        return std::string();
    std::vector<std::uint16_t> units;
    units.reserve(utf16.size() / 2);
    for (std::size_t at = 0; at < utf16.size(); at += 2) {
        units.push_back(unit_at(utf16, at));
        if (control(units.back()))
            return std::nullopt;
    }
    Text<std::uint8_t> text;
    text.units.reset(u16_to_u8(units.data(), units.size(), nullptr, &text.size));
    if (!text.units)
        return std::nullopt;
    return std::string(reinterpret_cast<const char*>(text.units.get()), text.size);
}

std::optional<std::string> name_from_oem(base::Bytes oem)
{
    for (const std::uint8_t byte : oem)
        if (control(byte) || byte >= 0x80)
            return std::nullopt;
    return std::string(reinterpret_cast<const char*>(oem.data()), oem.size());
}

std::vector<std::uint8_t> upper_utf16(base::Bytes utf16)
{
    std::vector<std::uint8_t> result;
    result.reserve(utf16.size());
    for (std::size_t at = 0; at + 1 < utf16.size(); at += 2)
        append(result, upper(unit_at(utf16, at)));
    return result;
}

} // namespace ntlm
