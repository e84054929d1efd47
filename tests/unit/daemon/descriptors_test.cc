#include "daemon/descriptors.h"

#include <CppUTest/TestHarness.h>

using namespace rpctunneld;

TEST_GROUP(descriptors)
{
    Config config;

    void setup() override
    {
        config.connection_limit = 1000;
        config.directory_threads = 4;
    }
};

TEST(descriptors, two_for_each_connection_and_some_aside)
{
    const DescriptorPlan plan = plan_descriptors(config, 10'000, 30);
    LONGS_EQUAL(16 + 4 * 6 + 156, plan.spare);
    LONGS_EQUAL(10'000 - 196, plan.for_clients());
    LONGS_EQUAL((10'000 - 196 - 30) / 4, plan.tunnels);
    CHECK(plan.sufficient());
}

TEST(descriptors, what_is_needed_is_enough_and_one_less_is_not)
{
    for (const bool pairing : {false, true}) {
        config.pairing_listen.resize(pairing ? 1 : 0);
        const std::uint64_t clients = pairing ? 3500 : 2000;
        const std::uint64_t needed = plan_descriptors(config, 1, 30).needed;
        CHECK(plan_descriptors(config, needed, 30).sufficient());
        CHECK(plan_descriptors(config, needed, 30).for_clients() >= 30 + clients);
        CHECK_FALSE(plan_descriptors(config, needed - 1, 30).sufficient());
        CHECK(plan_descriptors(config, needed - 2, 30).for_clients() < 30 + clients);
    }
}

// The example of rpctunneld(8), SCALING: it says some 406,400 and 711,200.
TEST(descriptors, a_hundred_thousand_tunnels)
{
    config.connection_limit = 200'000;
    config.directory_threads = 4;
    LONGS_EQUAL(406'431, plan_descriptors(config, 524'288, 40).needed);
    CHECK(plan_descriptors(config, 524'288, 40).tunnels >= 100'000);
    config.pairing_listen.resize(1);
    LONGS_EQUAL(711'193, plan_descriptors(config, 524'288, 40).needed);
}

TEST(descriptors, a_tiny_limit_leaves_half_to_clients)
{
    const DescriptorPlan plan = plan_descriptors(config, 64, 40);
    LONGS_EQUAL(32, plan.for_clients());
    LONGS_EQUAL(0, plan.tunnels);
}
