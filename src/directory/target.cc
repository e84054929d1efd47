#include "directory/target.h"

#include "base/pasted.h"
#include "base/text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

namespace directory {
namespace {

constexpr std::size_t max_name = 253;
constexpr std::size_t max_label = 63;
/// The longest text of an IPv6 address, "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".
constexpr std::size_t max_ipv6 = 45;

/// Bytes of names, addresses, mailbox names and ports.
bool target_byte(char c) noexcept
{
    return is_name_byte(c) || c == ':' || c == '@' || c == '[' || c == ']';
}

/// What is wrong with a name whose bytes are all right.
const char* label_fault(std::string_view text) noexcept
{
    if (text.empty())
        return "it is empty";
    if (text.size() > max_name)
        return "it is longer than 253 bytes";
    for (std::size_t start = 0;;) {
        const auto dot = text.find('.', start);
        const std::string_view label = text.substr(start, dot == text.npos ? text.npos : dot - start);
        if (label.empty())
            return "a label between dots, or at an end, is empty";
        if (label.size() > max_label)
            return "a label is longer than 63 bytes";
        if (label.front() == '-')
            return "a label begins with -";
        if (dot == text.npos)
            return nullptr;
        start = dot + 1;
    }
}

} // namespace

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept
{
    if (text.starts_with('0'))
        return std::nullopt;
    const auto number = base::parse_decimal(text, 65535);
    return number ? std::optional(static_cast<std::uint16_t>(*number)) : std::nullopt;
}

bool is_name_byte(char c) noexcept
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || base::digit(c) || c == '-' || c == '_' || c == '.';
}

bool is_host_name(std::string_view text) noexcept
{
    return std::all_of(text.begin(), text.end(), is_name_byte) && label_fault(text) == nullptr;
}

std::string host_name_fault(std::string_view text)
{
    std::string odd = base::odd_byte(text, is_name_byte);
    if (odd.empty())
        if (const char* const fault = label_fault(text))
            return fault;
    return odd;
}

bool is_ipv6_literal(std::string_view text) noexcept
{
    if (text.size() > max_ipv6 || text.find(':') == text.npos || text.find('\0') != text.npos)
        return false;
    char copy[max_ipv6 + 1] = {};
    std::copy(text.begin(), text.end(), copy);
    in6_addr address{};
    return inet_pton(AF_INET6, copy, &address) == 1;
}

std::optional<MailboxName> parse_mailbox_name(std::string_view text)
{
    const auto at = text.find('@');
    if (at == text.npos || !base::is_uuid(text.substr(0, at)) || !is_host_name(text.substr(at + 1)))
        return std::nullopt;
    return MailboxName{base::lower(text.substr(0, at)), base::lower(text.substr(at + 1))};
}

ParsedTarget parse_target(std::string_view raw)
{
    const auto refused = [](std::string error) { return ParsedTarget{std::nullopt, std::move(error)}; };

    if (raw.empty())
        return refused("the target is empty");
    if (raw.size() > max_target)
        return refused("the target is longer than 255 bytes");
    if (const std::string odd = base::odd_byte(raw, target_byte); !odd.empty())
        return refused("the target has " + odd + ", which no target has");
    const auto colon = raw.rfind(':');
    if (colon == raw.npos)
        return refused("the target has no port: server:port is expected");
    const auto port = parse_port(raw.substr(colon + 1));
    if (!port)
        return refused("the port is not a decimal number of 1 to 65535 without leading zeros");
    std::string_view host = raw.substr(0, colon);
    if (host.empty())
        return refused("the target has no server: server:port is expected");

    Target target;
    target.text = raw;
    target.port = *port;
    if (host.front() == '[') {
        if (host.back() != ']' || !is_ipv6_literal(host.substr(1, host.size() - 2)))
            return refused("the brackets do not hold an IPv6 address");
        host = host.substr(1, host.size() - 2);
        target.ipv6_literal = true;
    } else if (host.find('@') != host.npos) {
        target.mailbox = parse_mailbox_name(host);
        if (!target.mailbox)
            return refused("a server name with @ must be GUID@domain");
    } else if (host.find(':') != host.npos) {
        if (!is_ipv6_literal(host))
            return refused("the server is not an IPv6 address, and a name has no colon");
        target.ipv6_literal = true;
    } else if (!is_host_name(host)) {
        return refused("the server is not a host name or address: " + host_name_fault(host));
    }
    target.host = host;
    return {std::move(target), {}};
}

} // namespace directory
