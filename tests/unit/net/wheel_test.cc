#include "net/wheel.h"

#include <memory>
#include <random>
#include <vector>

#include <CppUTest/TestHarness.h>

using net::Millis;
using net::TimerNode;
using net::Wheel;

namespace {

constexpr Millis start{123'456'789};

struct Item {
    Wheel& wheel;
    std::vector<int>& fired;
    int id;
    TimerNode node{base::Delegate<void()>::of<&Item::on_due>(this)};

    Item(Wheel& w, std::vector<int>& f, int i) : wheel(w), fired(f), id(i) {}
    ~Item() { wheel.cancel(node); }
    void on_due() { fired.push_back(id); }
};

struct Killer {
    Wheel& wheel;
    std::vector<std::unique_ptr<Item>>& victims;
    TimerNode node{base::Delegate<void()>::of<&Killer::on_due>(this)};
    Killer(Wheel& w, std::vector<std::unique_ptr<Item>>& v) : wheel(w), victims(v) {}
    void on_due() { victims.clear(); }
};

struct Repeater {
    Wheel& wheel;
    Millis due;
    int count = 0;
    TimerNode node{base::Delegate<void()>::of<&Repeater::on_due>(this)};
    Repeater(Wheel& w, Millis d) : wheel(w), due(d) {}
    ~Repeater() { wheel.cancel(node); }
    void on_due()
    {
        ++count;
        wheel.set(node, due);
    }
};

} // namespace

TEST_GROUP(Wheel) {
    Wheel wheel{start};
    std::vector<int> fired;
    std::vector<std::unique_ptr<Item>> items;

    Item& item(Millis delay)
    {
        items.push_back(std::make_unique<Item>(wheel, fired, static_cast<int>(items.size())));
        wheel.set(items.back()->node, start + delay);
        return *items.back();
    }
};

TEST(Wheel, exactAtEveryLevel)
{
    for (const long delay : {1L, 2L, 63L, 64L, 65L, 4095L, 4096L, 262'143L, 262'144L, 20'000'000L, 2'000'000'000L,
                             100'000'000'000L, 3'000'000'000'000L}) {
        Wheel fresh(start);
        Item one(fresh, fired, 1);
        fired.clear();
        fresh.set(one.node, start + Millis(delay));
        fresh.advance(start + Millis(delay - 1));
        CHECK_TRUE(fired.empty());
        fresh.advance(start + Millis(delay));
        LONGS_EQUAL(1, fired.size());
        CHECK_FALSE(one.node.armed());
        CHECK_FALSE(fresh.next().has_value());
    }
}

TEST(Wheel, nextLeadsToTheTimerInFewSteps)
{
    item(Millis(10'000'000));
    int steps = 0;
    while (fired.empty()) {
        CHECK_TRUE(wheel.next().has_value());
        CHECK_TRUE(*wheel.next() <= start + Millis(10'000'000));
        wheel.advance(*wheel.next());
        ++steps;
    }
    CHECK_TRUE(steps <= 5);
    CHECK_FALSE(wheel.next().has_value());
}

TEST(Wheel, sameTickInTheOrderOfSetting)
{
    item(Millis(100));
    wheel.advance(start + Millis(70));
    item(Millis(100));
    item(Millis(90));
    wheel.advance(start + Millis(200));
    LONGS_EQUAL(3, fired.size());
    LONGS_EQUAL(2, fired[0]);
    LONGS_EQUAL(0, fired[1]);
    LONGS_EQUAL(1, fired[2]);
}

TEST(Wheel, cancelledAndMovedTimers)
{
    Item& first = item(Millis(50));
    Item& second = item(Millis(50));
    wheel.cancel(first.node);
    wheel.cancel(first.node);
    wheel.set(second.node, start + Millis(5000));
    wheel.advance(start + Millis(4999));
    CHECK_TRUE(fired.empty());
    wheel.advance(start + Millis(5000));
    LONGS_EQUAL(1, fired.size());
    LONGS_EQUAL(1, fired[0]);
}

TEST(Wheel, callbackDestroysOthersOfItsTickAndLater)
{
    Killer killer(wheel, items);
    wheel.set(killer.node, start + Millis(64));
    item(Millis(64));
    item(Millis(64));
    item(Millis(65));
    item(Millis(9000));
    wheel.advance(start + Millis(64));
    CHECK_TRUE(fired.empty());
    CHECK_FALSE(wheel.next().has_value());
}

TEST(Wheel, timerSetInCallbackWaitsForTheNextTick)
{
    Repeater repeater(wheel, start);
    wheel.set(repeater.node, start);
    wheel.advance(start);
    LONGS_EQUAL(0, repeater.count);
    wheel.advance(start + Millis(500));
    LONGS_EQUAL(1, repeater.count);
    wheel.advance(start + Millis(501));
    LONGS_EQUAL(2, repeater.count);
}

TEST(Wheel, manyRandomTimersFireInOrderAndInTime)
{
    std::mt19937 random(4711);
    std::vector<Millis> due;
    for (int i = 0; i < 5000; ++i) {
        const Millis delay(1 + random() % (i % 2 ? 100'000'000 : 10'000));
        due.push_back(delay);
        item(delay);
    }
    Millis now{0};
    std::size_t seen = 0;
    while (wheel.next()) {
        const Millis before = now;
        // Sometimes to the very point, sometimes late.
        now = *wheel.next() - start + Millis(random() % 3 ? 0 : random() % 1000);
        wheel.advance(start + now);
        for (; seen < fired.size(); ++seen) {
            const Millis at = due[static_cast<std::size_t>(fired[seen])];
            CHECK_TRUE(at <= now && at > before);
            CHECK_TRUE(seen == 0 || due[static_cast<std::size_t>(fired[seen - 1])] <= at);
        }
    }
    LONGS_EQUAL(5000, fired.size());
}
