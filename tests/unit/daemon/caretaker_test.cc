#include "base/log.h"
#include "daemon/caretaker.h"
#include "unit/base/log_capture.h"
#include "unit/directory/fixture.h"

#include <optional>
#include <string>

#include <CppUTest/TestHarness.h>

using rpctunneld::Caretaker;

namespace {

using namespace std::chrono_literals;

} // namespace

TEST_GROUP(Caretaker)
{
    TemporaryDirectory directory;
    std::optional<net::Loop> loop;
    std::optional<directory::Directory> opened;
    std::optional<Caretaker> caretaker;
    int changed = 0, asked = 0;

    void setup() override
    {
        MemoryLeakWarningPlugin::turnOnThreadSafeNewDeleteOverloads();
        base::log::set_level(base::log::Level::error);
        directory.allow("before:6001");
        loop.emplace();
        opened.emplace(directory.path);
        renewed();
    }
    void renewed()
    {
        caretaker.emplace(*loop, *opened, [this](Caretaker::News news) { ++(news == Caretaker::News::changed ? changed : asked); });
    }
    void teardown() override
    {
        caretaker.reset();
        opened.reset();
        loop.reset();
        base::log::set_level(base::log::Level::info);
    }
    template <class Done> void until(Done done)
    {
        const auto end = std::chrono::steady_clock::now() + 5s;
        while (!done()) {
            CHECK_TRUE_TEXT(std::chrono::steady_clock::now() < end, "it did not happen within 5 s");
            loop->run_once(net::Millis(5));
        }
    }
    /// Until somebody has looked: a second look has begun.
    void look()
    {
        loop->skip(Caretaker::watch_interval);
        for (int i = 0; i < 20; ++i)
            loop->run_once(net::Millis(5));
    }
    bool allows(const char* host) { return opened->valid_ports.get()->match(host, 6001).has_value(); }
};

TEST(Caretaker, whatSomebodyCommitsComesIntoForce)
{
    caretaker->begin(0ms);
    caretaker->watch();
    look();
    LONGS_EQUAL(0, changed + asked);
    directory.allow("after:6001");
    CHECK_FALSE(allows("after"));
    loop->skip(Caretaker::watch_interval);
    until([&] { return changed == 1; });
    CHECK_TRUE(allows("after"));
    look();
    LONGS_EQUAL(1, changed);
    LONGS_EQUAL(0, asked);
}

TEST(Caretaker, theGeneratedListIsRebuiltAfterEachInterval)
{
    caretaker->begin(60'000ms);
    caretaker->watch();
    directory.add_server("EX9", "ex9.example", directory::Role::mailbox);
    loop->skip(Caretaker::watch_interval);
    until([&] { return changed == 1; });
    CHECK_FALSE(allows("ex9"));
    loop->skip(60'000ms);
    until([&] { return allows("ex9"); });
    until([&] { return changed == 2; }); // its own commit
}

TEST(Caretaker, aReloadAsksEverythingAnewAndHearsWhenThatIsDone)
{
    caretaker->begin(0ms);
    caretaker->watch();
    directory.add_server("EX9", "ex9.example", directory::Role::mailbox);
    int done = 0;
    // Two at once: the second one is not answered by what had begun before it.
    caretaker->renew(0ms, [&](bool) { done += 1; });
    caretaker->renew(0ms, [&](bool) { done += 10; });
    until([&] { return done == 1; });
    CHECK_TRUE(allows("ex9"));
    until([&] { return done == 11; });
    CHECK_TRUE(changed + asked >= 2);
}

// Another process holds the directory: the loop goes on, and what was to be done is done when it can be.
TEST(Caretaker, aLockedDirectoryKeepsTheLoopFromNothing)
{
    caretaker->begin(0ms);
    caretaker->watch();
    directory.add_server("EX9", "ex9.example", directory::Role::mailbox);
    directory.database->execute("BEGIN EXCLUSIVE");
    bool done = false;
    caretaker->renew(0ms, [&](bool) { done = true; });
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 20; ++i)
        loop->run_once(net::Millis(2));
    CHECK_TRUE(std::chrono::steady_clock::now() - begin < 2s);
    CHECK_FALSE(done);
    directory.database->execute("COMMIT");
    until([&] { return done; });
    until([&] { return allows("ex9"); });
}

// What another process has begun to write holds a rebuild, which writes too, and nobody else.
TEST(Caretaker, aLookDoesNotWaitForARebuild)
{
    caretaker->begin(0ms);
    caretaker->watch();
    directory.add_server("EX9", "ex9.example", directory::Role::mailbox);
    directory.database->execute("BEGIN IMMEDIATE");
    const std::uint64_t before = opened->watch.generation();
    int good = 0, bad = 0;
    caretaker->renew(0ms, [&](bool both) { ++(both ? good : bad); });
    loop->skip(Caretaker::watch_interval);
    until([&] { return opened->watch.generation() > before; });
    LONGS_EQUAL(0, good + bad);
    directory.database->execute("COMMIT");
    until([&] { return good + bad == 1; });
    LONGS_EQUAL(1, good);
    CHECK_TRUE(allows("ex9"));
}

// Sooner than the watch would look, and without another request.
TEST(Caretaker, whatHasFailedIsTriedAgain)
{
    const struct {
        const char* table;
        const char* host;
        void (*change)(TemporaryDirectory&);
        const char* line;
    } rows[] = {
        {"servers", "ex9", [](TemporaryDirectory& d) { d.add_server("EX9", "ex9.example"); }, "not rebuilt"},
        {"valid_ports_operator", "after", [](TemporaryDirectory& d) { d.allow("after:6001"); }, "not read"},
    };
    for (const auto& row : rows) {
        renewed(); // nobody looks while the row is made
        caretaker->begin(0ms);
        const LogCapture log;
        const std::string table = row.table;
        row.change(directory);
        CHECK_TRUE(directory.sql(("PRAGMA legacy_alter_table = ON; ALTER TABLE " + table + " RENAME TO gone").c_str()));
        std::optional<bool> good;
        caretaker->renew(0ms, [&](bool both) { good = both; });
        until([&] { return good.has_value(); });
        CHECK_FALSE_TEXT(*good, row.table);
        LONGS_EQUAL_TEXT(1, log.count(row.line), row.table);
        CHECK_FALSE_TEXT(allows(row.host), row.table);
        CHECK_TRUE(directory.sql(("ALTER TABLE gone RENAME TO " + table).c_str()));
        const net::Millis failed = loop->now();
        loop->skip(base::Retry::shortest);
        until([&] { return allows(row.host); });
        CHECK_TRUE_TEXT(loop->now() - failed < Caretaker::watch_interval, row.table);
    }
}

TEST(Caretaker, nothingIsHeardAfterItsEnd)
{
    caretaker->begin(0ms);
    caretaker->watch();
    caretaker->renew(0ms, [](bool) { FAIL("it has ended"); });
    caretaker->end();
    look();
    LONGS_EQUAL(0, changed + asked);
}
