#include "two_servers.h"

#include "directory/decision_cache.h"
#include "unit/base/log_capture.h"

#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <CppUTest/TestHarness.h>

#include <CppUTest/MemoryLeakWarningPlugin.h>

namespace fs = std::filesystem;

using directory::Database;
using directory::Directory;
using directory::FileState;
using Kind = directory::Decision::Kind;

namespace {

void write_file(const std::string& path, const std::string& text)
{
    std::ofstream(path, std::ios::trunc | std::ios::binary) << text;
}

/// A database in which EX9 is a server, and Zoe has an account; complete in one file.
struct Copy {
    Copy()
    {
        directory.add_server("EX9", "ex9.test");
        directory.allow("EX9:6001");
        directory.accounts().add("zoe", {{"", "zoe"}}, "$y$zoe");
        directory.database.reset();
    }
    TemporaryDirectory directory;
};

} // namespace

/// A running daemon's directory, and the file of its database in other hands.
TEST_GROUP(ReplacedDatabase)
{
    TwoServers t;
    std::optional<Directory> running;
    std::optional<directory::DecisionCache> cache;
    std::string aside;

    void setup() override
    {
        t.accounts().add("carol", {{"", "carol"}}, "$y$carol");
        t.allow("EX1:6001");
        aside = t.folder + "/aside.db";
        running.emplace(t.path);
        cache.emplace(*running);
        // The daemon and nobody else has it open.
        t.database.reset();
        CHECK_FALSE(running->watch.changed());
        CHECK(ask("EX1:6001"));
        CHECK(kept("EX1:6001"));
    }
    void teardown() override
    {
        cache.reset();
        running.reset();
    }
    bool ask(const char* target)
    {
        const auto stamp = cache->look();
        const auto decision = std::make_shared<const directory::Decision>(running->judge.decide(target));
        cache->store(decision, stamp);
        return decision->allowed();
    }
    bool kept(const char* target)
    {
        cache->look();
        return cache->find(target) != nullptr;
    }
    bool knows(const char* name) { return directory::Accounts(running->readers).find("", name).has_value(); }
    void commit(const char* sql) { Database(t.path, Database::Mode::write).execute(sql); }
    /// As the daemon does every two seconds.
    bool look() { return running->watch.changed() && running->valid_ports.refresh().empty(); }
    void check_that_the_copy_holds()
    {
        CHECK(running->watch.usable());
        CHECK_FALSE(kept("EX1:6001"));
        CHECK(running->judge.decide("EX1:6001").kind == Kind::denied);
        CHECK(ask("EX9:6001"));
        CHECK(kept("EX9:6001"));
        STRCMP_EQUAL("ncacn_http ex9.test:6001", cache->find("EX9:6001")->route.text().c_str());
        STRCMP_EQUAL("zoe", directory::Accounts(running->readers).find("", "zoe")->canonical.c_str());
        CHECK_FALSE(knows("carol"));
        CHECK(running->valid_ports.rebuild().kind == directory::Rebuild::Kind::changed);
        CHECK(running->watch.changed());
        commit("UPDATE accounts SET enabled = 0"); // and so do later commits
        CHECK(running->watch.changed());
        CHECK_FALSE(directory::Accounts(running->readers).find("", "zoe")->enabled);
        CHECK_FALSE(running->watch.changed());
    }
};

TEST(ReplacedDatabase, aCopyThatIsMovedOverItHolds)
{
    const Copy copy;
    base::log::set_level(base::log::Level::info);
    const LogCapture log;
    fs::rename(copy.directory.path, t.path);
    CHECK(look());
    LONGS_EQUAL(1, log.count("notice directory result=\"the file was replaced and is read anew\""));
    LONGS_EQUAL(0, log.count("error"));
    check_that_the_copy_holds();
    LONGS_EQUAL(1, log.count("was replaced"));
}

// What had been committed just before is still in the old one's log, which has the name of the new one's.
TEST(ReplacedDatabase, theOldLogIsNotTheNewFiles)
{
    const Copy copy;
    commit("UPDATE servers SET fqdn = 'old.test' WHERE netbios = 'EX1'");
    commit("UPDATE accounts SET canonical = 'old', canonical_folded = 'old'");
    CHECK(fs::file_size(t.path + "-wal") > 0);
    fs::rename(copy.directory.path, t.path);
    CHECK(look());
    check_that_the_copy_holds();
}

// And what was committed to the new one, before anybody has looked, is not lost.
TEST(ReplacedDatabase, theLogOfTheNewFileIsKept)
{
    const Copy copy;
    CHECK(fs::file_size(t.path + "-wal") == 0);
    fs::rename(copy.directory.path, t.path);
    do // the clock of the files ticks every few milliseconds
        write_file(aside, "");
    while (FileState::of(aside)->changed <= FileState::of(t.path)->changed);
    const pid_t other = ::fork(); // this process has the old file open, and its locks are its own
    if (other == 0) {
        try {
            Database database(t.path, Database::Mode::write);
            database.execute("UPDATE accounts SET canonical = 'renamed'");
            ::_exit(0); // with the log as it is
        } catch (const directory::DatabaseError&) {
            ::_exit(1);
        }
    }
    int status = -1;
    LONGS_EQUAL(other, ::waitpid(other, &status, 0));
    LONGS_EQUAL(0, status);
    CHECK(fs::file_size(t.path + "-wal") > 0);
    CHECK(look());
    STRCMP_EQUAL("renamed", directory::Accounts(running->readers).find("", "zoe")->canonical.c_str());
}

