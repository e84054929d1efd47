#include "base/log.h"
#include "directory/database.h"
#include "directory/decision_cache.h"
#include "directory/port_list.h"
#include "directory/port_store.h"
#include "directory/servers.h"

#include <unistd.h>

#include <memory>
#include <string>

#include <CppUTest/TestHarness.h>

using directory::Database;

TEST_GROUP(DecisionCache) {
    std::string path = "/tmp/rpctunnel-decision-cache-test-" + std::to_string(getpid()) + ".db";
    std::unique_ptr<directory::Policy> policy;
    std::unique_ptr<directory::DecisionCache> cache;

    void setup() override
    {
        base::log::set_level(base::log::Level::error);
        Database database(path, Database::Mode::create);
        directory::Servers(database).add({"EX1", "ex1.example", directory::Role::mailbox, "", "", true});
        policy = std::make_unique<directory::Policy>(path);
        policy->rebuild();
        policy->changed(); // our own rebuild
        cache = std::make_unique<directory::DecisionCache>(*policy);
    }
    void teardown() override
    {
        cache.reset();
        policy.reset();
        for (const char* suffix : {"", "-wal", "-shm"})
            ::unlink((path + suffix).c_str());
        base::log::set_level(base::log::Level::info);
    }
    bool ask(const std::string& target)
    {
        const std::uint64_t generation = policy->generation();
        const directory::Decision decision = policy->decide(target);
        cache->store(decision, generation);
        return decision.allowed();
    }
    void out_of_service()
    {
        Database database(path, Database::Mode::write);
        directory::Servers(database).set_in_service("EX1", false);
    }
};

TEST(DecisionCache, keepsPermissionsWordForWord)
{
    CHECK_TRUE(ask("EX1:6001"));
    const directory::Decision* const kept = cache->find("EX1:6001");
    CHECK(kept != nullptr);
    STRCMP_EQUAL("ncacn_http ex1.example:6001", kept->route.text().c_str());
    POINTERS_EQUAL(nullptr, cache->find("ex1:6001"));
    for (const char* const refused : {"EX1:6003", "other:6001", "EX1", ""}) {
        CHECK_FALSE(ask(refused));
        POINTERS_EQUAL(nullptr, cache->find(refused));
    }
}

TEST(DecisionCache, aChangeOfTheDirectoryEndsAllOfThem)
{
    ask("EX1:6001");
    out_of_service();
    CHECK(cache->find("EX1:6001") != nullptr); // until it is noticed
    CHECK_TRUE(policy->changed());
    POINTERS_EQUAL(nullptr, cache->find("EX1:6001"));
    CHECK_FALSE(ask("EX1:6001"));
}

TEST(DecisionCache, aDecisionOfBeforeAChangeIsNotKept)
{
    const std::uint64_t before = policy->generation();
    const directory::Decision decision = policy->decide("EX1:6001");
    out_of_service();
    CHECK_TRUE(policy->changed());
    cache->store(decision, before);
    POINTERS_EQUAL(nullptr, cache->find("EX1:6001"));
}

TEST(DecisionCache, aNewListAndARebuildEndThemToo)
{
    ask("EX1:6001");
    policy->refresh();
    POINTERS_EQUAL(nullptr, cache->find("EX1:6001"));
    ask("EX1:6001");
    out_of_service();
    policy->rebuild();
    POINTERS_EQUAL(nullptr, cache->find("EX1:6001"));
}

TEST(DecisionCache, isBounded)
{
    Database database(path, Database::Mode::write);
    const directory::PortEntry entry = directory::parse_port_list("mail:1-65535").entries.front();
    directory::PortStore(database).add(entry, "test");
    policy->changed();
    policy->refresh();
    std::size_t kept = 0;
    for (std::size_t port = 1; port <= directory::DecisionCache::limit + 1; ++port)
        CHECK_TRUE(ask("mail:" + std::to_string(port)));
    for (std::size_t port = 1; port <= directory::DecisionCache::limit + 1; ++port)
        kept += cache->find("mail:" + std::to_string(port)) != nullptr ? 1 : 0;
    LONGS_EQUAL(1, kept);
}
