#pragma once

#include "directory/port_list.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace directory {

/// The allowlist, compiled. Immutable, so any thread may ask. An empty list allows nothing.
class ValidPorts {
public:
    struct Match {
        std::string entry; ///< registry syntax of the entry that allows it
        Origin origin;
    };

    ValidPorts() = default;
    explicit ValidPorts(std::vector<PortEntry> entries);

    /// The entry that allows `host` (no brackets, any case) and `port`; nullopt = denied. Hosts are
    /// compared as text. An exact entry is preferred to a prefix, an operator's to a generated one.
    std::optional<Match> match(std::string_view host, std::uint16_t port) const;

    const std::vector<PortEntry>& entries() const noexcept { return entries_; }
    /// Registry syntax of all entries, or of those of one origin.
    std::string text() const { return port_list_text(entries_); }
    std::string text(Origin origin) const;

private:
    std::vector<PortEntry> entries_;
    std::unordered_map<std::string, std::vector<std::uint32_t>> exact_; ///< lower-case host -> indices
    std::vector<std::uint32_t> prefixes_;
};

} // namespace directory
