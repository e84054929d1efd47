#include "base/pasted.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

namespace base {
namespace {

struct Word {
    std::string_view bytes;
    const char* word;
    bool seen; ///< a reader sees that something stands there
};

// What comes along with text from word processors, web pages, mails and files of Windows.
constexpr Word words[] = {
    {{"\0", 1}, "NUL", false},
    {"\b", "backspace", false},
    {"\t", "tab", false},
    {"\n", "line feed", false},
    {"\v", "vertical tab", false},
    {"\f", "form feed", false},
    {"\r", "carriage return", false},
    {"\x1b", "escape", false},
    {" ", "blank", true},
    {"\"", "double quote", true},
    {"'", "single quote", true},
    {"\x7f", "delete", false},
    {"\xc2\xa0", "no-break space", false},
    {"\xc2\xad", "soft hyphen", false},
    {"\xe2\x80\x89", "thin space", false},
    {"\xe2\x80\x8b", "zero width space", false},
    {"\xe2\x80\x8c", "zero width non-joiner", false},
    {"\xe2\x80\x8d", "zero width joiner", false},
    {"\xe2\x80\x8e", "left-to-right mark", false},
    {"\xe2\x80\x8f", "right-to-left mark", false},
    {"\xe2\x80\x90", "hyphen beyond ASCII", true},
    {"\xe2\x80\x91", "non-breaking hyphen", true},
    {"\xe2\x80\x93", "en dash", true},
    {"\xe2\x80\x94", "em dash", true},
    {"\xe2\x80\x98", "left single quotation mark", true},
    {"\xe2\x80\x99", "right single quotation mark", true},
    {"\xe2\x80\x9c", "left double quotation mark", true},
    {"\xe2\x80\x9d", "right double quotation mark", true},
    {"\xe2\x80\x9e", "low double quotation mark", true},
    {"\xe2\x80\xa8", "line separator", false},
    {"\xe2\x80\xaf", "narrow no-break space", false},
    {"\xe2\x81\xa0", "word joiner", false},
    {"\xe2\x88\x92", "minus sign", true},
    {"\xef\xbb\xbf", "byte order mark", false},
    {"\xff\xfe", "byte order mark of UTF-16", false},
    {"\xfe\xff", "byte order mark of UTF-16", false},
};

const Word* find_word(std::string_view text) noexcept
{
    const auto word = std::find_if(std::begin(words), std::end(words),
                                   [&](const Word& one) { return text.starts_with(one.bytes); });
    return word == std::end(words) ? nullptr : word;
}

bool control(std::uint8_t byte) noexcept
{
    return byte < 0x20 || byte == 0x7f;
}

/// Size of the UTF-8 character at the start of `text`; 0: there is none.
std::size_t character_size(std::string_view text) noexcept
{
    const auto lead = static_cast<std::uint8_t>(text.front());
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (size > text.size())
        return 0;
    const auto continues = [](char c) { return (static_cast<std::uint8_t>(c) & 0xc0) == 0x80; };
    return std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(size, 1)), continues)
               ? size
               : 0;
}

std::string word_of(std::string_view text)
{
    if (const Word* word = find_word(text))
        return word->word;
    const auto byte = static_cast<std::uint8_t>(text.front());
    if (control(byte))
        return "control character";
    if (byte < 0x80)
        return std::string(1, text.front());
    return character_size(text) != 0 ? "character beyond ASCII" : "not UTF-8";
}

} // namespace

bool plain(char c) noexcept
{
    return c > 0x20 && c < 0x7f && c != '"' && c != '\'';
}

bool plain_or_blank(char c) noexcept
{
    return plain(c) || c == ' ' || c == '\t';
}

bool digit(char c) noexcept
{
    return c >= '0' && c <= '9';
}

std::string byte_text(std::string_view text, std::size_t index)
{
    char number[5];
    std::snprintf(number, sizeof number, "0x%02x", static_cast<std::uint8_t>(text[index]));
    return std::string("byte ") + number + " (" + word_of(text.substr(index)) + ") at position " + std::to_string(index + 1);
}

std::string odd_byte(std::string_view text, bool (*belongs)(char) noexcept)
{
    const auto odd = std::find_if_not(text.begin(), text.end(), belongs);
    return odd == text.end() ? std::string() : byte_text(text, static_cast<std::size_t>(odd - text.begin()));
}

std::string unseen_byte(std::string_view text)
{
    for (std::size_t i = 0; i < text.size();) {
        const std::string_view rest = text.substr(i);
        const std::size_t size = character_size(rest);
        const Word* word = find_word(rest);
        const bool at_an_end = i == 0 || i + 1 == text.size();
        const bool c1 = rest.front() == '\xc2' && size == 2 && static_cast<std::uint8_t>(rest[1]) < 0xa0;
        if (size == 0 || c1 || control(static_cast<std::uint8_t>(rest.front())) || (word && !word->seen) ||
            (rest.front() == ' ' && at_an_end))
            return byte_text(text, i);
        i += size;
    }
    return {};
}

std::string_view unwrapped(std::string_view text) noexcept
{
    const auto without_space = [](std::string_view wide) {
        static constexpr std::string_view space = " \t\r\n\v\f";
        const auto first = std::min(wide.find_first_not_of(space), wide.size());
        return wide.substr(first, wide.find_last_not_of(space) + 1 - first);
    };
    text = without_space(text);
    if (text.size() >= 2 && text.front() == text.back() && (text.front() == '"' || text.front() == '\''))
        text = without_space(text.substr(1, text.size() - 2));
    return text;
}

std::string quoted(std::string_view name)
{
    const std::string unseen = unseen_byte(name);
    return '"' + std::string(name) + '"' + (unseen.empty() ? "" : " with " + unseen);
}

} // namespace base
