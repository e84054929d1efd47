#include "bench/meter.h"

#include "bench/plan.h"

#include <time.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace bench {
namespace {

std::uint64_t read_clock(clockid_t clock) noexcept
{
    timespec time;
    ::clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

} // namespace

std::uint64_t now_ns() noexcept
{
    return read_clock(CLOCK_MONOTONIC);
}

CpuByThread cpu_by_thread(int pid)
{
    // schedstat counts ns, stat hundredths of a second.
    CpuByThread cpu;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", error)) {
        std::uint64_t ns = 0;
        if (std::ifstream(entry.path() / "schedstat") >> ns)
            cpu[std::stoi(entry.path().filename())] = ns;
    }
    if (cpu.empty())
        give_up("no process " + std::to_string(pid));
    return cpu;
}

std::uint64_t resident(int pid)
{
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string word; status >> word;)
        if (std::uint64_t kib = 0; word == "RssAnon:" && status >> kib)
            return kib * 1024;
    give_up("no memory figures of process " + std::to_string(pid));
}

std::uint64_t own_cpu()
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

std::uint64_t machine_cpu()
{
    std::ifstream stat("/proc/stat");
    std::string word;
    std::uint64_t user = 0, nice = 0, system = 0, idle = 0, io_wait = 0, irq = 0, soft_irq = 0, steal = 0;
    stat >> word >> user >> nice >> system >> idle >> io_wait >> irq >> soft_irq >> steal;
    return (user + nice + system + irq + soft_irq + steal) * 10'000'000;
}

} // namespace bench
