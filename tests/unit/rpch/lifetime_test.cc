#include "rpch/lifetime.h"

#include <CppUTest/TestHarness.h>

using rpch::Lifetime;

TEST_GROUP(Lifetime) {};

// What is kept for RTS PDUs, when a successor is due, and how much may be taken on before; all in bytes.
TEST(Lifetime, figures)
{
    struct Row { std::uint32_t total, reserve, largest, due, admits, room; };
    static constexpr Row rows[] = {
        // An eighth is the margin: 16,384. An eighth of what it is above the largest PDU is the reserve.
        {131'072, 1000, 5840, 114'688, 129'754, 123'914},
        // The reserve and one PDU are more than an eighth.
        {131'072, 8192, 65'535, 57'345, 122'880, 57'345},
        // A quarter at most is kept.
        {20'000, 8192, 1000, 14'000, 15'000, 14'000},
        {20'000, 5000, 1000, 14'000, 15'000, 14'000},
        {20'000, 4999, 1000, 14'001, 15'001, 14'001},
        // Too short for the largest PDU: due from the beginning, and only smaller ones go.
        {40'000, 1000, 65'535, 0, 39'000, 0},
        {66'535, 1000, 65'535, 0, 65'535, 0},
        {66'536, 1000, 65'535, 1, 65'536, 1},
        {0x40000000, 8192, 65'535, 939'524'096, 0x40000000 - 16'769'024, 0x40000000 - 16'769'024 - 65'535},
    };
    for (const Row& row : rows) {
        Lifetime life(row.total, row.reserve, row.largest);
        LONGS_EQUAL(row.total, life.total());
        LONGS_EQUAL(row.due, life.due());
        LONGS_EQUAL(row.room, life.room());
        CHECK_TRUE(life.admits(row.admits));
        CHECK_FALSE(life.admits(row.admits + 1));
        CHECK_TRUE(life.fits(row.total));
        CHECK_FALSE(life.fits(row.total + 1));
        CHECK_EQUAL(row.due == 0, life.near_end());
        if (row.due == 0)
            continue;
        life.count(row.due - 1);
        CHECK_FALSE(life.near_end());
        life.count(1);
        CHECK_TRUE(life.near_end());
        LONGS_EQUAL(row.due, life.used());
        LONGS_EQUAL(row.room - row.due, life.room());
        CHECK_TRUE(life.admits(row.admits - row.due));
        CHECK_FALSE(life.admits(row.admits - row.due + 1));
        CHECK_TRUE(life.fits(row.total - row.due));
        CHECK_FALSE(life.fits(row.total - row.due + 1));
    }
}

// Behind the end there is no room, not a negative one; the counters go on beyond 32 bits.
TEST(Lifetime, mayBeExceeded)
{
    Lifetime life(131'072, 1000, 5840);
    life.count(200'000);
    LONGS_EQUAL(0, life.room());
    CHECK_FALSE(life.admits(1));
    CHECK_FALSE(life.fits(0));
    life.count(0xffffffff);
    CHECK_FALSE(life.admits(1));
    CHECK_TRUE(life.near_end());
}

TEST(Lifetime, withoutASuccessorItIsUsedToItsEnd)
{
    for (Lifetime life : {Lifetime(), Lifetime(131'072, 1000, 5840)}) {
        life.lift();
        CHECK_TRUE(life.lifted());
        life.count(131'072);
        CHECK_TRUE(life.admits(65'535));
        CHECK_FALSE(life.near_end());
        LONGS_EQUAL(life.total(), life.room());
    }
    CHECK_FALSE(Lifetime(131'072, 1000, 5840).lifted());
    LONGS_EQUAL(0xffffffff, Lifetime().total());
}

// A successor that did not come about: the next one is due when half of the room is used up.
TEST(Lifetime, postpones)
{
    Lifetime life(131'072, 1000, 5840);
    life.count(114'688);
    const std::uint32_t room = life.room();
    LONGS_EQUAL(9'226, room);
    life.postpone();
    CHECK_FALSE(life.near_end());
    life.count(room / 2 - 1);
    CHECK_FALSE(life.near_end());
    life.count(1);
    CHECK_TRUE(life.near_end());
}
