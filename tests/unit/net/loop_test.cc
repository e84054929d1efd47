#include "net/loop.h"
#include "net/timer.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <CppUTest/TestHarness.h>
#include <CppUTest/MemoryLeakWarningPlugin.h>

using net::Loop;
using net::Millis;
using net::Task;
using net::Timer;
using net::Watch;

namespace {

std::pair<base::UniqueFd, base::UniqueFd> pair()
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        std::abort();
    return {base::UniqueFd(fds[0]), base::UniqueFd(fds[1])};
}

/// A callback of any kind that records and acts.
struct Probe {
    int count = 0;
    std::uint32_t events = 0;
    std::function<void()> action;

    void on_event(std::uint32_t e)
    {
        events |= e;
        fire();
    }
    void fire()
    {
        ++count;
        if (action)
            action();
    }
    Watch::Callback watch() { return Watch::Callback::of<&Probe::on_event>(this); }
    Timer::Callback timer() { return Timer::Callback::of<&Probe::fire>(this); }
};

double elapsed_ms(std::chrono::steady_clock::time_point since)
{
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - since).count();
}

} // namespace

TEST_GROUP(Loop) {
    std::optional<Loop> own;
    Loop* loop_ = nullptr;
    Probe probe, other;
    void setup() override
    {
        MemoryLeakWarningPlugin::turnOnThreadSafeNewDeleteOverloads();
        loop_ = &own.emplace();
    }
    void teardown() override { own.reset(); }
    Loop& loop() { return *loop_; }
};

