#pragma once

#include <time.h>

#include <chrono>
#include <csignal>

namespace winbind {

/// Ends the waits of the thread that makes it, from some time on: every system call in which the thread then waits fails with
/// EINTR, again and again, until the object goes. For libraries that wait without a limit of their own and give up when
/// a wait fails.
///
/// It does so with the first real-time signal, which whoever waits in this process elsewhere does not get.
class Alarm {
public:
    explicit Alarm(std::chrono::milliseconds after) noexcept;
    ~Alarm();
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;

    /// False: the system had no timer for it, and nothing would end a wait.
    explicit operator bool() const noexcept { return armed_; }
    /// The time has come. Any thread, while the object lives.
    void ring() noexcept { set(std::chrono::milliseconds(0)); }

private:
    void set(std::chrono::milliseconds after) noexcept;

    timer_t timer_{};
    bool armed_ = false;
    sigset_t before_{};
};

} // namespace winbind