TEST(ReplacedDatabase, aCopyThatIsWrittenIntoItHolds)
{
    const Copy copy;
    fs::copy_file(copy.directory.path, t.path, fs::copy_options::overwrite_existing);
    CHECK(look());
    check_that_the_copy_holds();
}

TEST(ReplacedDatabase, aMissingOneIsMissedAndComesBack)
{
    base::log::set_level(base::log::Level::info);
    const LogCapture log;
    const std::uint64_t before = running->judge.generation();
    fs::rename(t.path, aside);
    for (int i = 0; i < 3; ++i)
        CHECK_FALSE(running->watch.changed());
    LONGS_EQUAL(1, log.count("error directory result=\"cannot be read\""));
    LONGS_EQUAL(1, log.count("the file is gone"));
    CHECK_FALSE(running->watch.usable());
    CHECK(running->judge.generation() > before);
    CHECK_FALSE(kept("EX1:6001"));
    CHECK(running->judge.decide("EX1:6001").kind == Kind::failed);
    CHECK(running->valid_ports.get()->match("EX1", 6001).has_value());
    CHECK(running->judge.decide("EX9:6001").kind == Kind::denied);
    CHECK_FALSE(running->valid_ports.refresh().empty());
    CHECK(running->valid_ports.rebuild().kind == directory::Rebuild::Kind::failed);
    CHECK(running->valid_ports.get()->match("EX1", 6001).has_value());
    CHECK_THROWS(directory::DatabaseError, knows("carol"));

    fs::rename(aside, t.path);
    CHECK(look());
    LONGS_EQUAL(1, log.count("notice directory result=\"can be read again\""));
    LONGS_EQUAL(1, log.count("error directory"));
    CHECK(running->watch.usable());
    CHECK(ask("EX1:6001"));
    CHECK(kept("EX1:6001"));
    CHECK(knows("carol"));
    CHECK_FALSE(running->watch.changed());
}

namespace {

struct Bad {
    const char* what;
    void (*make)(const std::string& path);
    const char* reason;
};

constexpr Bad bad[] = {
    {"nothing in it", [](const std::string& path) { write_file(path, ""); }, "the directory is empty"},
    {"garbage", [](const std::string& path) { write_file(path, std::string(20000, 'x')); }, "not a database"},
    {"another version",
     [](const std::string& path) {
         sqlite3* handle = nullptr;
         sqlite3_open(path.c_str(), &handle);
         sqlite3_exec(handle, "PRAGMA user_version = 9999", nullptr, nullptr, nullptr);
         sqlite3_close(handle);
     },
     "schema version 9999"},
    {"half of it", [](const std::string& path) { fs::resize_file(path, fs::file_size(path) / 8192 * 4096); }, "directory.db: "},
};

} // namespace

TEST(ReplacedDatabase, whatIsNoGoodDatabaseIsNotTaken)
{
    enum class Way { moved_over, written_over };
    for (const Way way : {Way::moved_over, Way::written_over})
        for (const Bad& row : bad) {
            Copy copy;
            fs::copy_file(copy.directory.path, aside, fs::copy_options::overwrite_existing);
            row.make(aside);
            base::log::set_level(base::log::Level::info);
            const LogCapture log;
            if (way == Way::moved_over)
                fs::rename(aside, t.path);
            else
                fs::copy_file(aside, t.path, fs::copy_options::overwrite_existing);
            for (int i = 0; i < 3; ++i)
                CHECK_FALSE_TEXT(running->watch.changed(), row.what);
            LONGS_EQUAL_TEXT(1, log.count("error directory result=\"cannot be read\""), row.what);
            LONGS_EQUAL_TEXT(1, log.count(row.reason), log.text().c_str());
            LONGS_EQUAL_TEXT(1, log.count(way == Way::moved_over ? "the file was replaced: " : "the file has changed: "), row.what);
            CHECK_FALSE_TEXT(running->watch.usable(), row.what);
            CHECK_FALSE_TEXT(kept("EX1:6001"), row.what);
            CHECK_TRUE_TEXT(running->judge.decide("EX1:6001").kind == Kind::failed, row.what);
            CHECK_TRUE_TEXT(running->valid_ports.get()->match("EX1", 6001).has_value(), row.what);

            fs::rename(copy.directory.path, t.path);
            CHECK_TRUE_TEXT(running->watch.changed(), row.what); // the list is not taken over, for the next row
            LONGS_EQUAL_TEXT(1, log.count("can be read again"), row.what);
            CHECK_TRUE_TEXT(running->watch.usable(), row.what);
            CHECK_TRUE_TEXT(knows("zoe"), row.what);
        }
}

// Who asks at that very time waits, and then asks the new one.
TEST(ReplacedDatabase, nobodyFailsWhileItIsReplaced)
{
    MemoryLeakWarningPlugin::turnOnThreadSafeNewDeleteOverloads();
    std::atomic<bool> over = false;
    std::atomic<int> asked = 0, failed = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i)
        threads.emplace_back([&] {
            for (; !over; ++asked)
                if (running->judge.decide("EX1:6001").kind == Kind::failed)
                    ++failed;
        });
    int missed = 0;
    for (int i = 0; i < 20; ++i) {
        Copy copy;
        fs::rename(copy.directory.path, t.path);
        if (!running->watch.changed() || !running->watch.usable())
            ++missed;
        for (const int until = asked + 20; asked < until;)
            std::this_thread::yield();
    }
    over = true;
    for (std::thread& thread : threads)
        thread.join();
    MemoryLeakWarningPlugin::turnOnDefaultNotThreadSafeNewDeleteOverloads();
    LONGS_EQUAL(0, missed);
    LONGS_EQUAL(0, failed);
}
