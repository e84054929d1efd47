#include "two_servers.h"

#include "directory/directory.h"
#include "unit/base/log_capture.h"

#include <CppUTest/TestHarness.h>

using directory::Directory;
using Kind = directory::Decision::Kind;

TEST_GROUP(DirectoryWatch)
{
    TwoServers t;
};

// What the health check of a node asks.
TEST(DirectoryWatch, itIsUsableWhileItCanBeAsked)
{
    for (const char* table : {"servers", "mailboxes", "copies"}) {
        Directory directory(t.path);
        CHECK(directory.watch.usable());
        const std::string name = table;
        CHECK(t.sql(("PRAGMA legacy_alter_table = ON; ALTER TABLE " + name + " RENAME TO gone").c_str()));
        const LogCapture log;
        base::log::set_level(base::log::Level::error);
        CHECK_TRUE_TEXT(directory.watch.changed(), table);
        CHECK_FALSE_TEXT(directory.watch.usable(), table);
        CHECK_FALSE(directory.watch.changed()); // and it stays so, whoever asks
        LONGS_EQUAL(1, log.count("error directory result=\"cannot be read\"")); // once
        CHECK_FALSE(directory.watch.usable());
        CHECK(t.sql(("ALTER TABLE gone RENAME TO " + name).c_str()));
        CHECK_FALSE(directory.watch.usable());
        CHECK(directory.watch.changed());
        CHECK_TRUE_TEXT(directory.watch.usable(), table);
    }
}

TEST(DirectoryWatch, aRequestThatCannotBeJudgedSaysThatItIsNot)
{
    Directory directory(t.path);
    CHECK(t.sql("PRAGMA legacy_alter_table = ON; ALTER TABLE servers RENAME TO gone"));
    CHECK(directory.judge.decide("EX1:6001").kind == Kind::failed);
    CHECK_FALSE(directory.watch.usable());
    CHECK(t.sql("ALTER TABLE gone RENAME TO servers"));
    directory.watch.changed();
    CHECK(directory.watch.usable());
    CHECK(directory.judge.decide("EX9:6001").kind == Kind::denied);
    CHECK(directory.watch.usable());
}

TEST(DirectoryWatch, theLastGoodListIsGoodEnough)
{
    Directory directory(t.path);
    CHECK(t.sql("INSERT INTO valid_ports_operator (entry, added_by) VALUES ('a*b:1', 'x')"));
    CHECK(directory.watch.changed() && !directory.valid_ports.refresh().empty());
    CHECK(directory.watch.usable());
}
