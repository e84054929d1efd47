#include "base/base64.h"

#include <algorithm>
#include <array>

namespace base {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr auto values = [] {
    std::array<std::int8_t, 256> table{};
    table.fill(-1);
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
    return table;
}();

} // namespace

std::string base64_encode(Bytes bytes)
{
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = std::uint32_t{bytes[i]} << 16;
        if (have > 1)
            group |= std::uint32_t{bytes[i + 1]} << 8;
        if (have > 2)
            group |= bytes[i + 2];
        for (std::size_t digit = 0; digit < 4; ++digit)
            text += digit <= have ? alphabet[group >> (18 - 6 * digit) & 0x3f] : '=';
    }
    return text;
}

std::optional<std::string> base64_decode(std::string_view text)
{
    if (text.size() % 4 != 0)
        return std::nullopt;
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=')
        ++padding;
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3);
    std::uint32_t group = 0;
    const std::size_t digits = text.size() - padding;
    for (std::size_t i = 0; i < digits; ++i) {
        const auto value = values[static_cast<unsigned char>(text[i])];
        if (value < 0)
            return std::nullopt;
        group = group << 6 | static_cast<std::uint32_t>(value);
        switch (i % 4) {
        case 1: bytes += static_cast<char>(group >> 4); break;
        case 2: bytes += static_cast<char>(group >> 2); break;
        case 3: bytes += static_cast<char>(group); break;
        default: break;
        }
    }
    if ((padding == 1 && (group & 0x3)) || (padding == 2 && (group & 0xf)))
        return std::nullopt;
    return bytes;
}

} // namespace base
