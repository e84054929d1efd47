#include "net/loop.h"

#include "test_streams.h"

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <utility>
#include <vector>

#include <CppUTest/TestHarness.h>

namespace {

struct Probe {
    int count = 0;
    std::uint32_t events = 0;
    std::function<void()> action;

    void on_event(std::uint32_t e)
    {
        ++count;
        events |= e;
        if (action)
            action();
    }
    net::Watch::Callback callback() { return net::Watch::Callback::of<&Probe::on_event>(this); }
};

} // namespace

TEST_GROUP(Watch) {
    net::Loop loop;
    Probe probe, other;
};

// As a stream goes from one owner to the next: whatever is ready is told again.
TEST(Watch, anotherWatchTakesADescriptorOver)
{
    const auto [a, b] = socket_pair();
    net::Watch first(loop, probe.callback());
    net::Watch second(loop, other.callback());
    CHECK_TRUE(first.add(a.get()));
    LONGS_EQUAL(1, write(b.get(), "x", 1));
    using Turn = net::Loop::Turn;
    const Turn turns[] = {Turn::served, Turn::served, Turn::door}; // in one round, over a round, let in from the door
    for (int i = 0; i < 3; ++i) {
        loop.run_once(net::Millis(0));
        LONGS_EQUAL(1, probe.count);
        first.remove();
        if (i == 1)
            loop.run_once(net::Millis(0));
        CHECK_TRUE(second.add(a.get()));
        loop.run_once(net::Millis(0));
        LONGS_EQUAL(1, other.count);
        CHECK_TRUE(other.events & EPOLLIN);
        LONGS_EQUAL(1, probe.count);
        second.remove();
        probe = {};
        other = {};
        CHECK_TRUE(first.add(a.get(), net::Watch::all_events, turns[(i + 1) % 3]));
    }
}

TEST(Watch, thoseAtTheDoorComeLastAndNotAllAtOnce)
{
    constexpr int crowd = 40;
    std::vector<std::pair<base::UniqueFd, base::UniqueFd>> pairs;
    std::list<net::Watch> watches;
    probe.action = [] { // longer than all of them may take in a round
        const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(200);
        while (std::chrono::steady_clock::now() < end) {}
    };
    for (int i = 0; i < crowd; ++i) {
        const auto& [ours, theirs] = pairs.emplace_back(socket_pair());
        LONGS_EQUAL(1, write(theirs.get(), "x", 1));
        CHECK_TRUE(watches.emplace_back(loop, probe.callback()).add(ours.get(), EPOLLIN | EPOLLET, net::Loop::Turn::door));
    }
    const auto [a, b] = socket_pair();
    net::Watch served(loop, other.callback());
    CHECK_TRUE(served.add(a.get()));
    int before = -1;
    other.action = [&] { before = probe.count; };
    loop.run_once(net::Millis(0));
    LONGS_EQUAL(1, other.count);
    LONGS_EQUAL(0, before);
    CHECK_TRUE(probe.count > 0 && probe.count < crowd);
    for (int i = 0; i < crowd && probe.count < crowd; ++i)
        loop.run_once(net::Millis(0));
    LONGS_EQUAL(crowd, probe.count);
}

TEST(Watch, whoIsSentAwayWhileOthersAreServedTellsNothing)
{
    const auto [a, b] = socket_pair();
    const auto [c, d] = socket_pair();
    auto knocking = std::make_unique<net::Watch>(loop, probe.callback());
    net::Watch served(loop, other.callback());
    other.action = [&] { knocking.reset(); };
    CHECK_TRUE(knocking->add(a.get(), EPOLLIN | EPOLLET, net::Loop::Turn::door));
    LONGS_EQUAL(1, write(b.get(), "x", 1));
    CHECK_TRUE(served.add(c.get()));
    for (int i = 0; i < 3; ++i)
        loop.run_once(net::Millis(0));
    LONGS_EQUAL(1, other.count);
    LONGS_EQUAL(0, probe.count);
}

TEST(Watch, aRemovedDescriptorTellsNothing)
{
    const auto [a, b] = socket_pair();
    {
        net::Watch watch(loop, probe.callback());
        CHECK_TRUE(watch.add(a.get(), EPOLLIN | EPOLLET));
    }
    LONGS_EQUAL(1, write(b.get(), "x", 1));
    for (int i = 0; i < 3; ++i)
        loop.run_once(net::Millis(0));
    LONGS_EQUAL(0, probe.count);
    // It is out of the set: nothing says that it is there already.
    net::Watch again(loop, other.callback());
    CHECK_TRUE(again.add(a.get()));
}

TEST(Watch, aNumberThatIsUsedAnewIsWatched)
{
    for (const bool at_once : {false, true}) {
        auto [a, b] = socket_pair();
        const int number = a.get();
        net::Watch watch(loop, probe.callback());
        CHECK_TRUE(watch.add(number));
        net::Stream stream(std::move(a));
        if (at_once) {
            watch.close(stream);
        } else {
            watch.remove();
            stream.close();
        }
        CHECK_FALSE(watch.added());
        auto [c, d] = socket_pair();
        LONGS_EQUAL(number, c.get());
        CHECK_TRUE(watch.add(number));
        LONGS_EQUAL(1, write(d.get(), "x", 1));
        for (int i = 0; i < 3; ++i)
            loop.run_once(net::Millis(0));
        LONGS_EQUAL(1, probe.count);
        CHECK_TRUE(probe.events & EPOLLIN);
        probe = {};
        watch.remove();
    }
}

TEST(Watch, noOldEventAfterClose)
{
    auto [a, b] = socket_pair();
    auto [c, d] = socket_pair();
    net::Stream one(std::move(a)), two(std::move(c));
    net::Watch first(loop, probe.callback());
    net::Watch second(loop, other.callback());
    probe.action = [&] { second.close(two); };
    other.action = [&] { first.close(one); };
    CHECK_TRUE(first.add(one.fd()));
    CHECK_TRUE(second.add(two.fd()));
    loop.run_once(net::Millis(0));
    loop.run_once(net::Millis(0));
    LONGS_EQUAL(1, probe.count + other.count);
}
