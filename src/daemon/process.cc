#include "daemon/process.h"

#include "base/unique_fd.h"
#include "net/local_datagram.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace rpctunneld {

void protect_process() noexcept
{
    for (const int signal : {SIGPIPE, SIGXFSZ}) // a log that takes nothing more is told by write()
        std::signal(signal, SIG_IGN);
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__ // its leak check attaches to the process as a debugger does
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

void hold_standard_descriptors() noexcept
{
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::fcntl(standard, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) != standard)
            std::abort(); // nobody is left to be told
}

std::uint64_t raise_descriptor_limit() noexcept
{
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    const rlimit raised{limit.rlim_max, limit.rlim_max};
    return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

std::uint64_t descriptors_in_use() noexcept
{
    const base::UniqueFd next(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0));
    return next ? static_cast<std::uint64_t>(next.get()) : 0;
}

void notify_service_manager(const std::string& state) noexcept
{
    // A manager that does not listen is its own loss.
    if (const char* const path = std::getenv("NOTIFY_SOCKET"))
        (void)net::send_local_datagram(path, state);
}

void clean_environment() noexcept
{
    for (const char* const name : {"KRB5_KTNAME", "KRB5_CLIENT_KTNAME", "KRB5CCNAME", "KRB5RCACHENAME", "KRB5RCACHETYPE", "KRB5RCACHEDIR",
                                   "KRB5_TRACE", "GSS_MECH_CONFIG", "_NO_WINBINDD"})
        unsetenv(name);
}

} // namespace rpctunneld
