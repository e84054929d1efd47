#pragma once

#include "daemon/config.h"

#include <cstdint>

namespace rpctunneld {

/// How far the limit of open descriptors goes. A tunnel takes two for its client; two for an ncacn_http server or
/// another node, or one for a plain service. rpctunneld(8), SCALING, tells the same.
struct DescriptorPlan {
    std::uint64_t limit = 0;
    /// For requests under way, look-ups and the directory: no client is taken when no more than these are left.
    std::uint64_t spare = 0;
    /// What the limit must be for connection_limit to be reached whatever the servers are.
    std::uint64_t needed = 0;
    /// Tunnels to ncacn_http servers that fit.
    std::uint64_t tunnels = 0;

    bool sufficient() const noexcept { return limit >= needed; }
    /// Where clients end.
    std::uint64_t for_clients() const noexcept { return limit - spare; }
};

/// `in_use`: before the first client comes.
DescriptorPlan plan_descriptors(const Config& config, std::uint64_t limit, std::uint64_t in_use) noexcept;

} // namespace rpctunneld
