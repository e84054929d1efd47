#include "two_servers.h"

#include "directory/directory.h"
#include "unit/base/log_capture.h"

#include <CppUTest/TestHarness.h>

using directory::Decision;
using directory::Directory;
using directory::Rebuild;
using Kind = directory::Decision::Kind;

TEST_GROUP(ValidPortsInForce)
{
    TwoServers t;
};

TEST(ValidPortsInForce, operatorEntriesAreTakenOverAndSurvive)
{
    Directory directory(t.path);
    CHECK(directory.judge.decide("gc1:6004").kind == Kind::denied);
    t.allow("gc1:6004");
    CHECK(directory.watch.changed() && directory.valid_ports.refresh().empty());
    CHECK(directory.judge.decide("gc1:6004").allowed());
    t.add_server("EX3", "ex3.test");
    CHECK(directory.valid_ports.rebuild().kind == Rebuild::Kind::changed);
    CHECK(directory.judge.decide("gc1:6004").allowed());
    CHECK(t.ports().remove(directory::parse_port_list("GC1:6004").entries.at(0)).ok());
    STRCMP_EQUAL("", directory.valid_ports.refresh().c_str());
    CHECK(directory.judge.decide("gc1:6004").kind == Kind::denied);
}

TEST(ValidPortsInForce, rebuild)
{
    Directory directory(t.path);
    STRCMP_EQUAL("EX1:6001-6002;EX1:6004;ex1.test:6001-6002;ex1.test:6004;EX2:6001-6002;EX2:6004;ex2.test:6001-6002;ex2.test:6004",
                 directory.valid_ports.get()->text(directory::Origin::generated).c_str());
    CHECK(directory.valid_ports.rebuild().kind == Rebuild::Kind::unchanged);
    CHECK_FALSE(directory.watch.changed());
    CHECK(t.sql("UPDATE valid_ports_generated SET time = '2001-01-01T00:00:00Z'"));
    CHECK(t.sql("UPDATE valid_ports_generated SET entry = 'edited:1' WHERE entry = 'EX2:6004'"));
    const Rebuild rebuild = directory.valid_ports.rebuild();
    CHECK(rebuild.kind == Rebuild::Kind::changed);
    STRCMP_CONTAINS("edited:1", rebuild.old_text.c_str());
    STRCMP_CONTAINS("EX2:6004", rebuild.new_text.c_str());
    for (const auto& stored : t.ports().generated())
        CHECK_EQUAL_TEXT(stored.entry.text() == "EX2:6004", stored.time != "2001-01-01T00:00:00Z", stored.entry.text().c_str());
}

TEST(ValidPortsInForce, aDryRunStoresNothing)
{
    t.add_server("EX3", "ex3.test");
    const auto before = t.database->data_version();
    const Rebuild rebuild = directory::rebuild_generated(t.path, true);
    CHECK(rebuild.kind == Rebuild::Kind::changed);
    STRCMP_CONTAINS("EX3:6001-6002", rebuild.new_text.c_str());
    CHECK_EQUAL(before, t.database->data_version());
}

TEST(ValidPortsInForce, aFailureKeepsTheLastGoodList)
{
    Directory directory(t.path);
    CHECK(t.sql("INSERT INTO valid_ports_operator (entry, added_by) VALUES ('a*b:1', 'x')"));
    STRCMP_CONTAINS("a*b:1", directory.valid_ports.refresh().c_str());
    CHECK(directory.judge.decide("EX1:6001").allowed());
    CHECK(t.sql("ALTER TABLE servers RENAME TO gone"));
    CHECK(directory.valid_ports.rebuild().kind == Rebuild::Kind::failed);
    CHECK(directory.valid_ports.get()->match("EX1", 6001).has_value());
    const Decision decision = directory.judge.decide("EX1:6001");
    CHECK(decision.kind == Kind::failed && decision.route == directory::Route{});
}

TEST(ValidPortsInForce, anUnreadableListDoesNotStart)
{
    CHECK(t.sql("INSERT INTO valid_ports_operator (entry, added_by) VALUES ('a*b:1', 'x')"));
    CHECK_THROWS(directory::DatabaseError, Directory(t.path));
}

// Each change of the list is told with what was there before; where nothing changes, nothing is.
TEST(ValidPortsInForce, changesAreToldAndNothingElse)
{
    base::log::set_level(base::log::Level::info);
    Directory directory(t.path);
    LogCapture log;
    STRCMP_EQUAL("", directory.valid_ports.refresh().c_str());
    CHECK(directory.valid_ports.rebuild().kind == Rebuild::Kind::unchanged);
    STRCMP_EQUAL("", log.text().c_str());
    t.allow("gc1:6004");
    STRCMP_EQUAL("", directory.valid_ports.refresh().c_str());
    LONGS_EQUAL(1, log.count("valid-ports"));
    LONGS_EQUAL(1, log.count("list=operator old=dc1:6004;cas1.test:593;[2001:db8::9]:6001 "
                             "new=dc1:6004;cas1.test:593;[2001:db8::9]:6001;gc1:6004"));
    t.add_server("EX3", "ex3.test");
    CHECK(directory.valid_ports.rebuild().kind == Rebuild::Kind::changed);
    LONGS_EQUAL(2, log.count("valid-ports"));
    LONGS_EQUAL(1, log.count("EX3:6004"));
}
