#include "directory/port_list.h"

#include "base/text.h"
#include "directory/target.h"

#include <utility>

// The parser of the registry syntax:
//   list  = [ entry ] *( ";" [ entry ] )
//   entry = *blank host ":" port [ "-" port ] *blank
//   host  = name / prefix "*" / "[" IPv6 literal "]"

namespace directory {
namespace {

/// What is wrong, and where in the entry.
struct Fault {
    std::size_t offset;
    const char* problem;
};

constexpr const char* bad_port = "the port is not a number of 1 to 65535 without leading zeros";

std::optional<Fault> parse_ports(std::string_view text, std::size_t offset, PortEntry& entry)
{
    const auto dash = text.find('-');
    const auto first = parse_port(text.substr(0, dash));
    if (!first)
        return Fault{offset, bad_port};
    entry.first = entry.last = *first;
    if (dash == text.npos)
        return std::nullopt;
    const auto last = parse_port(text.substr(dash + 1));
    if (!last)
        return Fault{offset + dash + 1, bad_port};
    if (*last < *first)
        return Fault{offset, "the range runs backwards"};
    entry.last = *last;
    return std::nullopt;
}

std::optional<Fault> parse_host(std::string_view text, PortEntry& entry)
{
    if (text.empty())
        return Fault{0, "the host is missing"};
    if (text == "*")
        return Fault{0, "a lone * would allow every host"};
    if (text.front() == '[') {
        if (text.back() != ']' || !is_ipv6_literal(text.substr(1, text.size() - 2)))
            return Fault{0, "the brackets do not hold an IPv6 address"};
        entry.host = text.substr(1, text.size() - 2);
        return std::nullopt;
    }
    if (const auto at = text.find('@'); at != text.npos)
        return Fault{at, "a mailbox name is resolved, not listed; allow the server that holds it"};
    if (const auto colon = text.find(':'); colon != text.npos)
        return Fault{colon, "a colon stands only before the port; an IPv6 address goes into brackets"};
    if (text.back() == '*') {
        text.remove_suffix(1);
        entry.prefix = true;
    }
    if (const auto star = text.find('*'); star != text.npos)
        return Fault{star, "* may only be the last byte of the host"};
    // A prefix may end where a label begins: "Data.*".
    const std::string_view name = entry.prefix && text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
    if (!is_host_name(name))
        return Fault{0, "the host is not a host name or address"};
    entry.host = text;
    return std::nullopt;
}

std::optional<Fault> parse_entry(std::string_view text, PortEntry& entry)
{
    const auto colon = text.rfind(':');
    if (colon == text.npos)
        return Fault{text.size(), "the colon and the port are missing"};
    if (const auto fault = parse_host(text.substr(0, colon), entry))
        return fault;
    return parse_ports(text.substr(colon + 1), colon + 1, entry);
}

} // namespace

const char* name(Origin origin) noexcept
{
    switch (origin) {
    case Origin::generated: return "generated";
    case Origin::administrator: return "operator";
    }
    return "";
}

std::string PortEntry::text() const
{
    const bool bracketed = host.find(':') != host.npos;
    std::string result = bracketed ? '[' + host + ']' : host;
    if (prefix)
        result += '*';
    result += ':' + std::to_string(first);
    if (last != first)
        result += '-' + std::to_string(last);
    return result;
}

std::string PortListError::message() const
{
    return "entry " + std::to_string(entry) + " at position " + std::to_string(position) + ", \"" + text +
           "\": " + problem;
}

std::string port_list_text(const std::vector<PortEntry>& entries)
{
    std::string result;
    for (const PortEntry& entry : entries) {
        if (!result.empty())
            result += ';';
        result += entry.text();
    }
    return result;
}

ParsedPortList parse_port_list(std::string_view text, Origin origin)
{
    ParsedPortList result;
    std::size_t number = 0;
    for (const std::string_view piece : base::split(text, ';')) {
        ++number;
        const std::string_view trimmed = base::trim(piece);
        if (trimmed.empty())
            continue;
        PortEntry entry;
        entry.origin = origin;
        if (const auto fault = parse_entry(trimmed, entry)) {
            const auto start = static_cast<std::size_t>(trimmed.data() - text.data());
            return {{}, PortListError{number, start + fault->offset + 1, std::string(trimmed), fault->problem}};
        }
        result.entries.push_back(std::move(entry));
    }
    return result;
}

} // namespace directory
