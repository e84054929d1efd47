#include "http/head.h"

#include "base/text.h"

#include <array>
#include <limits>

namespace http {

namespace {

/// What a byte of a head may be.
struct Kinds {
    std::array<bool, 256> token{}; // RFC 9110 section 5.6.2
    std::array<bool, 256> text{};  // neither a control nor part of a line end

    constexpr Kinds()
    {
        for (std::size_t byte = 0; byte < 256; ++byte)
            text[byte] = (byte >= ' ' && byte != 0x7f) || byte == '\t';
        for (const char c : std::string_view("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                             "!#$%&'*+-.^_`|~"))
            token[static_cast<std::uint8_t>(c)] = true;
    }
};
constexpr Kinds kinds;

bool token(std::string_view text) noexcept
{
    for (const char c : text)
        if (!kinds.token[static_cast<std::uint8_t>(c)])
            return false;
    return !text.empty();
}

bool visible(std::string_view text) noexcept
{
    for (const char c : text)
        if (c <= ' ' || c > '~')
            return false;
    return !text.empty();
}

bool digit(char c) noexcept
{
    return c >= '0' && c <= '9';
}

/// The text up to `separator`; `rest` begins behind it, or is empty.
std::string_view cut(std::string_view& rest, std::string_view separator) noexcept
{
    const auto at = rest.find(separator);
    const std::string_view piece = rest.substr(0, at);
    rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + separator.size());
    return piece;
}

/// What is counted or read while the fields go by.
struct Fields {
    unsigned count = 0;
    unsigned host = 0;
    unsigned authorization = 0;
    unsigned content_length = 0;
    bool transfer_encoding = false;
    bool through_front = false;
    bool close = false;
    bool keep_alive = false;
    bool expect_continue = false;
    bool expect_other = false;
    bool bad_length = false;
    bool blank_behind_length = false;
    std::uint64_t length = 0;
};

void read_connection(std::string_view value, Fields& fields) noexcept
{
    do {
        const std::string_view option = base::trim(cut(value, ","));
        fields.close = fields.close || base::equal_nocase(option, "close");
        fields.keep_alive = fields.keep_alive || base::equal_nocase(option, "keep-alive");
    } while (!value.empty());
}

void read_field(std::string_view name, std::string_view value, Fields& fields) noexcept
{
    if (base::equal_nocase(name, "content-length")) {
        ++fields.content_length;
        const auto number = base::parse_decimal(value, std::numeric_limits<std::int64_t>::max());
        fields.bad_length = fields.bad_length || !number;
        fields.length = number.value_or(0);
    } else if (base::equal_nocase(name, "host")) {
        ++fields.host;
    } else if (base::equal_nocase(name, "authorization")) {
        ++fields.authorization;
    } else if (base::equal_nocase(name, "via") || base::equal_nocase(name, "forwarded") ||
               base::equal_nocase(name, "x-forwarded-for")) {
        fields.through_front = true;
    } else if (base::equal_nocase(name, "transfer-encoding")) {
        fields.transfer_encoding = true;
    } else if (base::equal_nocase(name, "connection")) {
        read_connection(value, fields);
    } else if (base::equal_nocase(name, "expect")) {
        (base::equal_nocase(value, "100-continue") ? fields.expect_continue : fields.expect_other) = true;
    }
}

HeadCheck refuse(HeadCheck check, unsigned status, const char* reason) noexcept
{
    check.status = status;
    check.reason = reason;
    return check;
}

HeadCheck conclude(HeadCheck check, const Fields& fields) noexcept
{
    // Version 1, MS-RPCH 2.1.1.1.1: what follows the head has neither length nor coding, and no Host is named.
    const bool version1 = check.method == "RPC_CONNECT";
    if (fields.transfer_encoding && fields.content_length > 0)
        return refuse(check, 400, "Content-Length together with Transfer-Encoding");
    if (fields.transfer_encoding)
        return refuse(check, version1 ? 400 : 411, "Transfer-Encoding");
    if (fields.content_length > 1)
        return refuse(check, 400, "more than one Content-Length");
    if (fields.bad_length)
        return refuse(check, 400, "Content-Length is not a number");
    if (fields.blank_behind_length)
        return refuse(check, 400, "blank behind Content-Length");
    if (fields.host > 1)
        return refuse(check, 400, "more than one Host");
    if (fields.host == 0 && !check.facts.http10 && !version1)
        return refuse(check, 400, "no Host");
    if (fields.authorization > 1)
        return refuse(check, 400, "more than one Authorization");
    if (fields.expect_other && !check.facts.http10)
        return refuse(check, 417, "unknown expectation");

    check.facts.through_front = fields.through_front;
    check.facts.has_length = fields.content_length > 0;
    check.facts.content_length = fields.length;
    check.facts.expect_continue = fields.expect_continue && !check.facts.http10;
    check.facts.keep_alive = !fields.close && (fields.keep_alive || !check.facts.http10);
    return check;
}

} // namespace

HeadScanner::Found HeadScanner::scan(base::Bytes seen) noexcept
{
    static constexpr std::array<std::uint8_t, 4> end = {'\r', '\n', '\r', '\n'};

    while (position_ < seen.size() && ends_ < end.size()) {
        if (ends_ == 0)
            while (position_ + 1 < seen.size() && kinds.text[seen[position_]])
                ++position_;
        const std::uint8_t byte = seen[position_++];
        const bool line_end_open = ends_ == 1 || ends_ == 3;
        if (byte == end[ends_]) {
            ++ends_;
            continue;
        }
        if (line_end_open) {
            error_ = "carriage return without line feed";
            return Found::bad;
        }
        if (byte == '\n') {
            error_ = "line feed without carriage return";
            return Found::bad;
        }
        if (!kinds.text[byte]) {
            error_ = "control byte in the head";
            return Found::bad;
        }
        ends_ = 0;
    }
    return ends_ == end.size() ? Found::complete : Found::more;
}

HeadCheck check_head(std::string_view head) noexcept
{
    HeadCheck check;
    std::string_view rest = head;
    std::string_view version = cut(rest, "\r\n");
    const std::string_view method = cut(version, " ");
    const std::string_view target = cut(version, " ");

    if (!token(method) || !visible(target) || version.find(' ') != std::string_view::npos)
        return refuse(check, 400, "request line");
    check.method = method;
    check.target = target;
    if (version.size() != 8 || !version.starts_with("HTTP/") || !digit(version[5]) || version[6] != '.' ||
        !digit(version[7]))
        return refuse(check, 400, "request line");
    if (version != "HTTP/1.0" && version != "HTTP/1.1")
        return refuse(check, 505, "HTTP version");
    check.facts.http10 = version == "HTTP/1.0";

    Fields fields;
    for (;;) {
        const std::string_view line = cut(rest, "\r\n");
        if (line.empty())
            break;
        if (line.front() == ' ' || line.front() == '\t')
            return refuse(check, 400, "folded header line");
        const auto colon = line.find(':');
        if (colon == std::string_view::npos)
            return refuse(check, 400, "header line without colon");
        if (!token(line.substr(0, colon)))
            return refuse(check, 400, "header name");
        if (++fields.count > max_header_fields)
            return refuse(check, 431, "too many header lines");
        read_field(line.substr(0, colon), base::trim(line.substr(colon + 1)), fields);
        // RFC 9110 section 5.5 allows the blank; libmicrohttpd does not read the number then.
        if (base::equal_nocase(line.substr(0, colon), "content-length") && (line.ends_with(' ') || line.ends_with('\t')))
            fields.blank_behind_length = true;
    }
    return conclude(check, fields);
}

} // namespace http
