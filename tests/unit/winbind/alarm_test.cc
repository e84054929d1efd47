#include "winbind/alarm.h"

#include "base/no_signals.h"

#include <poll.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include <CppUTest/TestHarness.h>

#include <CppUTest/MemoryLeakWarningPlugin.h>

using std::chrono::milliseconds;
using winbind::Alarm;

namespace {

/// As the threads of a lane are.
template <class Work> std::thread started(Work work)
{
    const base::NoSignals no_signals;
    return std::thread(work);
}

bool wait_fails()
{
    return poll(nullptr, 0, -1) == -1 && errno == EINTR;
}

} // namespace

TEST_GROUP(winbind_alarm)
{
    void setup() override { MemoryLeakWarningPlugin::turnOnThreadSafeNewDeleteOverloads(); }
};

// Whoever waits without limit waits here for ever when the alarm does not come.
TEST(winbind_alarm, each_wait_ends_once_the_time_has_come)
{
    bool armed = false, failed = false;
    started([&] {
        const Alarm alarm(milliseconds(1));
        armed = static_cast<bool>(alarm);
        failed = wait_fails() && wait_fails() && wait_fails();
    }).join();
    CHECK_TRUE(armed);
    CHECK_TRUE(failed);
}

TEST(winbind_alarm, another_thread_can_ring_it)
{
    std::atomic<Alarm*> made{nullptr};
    std::atomic<bool> failed{false}, rung{false};
    std::thread waiting = started([&] {
        Alarm alarm(std::chrono::hours(1));
        made = &alarm;
        failed = wait_fails();
        while (!rung) // it lives until the other has done with it
            std::this_thread::yield();
    });
    while (made == nullptr)
        std::this_thread::yield();
    made.load()->ring();
    rung = true;
    waiting.join();
    CHECK_TRUE(failed);
}

TEST(winbind_alarm, it_is_over_when_the_object_goes)
{
    int result = -1;
    started([&] {
        {
            const Alarm alarm(milliseconds(0));
            wait_fails();
        }
        result = poll(nullptr, 0, 30);
    }).join();
    LONGS_EQUAL(0, result);
}