TEST(Loop, timeThatIsSkippedHasPassed)
{
    Loop loop;
    Probe rung;
    Timer late(loop, rung.timer()), later(loop, rung.timer());
    late.set(Millis(60'000));
    later.set(Millis(61'000));
    loop.run_once(Millis(0));
    loop.skip(Millis(60'500));
    loop.run_once(Millis(0));
    LONGS_EQUAL(1, rung.count);
    // What is set now counts from now, and its alarm wakes the loop, perhaps also before, to move it in the wheel.
    const auto began = std::chrono::steady_clock::now();
    late.set(Millis(20));
    while (rung.count < 2 && elapsed_ms(began) < 2000)
        loop.run_once(Millis(2000));
    LONGS_EQUAL(2, rung.count);
    CHECK_TRUE(elapsed_ms(began) >= 20 && elapsed_ms(began) < 2000);
}

TEST(Loop, watchTellsOncePerEdge)
{
    auto [a, b] = pair();
    Watch watch(loop(), probe.watch());
    CHECK_TRUE(watch.add(a.get()));
    loop().run_once(Millis(0));
    LONGS_EQUAL(1, probe.count);
    LONGS_EQUAL(EPOLLOUT, probe.events);
    loop().run_once(Millis(0));
    LONGS_EQUAL(1, probe.count);
    LONGS_EQUAL(1, write(b.get(), "x", 1));
    loop().run_once(Millis(0));
    LONGS_EQUAL(2, probe.count);
    CHECK_TRUE(probe.events & EPOLLIN);
    b.reset();
    loop().run_once(Millis(0));
    CHECK_TRUE(probe.events & EPOLLRDHUP);
}

TEST(Loop, addOfABadDescriptorSaysNo)
{
    const auto closed = pair().first.get();
    Watch watch(loop(), probe.watch());
    CHECK_FALSE(watch.add(closed));
    CHECK_FALSE(watch.added());
}

TEST(Loop, callbackMayDestroyItselfAndOthersOfTheBatch)
{
    std::vector<std::pair<base::UniqueFd, base::UniqueFd>> sockets;
    std::vector<std::unique_ptr<Watch>> watches;
    probe.action = [&] { watches.clear(); };
    for (int i = 0; i < 20; ++i) {
        sockets.push_back(pair());
        watches.push_back(std::make_unique<Watch>(loop(), probe.watch()));
        CHECK_TRUE(watches.back()->add(sockets.back().first.get()));
    }
    loop().run_once(Millis(0));
    loop().run_once(Millis(0));
    LONGS_EQUAL(1, probe.count);
}

TEST(Loop, noOldEventAfterRemoveAndAddInOneBatch)
{
    const auto one = pair(), two = pair();
    Watch first(loop(), probe.watch());
    Watch second(loop(), other.watch());
    auto swap = [&](Watch& watch, const base::UniqueFd& fd) {
        watch.remove();
        CHECK_TRUE(watch.add(fd.get(), EPOLLIN | EPOLLET)); // not readable: no event
    };
    probe.action = [&] { swap(second, two.first); };
    other.action = [&] { swap(first, one.first); };
    CHECK_TRUE(first.add(one.first.get()));
    CHECK_TRUE(second.add(two.first.get()));
    loop().run_once(Millis(0));
    loop().run_once(Millis(0));
    LONGS_EQUAL(1, probe.count + other.count);
}

TEST(Loop, timersFireInOrderAndNotEarly)
{
    std::vector<int> order;
    std::vector<double> at;
    const int delays[] = {70, 5, 0, 130, 30};
    const auto begin = std::chrono::steady_clock::now();
    std::vector<std::unique_ptr<Probe>> probes;
    std::vector<std::unique_ptr<Timer>> timers;
    for (const int delay : delays) {
        probes.push_back(std::make_unique<Probe>());
        probes.back()->action = [&, delay] {
            order.push_back(delay);
            at.push_back(elapsed_ms(begin));
            if (delay == 130)
                loop().stop();
        };
        timers.push_back(std::make_unique<Timer>(loop(), probes.back()->timer()));
        timers.back()->set(Millis(delay));
    }
    loop().run();
    const int expected[] = {0, 5, 30, 70, 130};
    LONGS_EQUAL(5, order.size());
    for (std::size_t i = 0; i < 5; ++i) {
        LONGS_EQUAL(expected[i], order[i]);
        CHECK_TRUE(at[i] >= expected[i]);
        CHECK_TRUE(at[i] < expected[i] + 500);
    }
}

TEST(Loop, timerCancelledInTheBatchOfAnother)
{
    auto victim = std::make_unique<Timer>(loop(), other.timer());
    Timer timer(loop(), probe.timer());
    probe.action = [&] { victim.reset(); };
    timer.set(Millis(1));
    victim->set(Millis(1));
    for (int i = 0; i < 10; ++i)
        loop().run_once(Millis(2));
    LONGS_EQUAL(1, probe.count);
    LONGS_EQUAL(0, other.count);
    CHECK_FALSE(timer.armed());
}

TEST(Loop, hugeAndNegativeDelays)
{
    Timer far(loop(), other.timer());
    far.set(Millis::max());
    Timer past(loop(), probe.timer());
    past.set(Millis::min());
    CHECK_TRUE(far.armed());
    for (int i = 0; i < 5; ++i)
        loop().run_once(Millis(2));
    LONGS_EQUAL(1, probe.count);
    LONGS_EQUAL(0, other.count);
}

TEST(Loop, timersNearerAndFurtherThanWhatTheKernelWasTold)
{
    Timer far(loop(), other.timer());
    far.set(Millis(60'000));
    loop().run_once(Millis(0));
    const Millis began = loop().now();
    Timer near(loop(), probe.timer());
    near.set(Millis(5));
    for (int i = 0; i < 3 && probe.count == 0; ++i)
        loop().run_once(Millis(10'000));
    LONGS_EQUAL(1, probe.count);
    near.set(Millis(5));
    loop().run_once(Millis(0));
    near.set(Millis(20));
    for (int i = 0; i < 4 && probe.count == 1; ++i)
        loop().run_once(Millis(10'000));
    LONGS_EQUAL(2, probe.count);
    LONGS_EQUAL(0, other.count);
    CHECK_TRUE(loop().now() - began < Millis(10'000)); // not woken by the limit of run_once()
}

TEST(Loop, postFromManyThreadsKeepsTheOrderOfEach)
{
    constexpr int threads = 4, each = 2000;
    std::vector<int> last(threads, -1);
    int total = 0;
    bool ordered = true;
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; ++t)
        workers.emplace_back([&, t] {
            for (int i = 0; i < each; ++i)
                loop().post([&, t, i] {
                    ordered = ordered && std::exchange(last[static_cast<std::size_t>(t)], i) == i - 1;
                    if (++total == threads * each)
                        loop().stop();
                });
        });
    loop().run();
    for (std::thread& worker : workers)
        worker.join();
    LONGS_EQUAL(threads * each, total);
    CHECK_TRUE(ordered);
}

TEST(Loop, stopFromAnotherThreadEndsAnIdleLoop)
{
    std::thread stopper([this] {
        std::this_thread::sleep_for(Millis(20));
        loop().stop();
    });
    loop().run();
    stopper.join();
    loop().stop(); // kept for the next run()
    loop().run();
}

TEST(Loop, idleLoopCostsNoCpu)
{
    Timer far(loop(), probe.timer());
    far.set(Millis(3'600'000));
    Timer end(loop(), other.timer());
    other.action = [this] { loop().stop(); };
    end.set(Millis(300));
    rusage before, after;
    getrusage(RUSAGE_THREAD, &before);
    loop().run();
    getrusage(RUSAGE_THREAD, &after);
    CHECK_TRUE(after.ru_nvcsw - before.ru_nvcsw < 20);
}

TEST(Loop, deferredRunsAfterTheCallbacksOfTheRound)
{
    std::vector<int> order;
    auto [a, b] = pair();
    Watch watch(loop(), probe.watch());
    probe.action = [&] {
        loop().defer([&] {
            order.push_back(2);
            loop().defer([&] { order.push_back(3); });
        });
        order.push_back(1);
    };
    CHECK_TRUE(watch.add(a.get()));
    loop().run_once(Millis(0));
    LONGS_EQUAL(2, order.size());
    loop().run_once(Millis(1000));
    LONGS_EQUAL(3, order.size());
    LONGS_EQUAL(3, order[2]);
}

TEST(Loop, destructorRunsWhatWasDeferred)
{
    bool done = false;
    {
        Loop temporary;
        temporary.defer([&] { temporary.defer([&] { done = true; }); });
    }
    CHECK_TRUE(done);
}

TEST(Loop, taskRunsOncePerSchedule)
{
    Task task(loop(), probe.timer());
    probe.action = [&] {
        if (probe.count < 3)
            task.schedule();
    };
    task.schedule();
    task.schedule();
    loop().run_once(Millis(0));
    LONGS_EQUAL(1, probe.count);
    loop().run_once(Millis(1000));
    loop().run_once(Millis(1000));
    loop().run_once(Millis(0));
    LONGS_EQUAL(3, probe.count);
    CHECK_FALSE(task.scheduled());
}

TEST(Loop, taskDestroyedByAnother)
{
    auto victim = std::make_unique<Task>(loop(), other.timer());
    Task task(loop(), probe.timer());
    probe.action = [&] { victim.reset(); };
    task.schedule();
    victim->schedule();
    loop().run_once(Millis(0));
    LONGS_EQUAL(1, probe.count);
    LONGS_EQUAL(0, other.count);
}
