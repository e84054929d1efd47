#pragma once

#include <cstdint>
#include <string>

namespace rpctunneld {

/// Takes out of the environment what would lead Kerberos to other files than those that the configuration names, switch its
/// protection against replayed tickets off, or keep winbindd from being asked. Before the first thread.
void clean_environment() noexcept;

/// First of all: a standard descriptor that whoever started us has closed becomes /dev/null, so that no descriptor of ours
/// gets its number.
void hold_standard_descriptors() noexcept;

/// No core dumps and no debugger of the same user: passwords pass through our memory. SIGPIPE and SIGXFSZ are ignored.
/// Call at the start and again after the user has changed, which resets the flag.
void protect_process() noexcept;

/// Raises the soft limit of open descriptors to the hard one. Answers the limit in force.
std::uint64_t raise_descriptor_limit() noexcept;

/// Open descriptors, if they have been opened one after the other and none was closed: the number of the next one.
std::uint64_t descriptors_in_use() noexcept;

/// Tells the service manager, if it listens (sd_notify(3)): "READY=1", "STOPPING=1". Never fails.
void notify_service_manager(const std::string& state) noexcept;

} // namespace rpctunneld
