#pragma once

#include "bench/meter.h"
#include "bench/plan.h"

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

/// What has happened, and what it has cost, up to some moment.
struct Snapshot {
    std::uint64_t at = 0; ///< ns
    std::uint64_t messages = 0, up = 0, down = 0;
    Recycles recycles;
    std::uint64_t held = 0;
    std::uint32_t opened = 0, failed = 0;
    std::uint64_t generator_cpu = 0; ///< ns
    std::uint64_t machine_cpu = 0;   ///< ns
    std::vector<CpuByThread> relay_cpu;
    std::uint64_t resident = 0; ///< bytes, of all relay processes
};

Snapshot look(const Plan& plan, const Counts& counts);

/// Prints what happened between two looks, one line of JSON that begins with the members in `first`. The latencies
/// in `counts` are taken out.
void report(const Plan& plan, const Snapshot& before, const Snapshot& after, Counts& counts,
            const std::string& cipher, const std::string& first);

} // namespace bench
