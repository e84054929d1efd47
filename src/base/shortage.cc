#include "base/shortage.h"

#include "base/log.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>

namespace base {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds interval{1};

/// By the order of Resource.
constexpr struct {
    const char* name;
    const char* advice;
} resources[] = {
    {"descriptors", "raise LimitNOFILE of the service (ulimit -n)"},
    {"system-descriptors", "raise fs.file-max"},
    {"ports", "add connect_from or widen net.ipv4.ip_local_port_range"},
    {"node-ports", "widen net.ipv4.ip_local_port_range or add nodes"},
    {"source-address", "give the machine the address again or take it out of connect_from"},
    {"watches", "raise fs.epoll.max_user_watches"},
    {"memory", "see net.ipv4.tcp_mem and the memory limit of the service"},
    {"password-checks", "raise password_threads, if cores are idle"},
    {"kdc", "raise kerberos_threads, or look why the KDC is slow"},
    {"directory", "raise directory_threads, or look why the database is slow"},
    {"domain-logins", "raise winbind_threads, or look why winbindd or the domain controller is slow"},
    {"look-ups", "see to the name servers of /etc/resolv.conf, or name the servers in /etc/hosts"},
};
constexpr std::size_t count = std::size(resources);

/// Of one resource.
struct Cases {
    std::atomic<std::uint64_t> unreported{0};
    std::atomic<Clock::rep> next{0}; // when a line may be written again
};
std::array<Cases, count> all_cases;

} // namespace

const char* name(Resource resource) noexcept
{
    return resources[static_cast<std::size_t>(resource)].name;
}

std::optional<Resource> resource_of(int error) noexcept
{
    switch (error) {
    case EMFILE: return Resource::descriptors;
    case ENFILE: return Resource::system_descriptors;
    case ENOSPC: return Resource::watches;
    case ENOMEM:
    case ENOBUFS: return Resource::memory;
    default: return std::nullopt;
    }
}

void report_shortage(Resource resource, std::string_view needed_for, std::string_view reason) noexcept
{
    const auto index = static_cast<std::size_t>(resource);
    Cases& cases = all_cases[index];
    cases.unreported.fetch_add(1, std::memory_order_relaxed);
    const Clock::rep now = Clock::now().time_since_epoch().count();
    Clock::rep next = cases.next.load(std::memory_order_relaxed);
    // Of several threads one writes.
    if (now < next || !cases.next.compare_exchange_strong(next, now + Clock::duration(interval).count()))
        return;
    log::warning("shortage", {{"of", resources[index].name},
                              {"needed_for", needed_for},
                              {"reason", reason},
                              {"count", cases.unreported.exchange(0, std::memory_order_relaxed)},
                              {"advice", resources[index].advice}});
}

} // namespace base
