#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace directory {

/// The name of a mailbox as clients since Exchange 2013 use it in place of a server: both parts in
/// lower case.
struct MailboxName {
    std::string guid;   ///< 8-4-4-4-12 hexadecimal digits
    std::string domain; ///< domain part of the owner's primary SMTP address

    std::string text() const { return guid + '@' + domain; }
    bool operator==(const MailboxName&) const = default;
};

/// What a client asks for in the query of its request, MS-RPCH 2.2.2.
struct Target {
    std::string text;                   ///< as the client wrote it
    std::string host;                   ///< as the client wrote it, without the brackets of an IPv6 literal
    std::uint16_t port = 0;             ///< 1..65535
    bool ipv6_literal = false;
    std::optional<MailboxName> mailbox; ///< set when the host is GUID@domain
};

struct ParsedTarget {
    std::optional<Target> target;
    std::string error; ///< a sentence when there is no target
};

/// The longest target, in bytes.
constexpr std::size_t max_target = 255;

/// Strict, MS-RPCH 2.2.2: "server:port", split at the last colon. The server is a DNS or NetBIOS name, an
/// IPv4 literal, an IPv6 literal with or without brackets, or GUID@domain; the port is 1..65535 in
/// decimal without leading zeros. Nothing is decoded or rewritten: the text that is judged is the text
/// that is used.
ParsedTarget parse_target(std::string_view raw);

/// The same rules for a part alone; rpctunnelctl checks its arguments with them.
std::optional<std::uint16_t> parse_port(std::string_view text) noexcept;
std::optional<MailboxName> parse_mailbox_name(std::string_view text);
/// A DNS or NetBIOS name or an IPv4 literal: letters, digits, '-', '_', labels of 1..63 between dots.
bool is_host_name(std::string_view text) noexcept;
/// Why it is none, for the person who wrote it: "byte 0x0d (carriage return) at position 4", "a label is empty".
/// Empty: it is one.
std::string host_name_fault(std::string_view text);
/// A byte that a host name or an IPv4 literal can have.
bool is_name_byte(char c) noexcept;
bool is_ipv6_literal(std::string_view text) noexcept;

} // namespace directory
