#include "rpch/rts_table.h"
#include "unit/rpch/simulator.h"

#include <algorithm>
#include <cstdlib>

#include <CppUTest/TestHarness.h>

using simulator::Settings;
using simulator::World;

namespace {

/// RPCH_MODEL_FACTOR in the environment makes every walk so many times longer, for a soak.
std::uint32_t length(std::uint32_t steps)
{
    const char* const factor = std::getenv("RPCH_MODEL_FACTOR");
    return steps * (factor ? static_cast<std::uint32_t>(std::atoi(factor)) : 1);
}

void check_whole(World& world)
{
    CHECK_TRUE_TEXT(world.violation.empty(), world.describe().c_str());
    CHECK_TRUE_TEXT(world.client_alive() && world.server_alive(), world.describe().c_str());
    STRCMP_EQUAL_TEXT("", world.stuck().c_str(), world.describe().c_str());
    CHECK_TRUE_TEXT(world.all_delivered(), world.describe().c_str());
    CHECK_EQUAL_TEXT(2, world.proxies(), world.describe().c_str());
    CHECK_EQUAL_TEXT(4, world.connections(), world.describe().c_str());
}

void check_nothing_left(World& world)
{
    world.close_client();
    for (int i = 0; i < 4; ++i) {
        world.settle();
        world.expire();
    }
    CHECK_TRUE_TEXT(world.violation.empty(), world.describe().c_str());
    CHECK_TRUE_TEXT(!world.server_alive(), world.describe().c_str());
    CHECK_EQUAL_TEXT(0, world.proxies(), world.describe().c_str());
    CHECK_EQUAL_TEXT(0, world.connections(), world.describe().c_str());
}

} // namespace

TEST_GROUP(RecyclingModel) {
    std::map<rpch::RtsId, std::size_t> seen;

    void walk(const Settings& settings, std::uint32_t steps, std::uint32_t requests)
    {
        World world(settings);
        for (std::uint32_t i = 0; i < length(steps); ++i) {
            world.step(true);
            if (requests && i % requests == 0)
                (i / requests) % 2 ? world.recycle_in() : world.recycle_out();
        }
        world.settle();
        check_whole(world);
        CHECK_TRUE_TEXT(world.in_recycled > 2 && world.out_recycled > 2, world.describe().c_str());
        CHECK_TRUE_TEXT(world.most_waiting() <= 3 * std::max(settings.window, settings.largest_pdu), world.describe().c_str());
        for (const auto& [id, count] : world.seen)
            seen[id] += count;
        if (settings.largest_pdu <= settings.window / 2)
            CHECK_EQUAL_TEXT(0, world.windows_lifted, world.describe().c_str());
        check_nothing_left(world);
    }
};

