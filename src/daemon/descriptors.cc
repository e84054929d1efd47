#include "daemon/descriptors.h"

#include <algorithm>

namespace rpctunneld {
namespace {

/// Each may come to have two connections to the database, of two files each, and two more while it opens them.
constexpr std::uint64_t of_a_directory_thread = 6;
/// For the rest of the process: a reload, a rebuild of the allowlist, a log that comes back.
constexpr std::uint64_t of_the_process = 16;
/// One in so many is for what clients that were taken still need: their servers.
constexpr std::uint64_t slack = 64;

} // namespace

DescriptorPlan plan_descriptors(const Config& config, std::uint64_t limit, std::uint64_t in_use) noexcept
{
    const std::uint64_t aside = of_the_process + of_a_directory_thread * config.directory_threads;
    // Every client's connection has one to a server or to another node. Connections to pairing_listen are counted apart,
    // and two of them have one to a service.
    std::uint64_t clients = 2 * config.connection_limit;
    if (!config.pairing_listen.empty())
        clients += config.connection_limit + (config.connection_limit + 1) / 2;

    DescriptorPlan plan;
    plan.limit = limit;
    plan.spare = std::min(limit / 2, aside + limit / slack);
    const std::uint64_t all = in_use + aside + clients;
    plan.needed = all + (all + slack - 2) / (slack - 1);
    plan.tunnels = plan.for_clients() > in_use ? (plan.for_clients() - in_use) / 4 : 0;
    return plan;
}

} // namespace rpctunneld
