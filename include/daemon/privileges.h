#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace rpctunneld {

/// Whom to become once the listeners are bound.
struct Identity {
    std::string user;
    uid_t uid = 0;
    gid_t gid = 0;
};

/// Nullopt when `user` is empty. Names or numbers. Throws std::runtime_error when a name is unknown, and when
/// this process is not root and another user than `user`.
std::optional<Identity> find_identity(const std::string& user, const std::string& group);

/// For good: groups, group, user, no new privileges. Does nothing when the process is that user already.
/// Throws std::runtime_error when a step fails or root could be had back. One thread must run.
void become(const Identity& identity);

} // namespace rpctunneld
