#include "tunnel/spread.h"

#include <vector>

#include <CppUTest/TestHarness.h>

TEST_GROUP(Spread) {
    net::Loop loop;
    tunnel::Spread spread{loop};
    std::vector<net::Millis> times; ///< of the acts, from the start

    void start(std::size_t count, int delay, int duration)
    {
        const net::Millis begin = loop.now();
        const tunnel::Spread::Act act = [this, begin] { times.push_back(loop.now() - begin); };
        spread.start(std::vector<tunnel::Spread::Act>(count, act), net::Millis(delay), net::Millis(duration));
    }
    void until(std::size_t count)
    {
        for (int round = 0; times.size() < count && round < 1000; ++round)
            loop.run_once(net::Millis(10));
        LONGS_EQUAL(count, times.size());
    }
};

TEST(Spread, fewAreSpreadOverTheWholeTime)
{
    start(4, 0, 200);
    LONGS_EQUAL(1, times.size()); // the first at once
    until(4);
    for (std::size_t i = 1; i < 4; ++i)
        CHECK(times[i] - times[i - 1] >= net::Millis(45)); // the loop's clock is read once a round
}

TEST(Spread, manyGoSomeAtATime)
{
    start(1000, 0, 200);
    LONGS_EQUAL(250, times.size());
    until(1000);
    CHECK(times.back() >= net::Millis(140));
}

TEST(Spread, beginsAfterTheDelayAndDoesNothingWithNothing)
{
    start(0, 0, 100);
    start(1, 100, 0);
    LONGS_EQUAL(0, times.size());
    until(1);
    CHECK(times[0] >= net::Millis(95));
}

// A loop with nothing to do sleeps.
TEST(Spread, restsAfterTheLastAct)
{
    start(2, 0, 100);
    until(2);
    const net::Millis begin = loop.now();
    loop.run_once(net::Millis(150));
    CHECK(loop.now() - begin >= net::Millis(140));
}
