#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace directory {

/// Who put an entry on the list.
enum class Origin {
    generated,    ///< the rebuild, from the mailbox servers in service
    administrator ///< rpctunnelctl valid-ports add
};

/// "generated" or "operator".
const char* name(Origin origin) noexcept;

/// One "host:first-last" of the ValidPorts registry value.
struct PortEntry {
    std::string host;         ///< as written, without brackets and without the trailing '*'
    bool prefix = false;      ///< the host ended in '*'
    std::uint16_t first = 0;  ///< 1..65535
    std::uint16_t last = 0;   ///< inclusive, not below `first`
    Origin origin = Origin::administrator;

    /// Registry syntax: "srv:6001-6002", "Data*:4000", "[2001:db8::9]:6001".
    std::string text() const;
    bool operator==(const PortEntry&) const = default;
};

struct PortListError {
    std::size_t entry = 0;    ///< counted from 1, empty entries included
    std::size_t position = 0; ///< of the first wrong byte in the whole text, counted from 1
    std::string text;         ///< the entry, trimmed
    std::string problem;      ///< a phrase

    /// "entry 2 at position 17, \"srv:0\": the port is not 1..65535"
    std::string message() const;
};

struct ParsedPortList {
    std::vector<PortEntry> entries; ///< in the order of the text
    std::optional<PortListError> error;
};

/// Reads the registry syntax of ValidPorts: entries separated by ';', blanks around them, empty entries
/// allowed, a trailing '*' for a prefix. Beyond the registry, an IPv6 literal may stand in brackets. A lone
/// '*' is refused: it would open every host. What pasting brings along is no error: quotes around the whole, and white
/// space of any kind at its ends. The first error ends the parse and leaves no entries.
ParsedPortList parse_port_list(std::string_view text, Origin origin = Origin::administrator);

/// The list in registry syntax, entries separated by ';'.
std::string port_list_text(const std::vector<PortEntry>& entries);

} // namespace directory
