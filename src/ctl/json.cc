#include "ctl/json.h"

#include <cstdio>

namespace ctl {
namespace {

/// The length of the UTF-8 character at the start of `text`, 0 when there is none (RFC 3629).
std::size_t character(std::string_view text)
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80)
        return 1;
    const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < size)
        return 0;
    for (std::size_t i = 1; i < size; ++i)
        if ((byte(i) & 0xc0) != 0x80)
            return 0;
    const bool overlong = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xf0 && byte(1) < 0x90);
    const bool surrogate = lead == 0xed && byte(1) > 0x9f;
    return overlong || surrogate || (lead == 0xf4 && byte(1) > 0x8f) ? 0 : size;
}

} // namespace

Json& Json::open(char bracket)
{
    separate();
    text_ += bracket;
    first_ = true;
    return *this;
}

Json& Json::close(char bracket)
{
    text_ += bracket;
    first_ = false;
    return *this;
}

void Json::separate()
{
    if (!first_)
        text_ += ',';
    first_ = false;
}

Json& Json::key(std::string_view name)
{
    separate();
    quote(name);
    text_ += ':';
    first_ = true; // the value that follows has no comma before it
    return *this;
}

Json& Json::value(std::string_view text)
{
    separate();
    quote(text);
    return *this;
}

Json& Json::value(std::int64_t number)
{
    separate();
    text_ += std::to_string(number);
    return *this;
}

Json& Json::value(bool truth)
{
    separate();
    text_ += truth ? "true" : "false";
    return *this;
}

Json& Json::null()
{
    separate();
    text_ += "null";
    return *this;
}

Json& Json::value(const std::vector<std::string>& texts)
{
    begin_array();
    for (const std::string& text : texts)
        value(text);
    return end_array();
}

void Json::quote(std::string_view text)
{
    text_ += '"';
    while (!text.empty()) {
        const char c = text.front();
        const std::size_t size = character(text);
        if (size == 0) {
            text_ += "\\ufffd";
            text.remove_prefix(1);
            continue;
        }
        if (c == '"' || c == '\\') {
            text_ += '\\';
            text_ += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned char>(c));
            text_ += escaped;
        } else {
            text_ += text.substr(0, size);
        }
        text.remove_prefix(size);
    }
    text_ += '"';
}

} // namespace ctl
