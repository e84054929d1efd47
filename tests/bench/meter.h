#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace bench {

/// Nanoseconds, monotonic.
std::uint64_t now_ns() noexcept;

/// CPU time of a process's threads, ns by thread id.
using CpuByThread = std::map<int, std::uint64_t>;

/// Threads that have ended are not counted. Ends the generator when the process is not there.
CpuByThread cpu_by_thread(int pid);
/// Resident memory, bytes, of which nothing is shared with files.
std::uint64_t resident(int pid);
std::uint64_t own_cpu();
/// What all cores of the machine have spent together, ns; counted in hundredths of a second.
std::uint64_t machine_cpu();

} // namespace bench
