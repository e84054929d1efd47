#include "net/loop.h"

#include "test_streams.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <list>
#include <memory>
#include <string>
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

/// In how many epoll sets of this process a descriptor is, as the kernel tells.
int sets_with(int fd)
{
    int sets = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
        std::ifstream file(entry.path());
        for (std::string line; std::getline(file, line);) {
            int target;
            sets += std::sscanf(line.c_str(), "tfd: %d", &target) == 1 && target == fd;
        }
    }
    return sets;
}

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
        first.hand_over();
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

TEST(Watch, itsPlaceInTheSetEndsInTime)
{
    enum class Way { removed, handed_over, parted_with, closed, destroyed };
    const struct {
        Way way;
        int at_once, after_a_round;
    } rows[] = {
        {Way::removed, 0, 0},
        {Way::handed_over, 1, 0},  // for another watch, as long as the round lasts
        {Way::parted_with, 0, 0},  // before another thread may close it
        {Way::closed, 0, 0},
        {Way::destroyed, 0, 0},
    };
    for (const auto& row : rows) {
        for (const net::Loop::Turn turn : {net::Loop::Turn::served, net::Loop::Turn::door}) {
            auto [a, b] = socket_pair();
            net::Stream stream(std::move(a));
            const int fd = stream.fd();
            auto watch = std::make_unique<net::Watch>(loop, probe.callback());
            CHECK_TRUE(watch->add(fd, net::Watch::all_events, turn));
            LONGS_EQUAL(1, sets_with(fd));
            switch (row.way) {
            case Way::removed: watch->remove(); break;
            case Way::handed_over: watch->hand_over(); break;
            case Way::parted_with:
                watch->hand_over();
                loop.part_with(stream);
                break;
            case Way::closed:
                watch->hand_over();
                loop.close(stream);
                break;
            case Way::destroyed: watch.reset(); break;
            }
            LONGS_EQUAL(row.at_once, sets_with(fd));
            loop.run_once(net::Millis(0));
            LONGS_EQUAL(row.after_a_round, sets_with(fd));
        }
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
    for (const int way : {0, 1, 2}) {
        auto [a, b] = socket_pair();
        const int number = a.get();
        net::Watch watch(loop, probe.callback());
        CHECK_TRUE(watch.add(number));
        net::Stream stream(std::move(a));
        if (way == 0) {
            watch.remove();
            stream.close();
        } else if (way == 1) {
            watch.hand_over();
            loop.close(stream);
        } else {
            watch.close(stream);
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
