#include "net/signals.h"

#include <pthread.h>
#include <unistd.h>

#include <vector>

#include <CppUTest/TestHarness.h>

TEST_GROUP(Signals)
{
    sigset_t before;
    std::vector<int> got;

    void setup() override
    {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigaddset(&set, SIGUSR2);
        pthread_sigmask(SIG_BLOCK, &set, &before);
    }
    void teardown() override { pthread_sigmask(SIG_SETMASK, &before, nullptr); }
    void take(int signal) { got.push_back(signal); }
};

TEST(Signals, comeAsEventsAlsoThoseFromBefore)
{
    ::kill(::getpid(), SIGUSR2);
    net::Loop loop;
    net::Signals signals(loop, {SIGUSR1, SIGUSR2}, net::Signals::Callback::of<&TEST_GROUP_CppUTestGroupSignals::take>(this));
    loop.run_once(net::Millis(1000));
    ::kill(::getpid(), SIGUSR1);
    loop.run_once(net::Millis(1000));
    ::kill(::getpid(), SIGUSR1);
    loop.run_once(net::Millis(1000));
    const std::vector<int> expected{SIGUSR2, SIGUSR1, SIGUSR1};
    CHECK_TRUE(got == expected);
}
