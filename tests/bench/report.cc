#include "bench/report.h"

#include <algorithm>
#include <iomanip>
#include <iostream>

namespace bench {
namespace {

double percentile(const std::vector<std::uint32_t>& sorted, double part)
{
    if (sorted.empty())
        return 0;
    return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))] / 1000.0;
}

double seconds(std::uint64_t ns)
{
    return static_cast<double>(ns) / 1e9;
}

std::uint64_t bytes_of_work(const Plan& plan, const Snapshot& before, const Snapshot& after)
{
    const std::uint64_t up = after.up - before.up;
    const std::uint64_t down = after.down - before.down;
    switch (plan.work) {
    case Work::echo: return (after.messages - before.messages) * plan.pdu;
    case Work::up: return up;
    case Work::down: return down;
    case Work::both: return up + down;
    case Work::idle:
    case Work::churn: break;
    }
    return 0;
}

} // namespace

Snapshot look(const Plan& plan, const Counts& counts)
{
    Snapshot now;
    for (const int pid : plan.relay_pids) {
        now.relay_cpu.push_back(cpu_by_thread(pid));
        now.resident += resident(pid);
    }
    now.generator_cpu = own_cpu();
    now.machine_cpu = machine_cpu();
    now.messages = counts.messages;
    now.up = counts.up;
    now.down = counts.down;
    now.recycles = counts.recycles;
    now.held = counts.held;
    now.at = now_ns();
    return now;
}

void report(const Plan& plan, const Snapshot& before, const Snapshot& after, std::vector<std::uint32_t>& latencies,
            const std::string& cipher, const std::string& first)
{
    std::sort(latencies.begin(), latencies.end());
    std::uint64_t relay = 0;
    std::uint64_t busiest = 0;
    for (std::size_t i = 0; i < after.relay_cpu.size(); ++i)
        for (const auto& [thread, cpu] : after.relay_cpu[i]) {
            const auto old = before.relay_cpu[i].find(thread);
            const std::uint64_t spent = cpu - (old == before.relay_cpu[i].end() ? 0 : old->second);
            relay += spent;
            busiest = std::max(busiest, spent);
        }
    const auto replaced = [&](std::uint64_t Recycles::*kind) { return after.recycles.*kind - before.recycles.*kind; };
    std::cout << std::setprecision(10) << '{' << first << "\"seconds\": " << seconds(after.at - before.at)
              << ", \"messages\": " << after.messages - before.messages
              << ", \"bytes\": " << bytes_of_work(plan, before, after) << ", \"up\": " << after.up - before.up
              << ", \"down\": " << after.down - before.down << ", \"verified\": " << after.up + after.down
              << ", \"in_r1\": " << replaced(&Recycles::in_moved) << ", \"in_r2\": " << replaced(&Recycles::in_stayed)
              << ", \"out_r1\": " << replaced(&Recycles::out_moved) << ", \"out_r2\": " << replaced(&Recycles::out_stayed)
              << ", \"lost_successors\": " << replaced(&Recycles::lost)
              << ", \"held\": " << after.held - before.held << ", \"relay_cpu\": " << seconds(relay)
              << ", \"relay_busiest_thread_cpu\": " << seconds(busiest)
              << ", \"generator_cpu\": " << seconds(after.generator_cpu - before.generator_cpu)
              << ", \"machine_cpu\": " << seconds(after.machine_cpu - before.machine_cpu)
              << ", \"p50_us\": " << percentile(latencies, 0.5) << ", \"p99_us\": " << percentile(latencies, 0.99)
              << ", \"cipher\": \"" << cipher << "\"}" << std::endl;
}

} // namespace bench
