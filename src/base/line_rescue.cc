#include "base/line_rescue.h"

#include "base/line_writer.h"
#include "base/no_signals.h"

#include <cerrno>
#include <csignal>

namespace base::line_rescue {
namespace {

using namespace std::chrono_literals;

constexpr auto bound = 200ms;

void on_crash(int signal) noexcept
{
    const int error = errno;
    line_writer::rescue(bound);
    // It is blocked until the handler returns, and then it meets the thread where it crashed.
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    errno = error;
}

void replace(void (*from)(int), void (*to)(int)) noexcept
{
    for (const int signal : crash_signals) {
        struct sigaction action {};
        if (sigaction(signal, nullptr, &action) != 0 || (action.sa_flags & SA_SIGINFO) != 0 || action.sa_handler != from)
            continue;
        action = {};
        action.sa_handler = to;
        sigaction(signal, &action, nullptr);
    }
}

} // namespace

void install() noexcept
{
    replace(SIG_DFL, on_crash);
}

void remove() noexcept
{
    replace(on_crash, SIG_DFL);
}

} // namespace base::line_rescue
