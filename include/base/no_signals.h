#pragma once

#include <csignal>

namespace base {

/// What tells of a mistake in the thread that made it.
inline constexpr int crash_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/// Threads that are started while one of these lives take no signals, which belong to the main thread, but those of a
/// crash and `but_for`.
class NoSignals {
public:
    explicit NoSignals(int but_for = 0) noexcept
    {
        sigset_t all;
        sigfillset(&all);
        for (const int signal : crash_signals)
            sigdelset(&all, signal);
        if (but_for != 0)
            sigdelset(&all, but_for);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    NoSignals(const NoSignals&) = delete;
    NoSignals& operator=(const NoSignals&) = delete;

private:
    sigset_t before_;
};

} // namespace base
