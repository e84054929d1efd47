#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace base {

/// What can run out while everything is right, because more is wanted than the system or the configuration allows.
enum class Resource : std::uint8_t {
    descriptors,        ///< of this process
    system_descriptors, ///< of the whole system
    ports,              ///< local ports towards one server
    node_ports,         ///< local ports towards another node, where the source address is fixed
    source_address,     ///< an address of connect_from that the machine no longer has
    watches,            ///< of epoll
    memory,             ///< of the kernel
    password_checks,    ///< turns on the lane of password checks
    kdc,                ///< turns on the lane that asks a KDC
    directory,          ///< turns on the lane of the directory
    domain_logins,      ///< turns on the lane of winbindd
    look_ups,           ///< names that are looked up at one time
};

/// As the log shows it.
const char* name(Resource resource) noexcept;

/// What a system call wanted that failed with this errno; nothing when it failed for another reason. EADDRNOTAVAIL is
/// not among them: it has more than one meaning.
std::optional<Resource> resource_of(int error) noexcept;

/// Writes the event `shortage`, a warning: what ran out, what it was needed for, why it failed, and what to do. At most
/// one line a second for each resource, with the number of cases since the last. Any thread.
void report_shortage(Resource resource, std::string_view needed_for, std::string_view reason) noexcept;

} // namespace base
