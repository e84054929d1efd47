#include "directory/decision_cache.h"

#include "base/log.h"
#include "fixture.h"

#include <memory>
#include <optional>
#include <string>

#include <CppUTest/TestHarness.h>

using directory::Decision;
using directory::DecisionCache;

TEST_GROUP(DecisionCache) {
    TemporaryDirectory directory;
    std::optional<directory::Directory> known;
    std::optional<DecisionCache> cache;

    void setup() override
    {
        base::log::set_level(base::log::Level::error);
        directory.add_server("EX1", "ex1.example");
        directory.allow("EX1:6001-6002");
        open();
    }
    void teardown() override
    {
        cache.reset();
        known.reset();
        base::log::set_level(base::log::Level::info);
    }
    void open()
    {
        cache.reset();
        known.emplace(directory.path);
        cache.emplace(*known);
    }
    /// As a request does that must ask: true when the target was allowed.
    bool ask(const std::string& target)
    {
        const DecisionCache::Stamp stamp = cache->look();
        const auto decision = std::make_shared<const Decision>(known->judge.decide(target));
        cache->store(decision, stamp);
        return decision->allowed();
    }
    bool kept(const std::string& target)
    {
        cache->look();
        return cache->find(target) != nullptr;
    }
    void out_of_service() { CHECK_TRUE(directory.servers().set_in_service("EX1", false).ok()); }
};

TEST(DecisionCache, keepsPermissionsWordForWord)
{
    CHECK_TRUE(ask("EX1:6001"));
    cache->look();
    STRCMP_EQUAL("ncacn_http ex1.example:6001", cache->find("EX1:6001")->route.text().c_str());
    CHECK_FALSE(kept("ex1:6001"));
    for (const char* const refused : {"EX1:6003", "other:6001", "EX1", ""}) {
        CHECK_FALSE(ask(refused));
        CHECK_FALSE(kept(refused));
    }
}

TEST(DecisionCache, aCommitOfAnybodyEndsAllOfThemAtOnce)
{
    for (const char* const mode : {"PRAGMA journal_mode = WAL", "PRAGMA journal_mode = DELETE", "PRAGMA journal_mode = TRUNCATE"}) {
        cache.reset();
        known.reset(); // the journal mode is changed by who is alone
        directory.database->execute(mode);
        open();
        CHECK_TRUE(directory.servers().set_in_service("EX1", true).ok());
        CHECK_TRUE(ask("EX1:6001"));
        CHECK_TRUE(ask("EX1:6002"));
        CHECK_TRUE_TEXT(kept("EX1:6001"), mode);
        out_of_service();
        CHECK_FALSE_TEXT(kept("EX1:6001"), mode);
        CHECK_FALSE_TEXT(kept("EX1:6002"), mode);
        CHECK_FALSE(ask("EX1:6001"));
    }
}

TEST(DecisionCache, holdsThroughACheckpointAndARestartOfTheLog)
{
    CHECK_TRUE(ask("EX1:6001"));
    directory.database->execute("PRAGMA wal_checkpoint(TRUNCATE)");
    ask("EX1:6001");
    CHECK_TRUE(kept("EX1:6001"));
    out_of_service(); // written where the log's first commit was
    CHECK_FALSE(kept("EX1:6001"));
}

TEST(DecisionCache, whatIsNotCommittedChangesNothing)
{
    CHECK_TRUE(ask("EX1:6001"));
    {
        directory::Transaction change(*directory.database);
        out_of_service();
        CHECK_TRUE(kept("EX1:6001"));
    }
    CHECK_TRUE(kept("EX1:6001"));
}

TEST(DecisionCache, aDecisionOfBeforeAChangeIsNotKept)
{
    const DecisionCache::Stamp before = cache->look();
    const auto decision = std::make_shared<const Decision>(known->judge.decide("EX1:6001"));
    out_of_service();
    cache->look(); // for another request
    cache->store(decision, before);
    CHECK_FALSE(kept("EX1:6001"));
    // And when nobody has looked meanwhile.
    CHECK_TRUE(directory.servers().set_in_service("EX1", true).ok());
    const DecisionCache::Stamp again = cache->look();
    const auto second = std::make_shared<const Decision>(known->judge.decide("EX1:6001"));
    out_of_service();
    cache->store(second, again);
    CHECK_FALSE(kept("EX1:6001"));
}

TEST(DecisionCache, anotherListEndsThemToo)
{
    CHECK_TRUE(ask("EX1:6001"));
    directory::PortStore(*directory.database).remove(directory::parse_port_list("EX1:6001-6002").entries.at(0));
    CHECK_TRUE(ask("EX1:6001")); // the list of before is in force, and the state is the one of now
    CHECK_TRUE(kept("EX1:6001"));
    CHECK_TRUE(known->valid_ports.refresh().empty());
    CHECK_FALSE(kept("EX1:6001"));
    CHECK_FALSE(ask("EX1:6001"));
}

TEST(DecisionCache, knowsNothingWhenTheDatabaseCannotBeRead)
{
    cache.reset();
    known.reset();
    directory.database->execute("PRAGMA journal_mode = DELETE");
    open();
    CHECK_TRUE(ask("EX1:6001"));
    const DecisionCache::Stamp before = cache->look();
    const auto decision = std::make_shared<const Decision>(known->judge.decide("EX1:6001"));
    directory.database->execute("BEGIN EXCLUSIVE");
    CHECK_FALSE(kept("EX1:6001")); // at once, without waiting for the lock
    cache->store(decision, before);
    CHECK_FALSE(kept("EX1:6001"));
    directory.database->execute("ROLLBACK");
    CHECK_FALSE(kept("EX1:6001"));
    cache->store(decision, before);
    CHECK_FALSE(kept("EX1:6001"));
    CHECK_TRUE(ask("EX1:6001"));
    CHECK_TRUE(kept("EX1:6001"));
}

TEST(DecisionCache, isBoundedAndKeepsWhatIsUsed)
{
    directory.allow("mail:1-65535");
    known->valid_ports.refresh();
    const auto target = [](std::size_t port) { return "mail:" + std::to_string(port); };
    for (std::size_t port = 1; port <= 3 * DecisionCache::limit; ++port) {
        CHECK_TRUE(ask(target(port)));
        CHECK_TRUE(kept(target(1)));
    }
    std::size_t left = 0;
    for (std::size_t port = 2; port <= 3 * DecisionCache::limit; ++port)
        left += kept(target(port)) ? 1 : 0;
    CHECK_TRUE(left < 2 * DecisionCache::limit);
    CHECK_TRUE(left >= DecisionCache::limit / 2);
    CHECK_TRUE(kept(target(3 * DecisionCache::limit)));
}
