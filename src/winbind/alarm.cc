#include "winbind/alarm.h"

#include <pthread.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid // of Linux; older C libraries have no name for it
#endif

namespace winbind {
namespace {

/// Between two signals: the thread may have been about to wait when the last one came.
constexpr long again_ns = 10'000'000;

int number() noexcept
{
    return SIGRTMIN;
}

bool take_signal() noexcept
{
    struct sigaction action{};
    action.sa_handler = [](int) {}; // without SA_RESTART, so that the call fails
    sigemptyset(&action.sa_mask);
    return sigaction(number(), &action, nullptr) == 0;
}

} // namespace

Alarm::Alarm(std::chrono::milliseconds after) noexcept
{
    static const bool taken = take_signal();
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = number();
    event.sigev_notify_thread_id = gettid();
    if (!taken || timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0)
        return;
    armed_ = true;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, number());
    pthread_sigmask(SIG_UNBLOCK, &signals, &before_);
    set(after);
}

Alarm::~Alarm()
{
    if (!armed_)
        return;
    timer_delete(timer_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void Alarm::set(std::chrono::milliseconds after) noexcept
{
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(after);
    itimerspec time{};
    time.it_interval.tv_nsec = again_ns;
    time.it_value.tv_sec = seconds.count();
    time.it_value.tv_nsec = std::chrono::nanoseconds(after - seconds).count() + 1; // zero would stop it
    timer_settime(timer_, 0, &time, nullptr);
}

} // namespace winbind
