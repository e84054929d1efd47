#include "directory/valid_ports.h"

#include "base/text.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace directory {

ValidPorts::ValidPorts(std::vector<PortEntry> entries) : entries_(std::move(entries))
{
    // Operator entries first, so that they are the ones that are named when both allow.
    for (const Origin origin : {Origin::administrator, Origin::generated}) {
        for (std::uint32_t i = 0; i < entries_.size(); ++i) {
            const PortEntry& entry = entries_[i];
            if (entry.origin != origin)
                continue;
            if (entry.prefix)
                prefixes_.push_back(i);
            else
                exact_[base::lower(entry.host)].push_back(i);
        }
    }
}

std::optional<ValidPorts::Match> ValidPorts::match(std::string_view host, std::uint16_t port) const
{
    const auto in_range = [&](std::uint32_t i) { return entries_[i].first <= port && port <= entries_[i].last; };
    const auto found = [&](std::uint32_t i) { return Match{entries_[i].text(), entries_[i].origin}; };

    if (const auto same = exact_.find(base::lower(host)); same != exact_.end())
        for (const std::uint32_t i : same->second)
            if (in_range(i))
                return found(i);
    for (const std::uint32_t i : prefixes_) {
        const std::string& start = entries_[i].host;
        if (in_range(i) && host.size() >= start.size() && base::equal_nocase(host.substr(0, start.size()), start))
            return found(i);
    }
    return std::nullopt;
}

std::string ValidPorts::text(Origin origin) const
{
    std::vector<PortEntry> some;
    std::copy_if(entries_.begin(), entries_.end(), std::back_inserter(some),
                 [&](const PortEntry& entry) { return entry.origin == origin; });
    return port_list_text(some);
}

} // namespace directory
