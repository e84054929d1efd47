#include "bench/report.h"

#include <algorithm>
#include <iomanip>
#include <iostream>

namespace bench {
namespace {

class Percentiles {
public:
    /// Takes the figures out.
    explicit Percentiles(std::vector<std::uint64_t>& figures)
    {
        sorted_.swap(figures);
        std::sort(sorted_.begin(), sorted_.end());
    }
    /// Of ns, us. `part`: 0 to 1. Zero when there are no figures.
    double us(double part) const
    {
        if (sorted_.empty())
            return 0;
        const auto place = static_cast<std::size_t>(part * static_cast<double>(sorted_.size() - 1));
        return static_cast<double>(sorted_[place]) / 1000;
    }

private:
    std::vector<std::uint64_t> sorted_;
};

/// For a string of JSON.
std::string quoted(std::string text)
{
    std::replace_if(text.begin(), text.end(), [](char c) { return c < ' ' || c == '"' || c == '\\'; }, '\'');
    return text;
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
    now.opened = counts.opened;
    now.failed = counts.failed;
    now.at = now_ns();
    return now;
}

void report(const Plan& plan, const Snapshot& before, const Snapshot& after, Counts& counts,
            const std::string& cipher, const std::string& first)
{
    const Percentiles latencies(counts.latencies), delays(counts.delays), openings(counts.openings);
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
              << ", \"resident\": " << after.resident
              << ", \"p50_us\": " << latencies.us(0.5) << ", \"p99_us\": " << latencies.us(0.99)
              << ", \"max_us\": " << latencies.us(1) << ", \"delay_p99_us\": " << delays.us(0.99)
              << ", \"opened\": " << after.opened - before.opened << ", \"failed\": " << after.failed - before.failed
              << ", \"failure\": \"" << quoted(counts.failure) << "\", \"opening_p50_us\": " << openings.us(0.5)
              << ", \"opening_p99_us\": " << openings.us(0.99) << ", \"opening_max_us\": " << openings.us(1)
              << ", \"cipher\": \"" << cipher << "\"}" << std::endl;
}

} // namespace bench