// 3.2.1.5.3.2 and .4 again and again, both channels at once, under load in both directions.
TEST(RecyclingModel, onAnotherNodeLosesRepeatsAndReordersNothing)
{
    for (std::uint32_t seed = 1; seed <= 4; ++seed)
        walk({.seed = seed, .nodes = 3, .same_node = false}, 12'000, 0);
}

// 3.2.1.5.3.3 and .5.
TEST(RecyclingModel, onTheSameNodeLosesRepeatsAndReordersNothing)
{
    for (std::uint32_t seed = 1; seed <= 4; ++seed)
        walk({.seed = seed, .nodes = 1, .same_node = true}, 12'000, 0);
}

// Both kinds mixed, at any moment, started by lifetimes and on request.
TEST(RecyclingModel, anywhereLosesRepeatsAndReordersNothing)
{
    for (std::uint32_t seed = 1; seed <= 20; ++seed)
        walk({.seed = seed, .nodes = 2}, 10'000, 50 + seed * 10);
    for (std::uint32_t seed = 1; seed <= 10; ++seed)
        walk({.seed = seed, .nodes = 2, .window = 65'536, .largest_pdu = 8000}, 10'000, 7);
    // Every PDU of 2.2.4.2 to .45 was sent and received. OUT_R2/A1 and A2 have the bytes of OUT_R1/A1 and A2, and
    // nothing was refused.
    for (const rpch::RtsRow& row : rpch::rts_rows())
        if (row.id <= rpch::RtsId::out_r2_c1 && row.id != rpch::RtsId::out_r2_a1 && row.id != rpch::RtsId::out_r2_a2 &&
            row.id != rpch::RtsId::out_r2_b2)
            CHECK_TRUE_TEXT(seen[row.id] > 0, row.name);
}

// 3.2.1.4.1: a PDU that fits the window but not what is open of it, after any other PDU, on any hop; or not even the
// window. Nothing is due where its sender stands, and yet it comes to the other end.
TEST(RecyclingModel, noPduIsTooLargeForWhatIsOpen)
{
    for (std::uint32_t seed = 1; seed <= 20; ++seed) {
        walk({.seed = seed, .nodes = 2, .in_lifetime = 200'000, .out_lifetime = 300'000, .largest_pdu = 8192}, 10'000, 500);
        walk({.seed = seed, .nodes = 2, .in_lifetime = 200'000, .out_lifetime = 300'000, .largest_pdu = 20'000}, 10'000, 500);
    }
    for (std::uint32_t seed = 1; seed <= 10; ++seed)
        walk({.seed = seed, .nodes = 2, .window = 65'536, .in_lifetime = 2'000'000, .out_lifetime = 2'000'000,
              .largest_pdu = 65'535}, 10'000, 500);
}

// Successors that are asked for and never come, while there is more to say than the lifetime leaves room for: when the
// waiting is given up, what stood still for it goes on, or the virtual connection ends.
TEST(RecyclingModel, whatWaitsForASuccessorInVainGoesOnOrEnds)
{
    std::size_t survived = 0;
    for (std::uint32_t seed = 1; seed <= 200; ++seed) {
        World world({.seed = seed, .nodes = 1 + seed % 3, .in_lifetime = seed % 2 ? 30'000u : 10'000'000u});
        for (std::uint32_t i = 0; i < seed % 50 * 40; ++i)
            world.step(true);
        world.lose_successors();
        std::uint32_t before = 0;
        do { // until the server stands
            before = world.down_sent;
            for (int i = 0; i < 300; ++i)
                world.step(true);
        } while (world.down_sent > before);
        for (int i = 0; i < 4; ++i) {
            world.settle();
            world.expire();
        }
        world.settle();
        CHECK_TRUE_TEXT(world.violation.empty(), world.describe().c_str());
        CHECK_EQUAL_TEXT(world.client_alive(), world.server_alive(), world.describe().c_str());
        if (world.client_alive()) {
            ++survived;
            STRCMP_EQUAL_TEXT("", world.stuck().c_str(), world.describe().c_str());
            CHECK_TRUE_TEXT(world.all_delivered(), world.describe().c_str());
        }
        check_nothing_left(world);
    }
    CHECK_TRUE(survived > 50);
}

// The loss of any connection, a successor that never completes, a forged one, a wrong cookie, at any moment:
// the virtual connection goes on whole, or it ends, and nothing is left of it.
TEST(RecyclingModel, whateverBreaksItGoesOnWholeOrEnds)
{
    std::map<std::string, std::size_t> survived;
    for (std::uint32_t seed = 1; seed <= length(3000); ++seed) {
        World world({.seed = seed, .nodes = 1 + seed % 3});
        const std::uint32_t steps = 40 + seed * 7 % 900;
        for (std::uint32_t i = 0; i < steps; ++i) {
            world.step(true);
            if (i % 37 == seed % 37)
                seed % 2 ? world.recycle_in() : world.recycle_out();
        }
        const std::string fault = world.break_something();
        for (std::uint32_t i = 0; i < seed % 300; ++i)
            world.step(true);
        for (int i = 0; i < 4; ++i) {
            world.settle();
            world.expire();
        }
        world.settle();
        CHECK_TRUE_TEXT(world.violation.empty(), (fault + ": " + world.describe()).c_str());
        CHECK_EQUAL_TEXT(world.client_alive(), world.server_alive(), (fault + ": " + world.describe()).c_str());
        if (world.client_alive()) {
            CHECK_TRUE_TEXT(world.all_delivered(), (fault + ": " + world.describe()).c_str());
            STRCMP_EQUAL_TEXT("", world.stuck().c_str(), (fault + ": " + world.describe()).c_str());
            CHECK_EQUAL_TEXT(2, world.proxies(), (fault + ": " + world.describe()).c_str());
            CHECK_EQUAL_TEXT(4, world.connections(), (fault + ": " + world.describe()).c_str());
            ++survived[fault];
        }
        check_nothing_left(world);
    }
    // A forged successor costs nobody anything.
    CHECK_TRUE(survived["forged successor"] > 500);
    CHECK_TRUE(survived["frozen connection"] > 50 && survived["lost connection"] > 5 && survived["wrong cookie"] > 0);
}
