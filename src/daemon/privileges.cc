#include "daemon/privileges.h"

#include "base/text.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace rpctunneld {
namespace {

[[noreturn]] void fail(const std::string& what, int error)
{
    throw std::runtime_error(what + ": " + std::strerror(error));
}

const passwd* find_user(const std::string& name)
{
    const auto number = base::parse_decimal(name, UINT32_MAX - 1);
    return number ? getpwuid(static_cast<uid_t>(*number)) : getpwnam(name.c_str());
}

gid_t find_group(const std::string& name)
{
    if (const auto number = base::parse_decimal(name, UINT32_MAX - 1))
        return static_cast<gid_t>(*number);
    const ::group* entry = getgrnam(name.c_str());
    if (entry == nullptr)
        throw std::runtime_error("there is no group \"" + name + '"');
    return entry->gr_gid;
}

} // namespace

std::optional<Identity> find_identity(const std::string& user, const std::string& group)
{
    if (user.empty())
        return std::nullopt;
    const passwd* entry = find_user(user);
    if (entry == nullptr)
        throw std::runtime_error("there is no user \"" + user + '"');
    const Identity identity{entry->pw_name, entry->pw_uid, group.empty() ? entry->pw_gid : find_group(group)};
    if (geteuid() != 0 && (geteuid() != identity.uid || getegid() != identity.gid))
        throw std::runtime_error("only root can become \"" + identity.user + '"');
    return identity;
}

void become(const Identity& identity)
{
    if (geteuid() == 0) {
        if (initgroups(identity.user.c_str(), identity.gid) != 0)
            fail("initgroups", errno);
        if (setgid(identity.gid) != 0)
            fail("setgid", errno);
        if (setuid(identity.uid) != 0)
            fail("setuid", errno);
    }
    uid_t real, effective, saved;
    if (getresuid(&real, &effective, &saved) != 0)
        fail("getresuid", errno);
    if (real != identity.uid || effective != identity.uid || saved != identity.uid)
        throw std::runtime_error("the user did not change");
    if (identity.uid != 0 && (setuid(0) == 0 || seteuid(0) == 0))
        throw std::runtime_error("root can be had back");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        fail("no new privileges", errno);
}

} // namespace rpctunneld
