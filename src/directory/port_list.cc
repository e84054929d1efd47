#include "directory/port_list.h"

#include "base/pasted.h"
#include "base/text.h"
#include "directory/target.h"

#include <algorithm>
#include <utility>

// The parser of the registry syntax:
//   list  = [ entry ] *( ";" [ entry ] )            perhaps in quotes, with white space around them or within
//   entry = *blank host ":" port [ "-" port ] *blank
//   host  = name / prefix "*" / "[" IPv6 literal "]"

namespace directory {
namespace {

/// What is wrong, and where in the entry.
struct Fault {
    std::size_t offset;
    const char* problem;
    bool byte = false; ///< the byte there is the fault: it is named in front of `problem`
};

std::optional<Fault> odd_byte(std::string_view text, bool (*belongs)(char) noexcept, const char* problem)
{
    const auto odd = std::find_if_not(text.begin(), text.end(), belongs);
    if (odd == text.end())
        return std::nullopt;
    return Fault{static_cast<std::size_t>(odd - text.begin()), problem, true};
}

std::optional<Fault> parse_one_port(std::string_view text, std::size_t offset, std::uint16_t& port)
{
    if (auto fault = odd_byte(text, base::digit, "is no part of a port")) {
        fault->offset += offset;
        return fault;
    }
    const auto number = parse_port(text);
    if (!number)
        return Fault{offset, "the port is not a number of 1 to 65535 without leading zeros"};
    port = *number;
    return std::nullopt;
}

std::optional<Fault> parse_ports(std::string_view text, std::size_t offset, PortEntry& entry)
{
    const auto dash = text.find('-');
    if (const auto fault = parse_one_port(text.substr(0, dash), offset, entry.first))
        return fault;
    entry.last = entry.first;
    if (dash == text.npos)
        return std::nullopt;
    if (const auto fault = parse_one_port(text.substr(dash + 1), offset + dash + 1, entry.last))
        return fault;
    return entry.last < entry.first ? std::optional(Fault{offset, "the range runs backwards"}) : std::nullopt;
}

/// A byte of a host, or one of whose place there is more to say.
bool host_byte(char c) noexcept
{
    return is_name_byte(c) || c == '@' || c == ':' || c == '*';
}

std::optional<Fault> parse_host(std::string_view text, PortEntry& entry)
{
    if (text.empty())
        return Fault{0, "the host is missing"};
    if (text == "*")
        return Fault{0, "a lone * would allow every host"};
    if (text.front() == '[') {
        if (const auto fault = odd_byte(text, base::plain, "is no part of an address"))
            return fault;
        if (text.back() != ']' || !is_ipv6_literal(text.substr(1, text.size() - 2)))
            return Fault{0, "the brackets do not hold an IPv6 address"};
        entry.host = text.substr(1, text.size() - 2);
        return std::nullopt;
    }
    if (const auto fault = odd_byte(text, host_byte, "is no part of a host"))
        return fault;
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
    if (colon == text.npos) {
        const auto fault = odd_byte(text, host_byte, "is no part of a host");
        return fault ? fault : Fault{text.size(), "the colon and the port are missing"};
    }
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
    for (const std::string_view piece : base::split(base::unwrapped(text), ';')) {
        ++number;
        const std::string_view trimmed = base::trim(piece);
        if (trimmed.empty())
            continue;
        PortEntry entry;
        entry.origin = origin;
        if (const auto fault = parse_entry(trimmed, entry)) {
            const std::size_t place = static_cast<std::size_t>(trimmed.data() - text.data()) + fault->offset;
            const std::string byte = fault->byte ? base::byte_text(text, place) + ' ' : "";
            return {{}, PortListError{number, place + 1, std::string(trimmed), byte + fault->problem}};
        }
        result.entries.push_back(std::move(entry));
    }
    return result;
}

} // namespace directory
