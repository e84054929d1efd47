#include "web/response.h"

#include "base/text.h"

#include <time.h>

#include <algorithm>

namespace web {
namespace {

/// The pieces between commas that are not within quotes.
std::vector<std::string_view> split_list(std::string_view text)
{
    std::vector<std::string_view> pieces;
    bool quoted = false;
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        if (i < text.size() && text[i] == '"')
            quoted = !quoted;
        if (i == text.size() || (text[i] == ',' && !quoted)) {
            pieces.push_back(base::trim(text.substr(begin, i - begin)));
            begin = i + 1;
        }
    }
    return pieces;
}

} // namespace

std::string_view Response::header(std::string_view name) const noexcept
{
    const auto found = std::find_if(headers.begin(), headers.end(),
                                    [&](const auto& h) { return base::equal_nocase(h.first, name); });
    return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

bool Response::keeps_connection() const noexcept
{
    const std::string_view wish = header("Connection");
    if (http10)
        return base::equal_nocase(wish, "keep-alive");
    return !base::equal_nocase(wish, "close");
}

std::vector<std::string> Response::schemes() const
{
    std::vector<std::string> found;
    for (const auto& [name, value] : headers) {
        if (!base::equal_nocase(name, "WWW-Authenticate"))
            continue;
        for (const std::string_view piece : split_list(value)) {
            const std::string_view word = piece.substr(0, piece.find(' '));
            if (!word.empty() && word.find('=') == std::string_view::npos)
                found.emplace_back(word);
        }
    }
    return found;
}

std::optional<std::string_view> Response::challenge(std::string_view scheme) const
{
    std::optional<std::string_view> found;
    for (const auto& [name, value] : headers) {
        if (!base::equal_nocase(name, "WWW-Authenticate"))
            continue;
        for (const std::string_view piece : split_list(value)) {
            if (!base::equal_nocase(piece.substr(0, piece.find(' ')), scheme))
                continue;
            const std::string_view rest = base::trim(piece.substr(scheme.size()));
            if (!found || found->empty())
                found = rest;
        }
    }
    return found;
}

std::optional<std::int64_t> Response::date() const
{
    tm parts{};
    const std::string text(header("Date"));
    const char* const end = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return end && *end == '\0' ? std::optional<std::int64_t>(timegm(&parts)) : std::nullopt;
}

std::optional<std::uint32_t> Response::rpc_error() const noexcept
{
    static constexpr std::string_view prefix = "RPC Error:";
    const auto at = reason.find(prefix);
    if (at == std::string::npos)
        return std::nullopt;
    const std::string_view rest = base::trim(std::string_view(reason).substr(at + prefix.size()));
    std::uint32_t value = 0;
    unsigned count = 0;
    for (; count < rest.size() && count < 8; ++count) {
        const auto digit = base::hex_digit(rest[count]);
        if (!digit)
            break;
        value = value << 4 | *digit;
    }
    return count ? std::optional(value) : std::nullopt;
}

std::string Response::line() const
{
    return reason.empty() ? std::to_string(status) : std::to_string(status) + " " + reason;
}

HeadReader::Kind HeadReader::take(base::Bytes& input)
{
    while (!input.empty()) {
        const char c = static_cast<char>(input[0]);
        input = input.subspan(1);
        text_ += c;
        if (text_.size() > limit) {
            error_ = "HTTP response head too long";
            return Kind::bad;
        }
        // What is no HTTP at all shows at its first bytes.
        static constexpr std::string_view start = "HTTP/1.";
        if (text_.size() <= start.size() && c != start[text_.size() - 1]) {
            error_ = "the answer is not HTTP/1";
            return Kind::bad;
        }
        if (c != '\n' || (!text_.ends_with("\r\n\r\n") && !text_.ends_with("\n\n")))
            continue;
        raw_ = std::move(text_);
        text_.clear();
        if (!parse(raw_)) {
            error_ = "malformed HTTP response head";
            return Kind::bad;
        }
        if (response_.status >= 200)
            return Kind::done;
    }
    return Kind::more;
}

bool HeadReader::parse(std::string_view head)
{
    response_ = {};
    bool first = true;
    for (std::string_view line : base::split(head, '\n')) {
        if (line.ends_with("\r"))
            line.remove_suffix(1);
        if (line.empty())
            continue;
        if (first) {
            first = false;
            if (line.size() < 12 || (line[7] != '0' && line[7] != '1') || line[8] != ' ')
                return false;
            const auto status = base::parse_decimal(line.substr(9, 3), 999);
            if (!status || *status < 100 || (line.size() > 12 && line[12] != ' '))
                return false;
            response_.http10 = line[7] == '0';
            response_.status = static_cast<int>(*status);
            response_.reason = base::trim(line.substr(12));
            continue;
        }
        const auto colon = line.find(':');
        if (colon == std::string_view::npos)
            continue;
        response_.headers.emplace_back(base::trim(line.substr(0, colon)), base::trim(line.substr(colon + 1)));
        const auto& [name, value] = response_.headers.back();
        if (base::equal_nocase(name, "Content-Length")) {
            response_.content_length = base::parse_decimal(value, ~std::uint64_t{0});
            if (!response_.content_length)
                return false;
        } else if (base::equal_nocase(name, "Transfer-Encoding")) {
            response_.chunked = base::lower(value).find("chunked") != std::string::npos;
        }
    }
    return !first;
}

} // namespace web
