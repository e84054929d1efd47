#include "tools/ping_http.h"

#include "base/base64.h"
#include "base/text.h"

#include <algorithm>

namespace ping {
namespace {

std::optional<unsigned> hex_digit(char c) noexcept
{
    if (c >= '0' && c <= '9')
        return static_cast<unsigned>(c - '0');
    const char low = base::lower(c);
    if (low >= 'a' && low <= 'f')
        return static_cast<unsigned>(low - 'a' + 10);
    return std::nullopt;
}

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

std::string Request::head(bool show_secrets) const
{
    std::string text(method);
    text += " " + resource + " HTTP/1.1\r\n";
    text += "Host: " + host + "\r\n";
    if (content_length)
        text += "Accept: application/rpc\r\n"
                "User-Agent: MSRPC\r\n"
                "Cache-Control: no-cache\r\n"
                "Connection: Keep-Alive\r\n";
    else
        text += "User-Agent: RPC\r\n";
    text += "Pragma: No-cache\r\n";
    if (!authorization.empty())
        text += "Authorization: " + (show_secrets ? authorization : std::string("Basic (hidden)")) + "\r\n";
    if (content_length)
        text += "Content-Length: " + std::to_string(*content_length) + "\r\n";
    return text + "\r\n";
}

std::string host_header(const std::string& host, std::uint16_t port, bool tls)
{
    const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return port == (tls ? 443 : 80) ? name : name + ":" + std::to_string(port);
}

std::string basic_authorization(const std::string& login, const std::string& password)
{
    const std::string plain = login + ":" + password;
    return "Basic " + base::base64_encode({reinterpret_cast<const std::uint8_t*>(plain.data()), plain.size()});
}

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
        const auto digit = hex_digit(rest[count]);
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

void BodyReader::begin(const Response& response) noexcept
{
    digits_ = 0;
    line_ = 0;
    left_ = 0;
    if (response.chunked) {
        state_ = State::chunk_size;
    } else if (response.content_length) {
        left_ = *response.content_length;
        state_ = left_ ? State::length : State::ended;
    } else {
        state_ = State::to_the_end;
    }
}

BodyReader::Piece BodyReader::count_down(base::Bytes& input, State after) noexcept
{
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
    const base::Bytes bytes = input.first(size);
    input = input.subspan(size);
    left_ -= size;
    if (left_ == 0)
        state_ = after;
    return {Kind::bytes, bytes};
}

BodyReader::Piece BodyReader::next(base::Bytes& input) noexcept
{
    for (;;) {
        if (state_ == State::ended)
            return {Kind::end, {}};
        if (state_ == State::bad)
            return {Kind::bad, {}};
        if (input.empty())
            return {Kind::more, {}};
        if (state_ == State::length)
            return count_down(input, State::ended);
        if (state_ == State::chunk)
            return count_down(input, State::chunk_end);
        if (state_ == State::to_the_end) {
            const base::Bytes bytes = input;
            input = {};
            return {Kind::bytes, bytes};
        }

        const char c = static_cast<char>(input[0]);
        input = input.subspan(1);
        if (++line_ > 1024) {
            state_ = State::bad;
        } else if (state_ == State::chunk_size) {
            if (const auto digit = hex_digit(c); digit && digits_ < 15) {
                left_ = left_ << 4 | *digit;
                ++digits_;
            } else if (digits_ == 0 || digit) {
                state_ = State::bad;
            } else if (c == '\n') {
                state_ = left_ ? State::chunk : State::trailer;
                line_ = 0;
            } else {
                state_ = State::chunk_extension;
            }
        } else if (state_ == State::chunk_extension) {
            if (c == '\n') {
                state_ = left_ ? State::chunk : State::trailer;
                line_ = 0;
            }
        } else if (state_ == State::chunk_end) {
            if (c == '\n') {
                state_ = State::chunk_size;
                digits_ = 0;
                left_ = 0;
                line_ = 0;
            } else if (c != '\r') {
                state_ = State::bad;
            }
        } else { // trailer: ends with an empty line
            if (c == '\n') {
                if (line_ <= 2)
                    state_ = State::ended;
                line_ = 0;
            }
        }
    }
}

} // namespace ping
