#include "fixture.h"

#include "base/log.h"
#include "directory/policy.h"
#include "unit/base/log_capture.h"

#include <atomic>
#include <thread>
#include <vector>

#include <CppUTest/TestHarness.h>

#include <CppUTest/MemoryLeakWarningPlugin.h>

using directory::Decision;
using directory::Policy;
using directory::Rebuild;
using directory::Transport;
using Kind = directory::Decision::Kind;

#define GUID1 "ad44b1e0-e44f-4a16-9396-3a437f594f88"
#define GUID2 "ad44b1e0-e44f-4a16-9396-3a437f594f89"

/// Two mailbox servers, DB1 on both and active on EX1, DB2 without a copy; a client access server.
TEST_GROUP(Policy)
{
    TemporaryDirectory t;

    void setup() override
    {
        base::log::set_level(static_cast<base::log::Level>(-1)); // changes and failures here are meant
        t.add_server("EX1", "ex1.test");
        t.add_server("EX2", "ex2.test");
        t.add_server("CAS1", "cas1.test", directory::Role::cas);
        t.servers().add_endpoint({"EX1", 6001, Transport::ncacn_ip_tcp, "127.0.0.1", 7001, false});
        t.servers().add_endpoint({"EX1", 6002, Transport::https, "", 0, true});
        auto mailboxes = t.mailboxes();
        mailboxes.add_database("DB1");
        mailboxes.add_copy("DB1", "EX1");
        mailboxes.add_copy("DB1", "EX2");
        mailboxes.add_database("DB2");
        mailboxes.add_mailbox({GUID1, "x.test"}, "DB1");
        mailboxes.add_mailbox({GUID2, "x.test"}, "DB2");
        t.allow("dc1:6004");
        t.allow("cas1.test:593");
        t.allow("[2001:db8::9]:6001");
        directory::rebuild_generated(t.path, false);
    }
    void teardown() override { base::log::set_level(base::log::Level::info); }
};

TEST(Policy, decisions)
{
    struct Row { const char* target; Kind kind; const char* rule; const char* route; };
    static constexpr Row rows[] = {
        {"EX1:6001", Kind::allowed, "EX1:6001-6002 (generated)", "ncacn_ip_tcp 127.0.0.1:7001"},
        {"ex1.TEST:6001", Kind::allowed, "ex1.test:6001-6002 (generated)", "ncacn_ip_tcp 127.0.0.1:7001"},
        {"ex1:6002", Kind::no_route, "EX1:6001-6002 (generated)", nullptr},
        {"ex1:6004", Kind::allowed, "EX1:6004 (generated)", "ncacn_http ex1.test:6004"},
        {"ex1:6003", Kind::denied, "default (deny)", nullptr},
        {"ex3:6001", Kind::denied, "default (deny)", nullptr},
        {"cas1:593", Kind::denied, "default (deny)", nullptr},
        {"cas1.test:593", Kind::allowed, "cas1.test:593 (operator)", "ncacn_http cas1.test:593"},
        {"dc1:6004", Kind::allowed, "dc1:6004 (operator)", "ncacn_http dc1:6004"},
        {"[2001:DB8::9]:6001", Kind::allowed, "[2001:db8::9]:6001 (operator)", "ncacn_http [2001:DB8::9]:6001"},
        {"2001:db8::9:6001", Kind::allowed, "[2001:db8::9]:6001 (operator)", "ncacn_http [2001:db8::9]:6001"},
        {GUID1 "@x.test:6001", Kind::allowed, "ex1.test:6001-6002 (generated)", "ncacn_ip_tcp 127.0.0.1:7001"},
        {"AD44B1E0-E44F-4A16-9396-3A437F594F88@X.Test:6004", Kind::allowed, "ex1.test:6004 (generated)", "ncacn_http ex1.test:6004"},
        {GUID1 "@x.test:593", Kind::denied, "default (deny)", nullptr},
        {GUID1 "@y.test:6001", Kind::unknown_mailbox, "mailbox " GUID1 "@y.test", nullptr},
        {"ad44b1e0-e44f-4a16-9396-000000000000@x.test:6001", Kind::unknown_mailbox,
         "mailbox ad44b1e0-e44f-4a16-9396-000000000000@x.test", nullptr},
        {GUID2 "@x.test:6001", Kind::no_route, "mailbox " GUID2 "@x.test", nullptr},
        {"ex1:06001", Kind::malformed, "syntax", nullptr},
        {"' OR 1=1 --:6001", Kind::malformed, "syntax", nullptr},
    };
    Policy policy(t.path);
    for (const Row& row : rows) {
        const Decision decision = policy.decide(row.target);
        STRCMP_EQUAL_TEXT(name(row.kind), name(decision.kind), row.target);
        STRCMP_EQUAL_TEXT(row.rule, decision.rule.c_str(), row.target);
        CHECK_TRUE_TEXT(!decision.reason.empty(), row.target);
        STRCMP_EQUAL_TEXT(row.route ? row.route : "ncacn_http :0", decision.route.text().c_str(), row.target);
        if (row.kind != Kind::malformed)
            STRCMP_EQUAL(row.target, decision.target.text.c_str());
    }
}

TEST(Policy, theRouteFollowsTheActiveCopy)
{
    Policy policy(t.path);
    STRCMP_EQUAL("EX1", policy.decide(GUID1 "@x.test:6001").route.server.c_str());
    CHECK_FALSE(policy.changed());
    CHECK(t.mailboxes().activate("DB1", "EX2").ok());
    CHECK(policy.changed());
    CHECK_FALSE(policy.changed());
    const Decision now = policy.decide(GUID1 "@x.test:6001");
    STRCMP_EQUAL("EX2", now.route.server.c_str());
    STRCMP_EQUAL("ncacn_http ex2.test:6001", now.route.text().c_str());
}

TEST(Policy, aServerOutOfServiceHasNoRoute)
{
    Policy policy(t.path);
    CHECK(t.servers().set_in_service("EX1", false).ok());
    for (const char* target : {"EX1:6001", GUID1 "@x.test:6001"}) {
        CHECK_TRUE_TEXT(policy.decide(target).kind == Kind::no_route, target);
        STRCMP_CONTAINS("out of service", policy.decide(target).reason.c_str());
    }
    CHECK(policy.rebuild().kind == Rebuild::Kind::changed);
    CHECK(policy.decide("EX1:6001").kind == Kind::denied);
    CHECK(policy.decide(GUID1 "@x.test:6001").kind == Kind::no_route);
    CHECK(t.servers().set_in_service("EX1", true).ok());
    CHECK(policy.rebuild().kind == Rebuild::Kind::changed);
    CHECK(policy.decide("EX1:6001").allowed());
}

TEST(Policy, anEntryWithoutItsServerLeadsNowhere)
{
    Policy policy(t.path);
    t.add_server("EX3", "ex3.test");
    CHECK(policy.rebuild().kind == Rebuild::Kind::changed);
    CHECK(t.servers().remove("EX3").ok());
    CHECK(policy.decide("ex3.test:6001").kind == Kind::no_route);
    CHECK(policy.rebuild().kind == Rebuild::Kind::changed);
    CHECK(policy.decide("ex3.test:6001").kind == Kind::denied);
}

TEST(Policy, operatorEntriesAreTakenOverAndSurvive)
{
    Policy policy(t.path);
    CHECK(policy.decide("gc1:6004").kind == Kind::denied);
    t.allow("gc1:6004");
    CHECK(policy.changed() && policy.refresh().empty());
    CHECK(policy.decide("gc1:6004").allowed());
    t.add_server("EX3", "ex3.test");
    CHECK(policy.rebuild().kind == Rebuild::Kind::changed);
    CHECK(policy.decide("gc1:6004").allowed());
    CHECK(t.ports().remove(directory::parse_port_list("GC1:6004").entries.at(0)).ok());
    STRCMP_EQUAL("", policy.refresh().c_str());
    CHECK(policy.decide("gc1:6004").kind == Kind::denied);
}

TEST(Policy, rebuild)
{
    Policy policy(t.path);
    STRCMP_EQUAL("EX1:6001-6002;EX1:6004;ex1.test:6001-6002;ex1.test:6004;EX2:6001-6002;EX2:6004;ex2.test:6001-6002;ex2.test:6004",
                 policy.valid_ports()->text(directory::Origin::generated).c_str());
    CHECK(policy.rebuild().kind == Rebuild::Kind::unchanged);
    CHECK_FALSE(policy.changed());
    CHECK(t.sql("UPDATE valid_ports_generated SET time = '2001-01-01T00:00:00Z'"));
    CHECK(t.sql("UPDATE valid_ports_generated SET entry = 'edited:1' WHERE entry = 'EX2:6004'"));
    const Rebuild rebuild = policy.rebuild();
    CHECK(rebuild.kind == Rebuild::Kind::changed);
    STRCMP_CONTAINS("edited:1", rebuild.old_text.c_str());
    STRCMP_CONTAINS("EX2:6004", rebuild.new_text.c_str());
    for (const auto& stored : t.ports().generated())
        CHECK_EQUAL_TEXT(stored.entry.text() == "EX2:6004", stored.time != "2001-01-01T00:00:00Z", stored.entry.text().c_str());
}

TEST(Policy, aDryRunStoresNothing)
{
    t.add_server("EX3", "ex3.test");
    const auto before = t.database->data_version();
    const Rebuild rebuild = directory::rebuild_generated(t.path, true);
    CHECK(rebuild.kind == Rebuild::Kind::changed);
    STRCMP_CONTAINS("EX3:6001-6002", rebuild.new_text.c_str());
    CHECK_EQUAL(before, t.database->data_version());
}

TEST(Policy, aFailureKeepsTheLastGoodList)
{
    Policy policy(t.path);
    CHECK(t.sql("INSERT INTO valid_ports_operator (entry, added_by) VALUES ('a*b:1', 'x')"));
    STRCMP_CONTAINS("a*b:1", policy.refresh().c_str());
    CHECK(policy.decide("EX1:6001").allowed());
    CHECK(t.sql("ALTER TABLE servers RENAME TO gone"));
    CHECK(policy.rebuild().kind == Rebuild::Kind::failed);
    CHECK(policy.valid_ports()->match("EX1", 6001).has_value());
    const Decision decision = policy.decide("EX1:6001");
    CHECK(decision.kind == Kind::failed && decision.route == directory::Route{});
}

// What was judged before is to be judged again, whatever it is that has changed.
TEST(Policy, itsGenerationGrowsWithEveryChange)
{
    Policy policy(t.path);
    std::uint64_t before = policy.generation();
    CHECK_FALSE(policy.changed());
    LONGS_EQUAL(before, policy.generation());
    t.add_server("EX3", "ex3.test");
    CHECK(policy.changed());
    CHECK(policy.generation() > before);
    before = policy.generation();
    CHECK(policy.rebuild().kind == Rebuild::Kind::changed);
    CHECK(policy.generation() > before);
}

// What the health check of a node asks.
TEST(Policy, itIsUsableWhileItCanBeAsked)
{
    for (const char* table : {"servers", "mailboxes", "copies"}) {
        Policy policy(t.path);
        CHECK(policy.usable());
        const std::string name = table;
        CHECK(t.sql(("PRAGMA legacy_alter_table = ON; ALTER TABLE " + name + " RENAME TO gone").c_str()));
        const LogCapture log;
        base::log::set_level(base::log::Level::error);
        CHECK_TRUE_TEXT(policy.changed(), table);
        CHECK_FALSE_TEXT(policy.usable(), table);
        CHECK_FALSE(policy.changed()); // and it stays so, whoever asks
        LONGS_EQUAL(1, log.count("error directory result=\"cannot be read\"")); // once
        CHECK_FALSE(policy.usable());
        CHECK(t.sql(("ALTER TABLE gone RENAME TO " + name).c_str()));
        CHECK_FALSE(policy.usable());
        CHECK(policy.changed());
        CHECK_TRUE_TEXT(policy.usable(), table);
    }
}

TEST(Policy, aRequestThatCannotBeJudgedSaysThatItIsNot)
{
    Policy policy(t.path);
    CHECK(t.sql("PRAGMA legacy_alter_table = ON; ALTER TABLE servers RENAME TO gone"));
    CHECK(policy.decide("EX1:6001").kind == Kind::failed);
    CHECK_FALSE(policy.usable());
    CHECK(t.sql("ALTER TABLE gone RENAME TO servers"));
    policy.changed();
    CHECK(policy.usable());
    CHECK(policy.decide("EX9:6001").kind == Kind::denied);
    CHECK(policy.usable());
}

TEST(Policy, theLastGoodListIsGoodEnough)
{
    Policy policy(t.path);
    CHECK(t.sql("INSERT INTO valid_ports_operator (entry, added_by) VALUES ('a*b:1', 'x')"));
    CHECK(policy.changed() && !policy.refresh().empty());
    CHECK(policy.usable());
}

TEST(Policy, anUnreadableListDoesNotStart)
{
    CHECK(t.sql("INSERT INTO valid_ports_operator (entry, added_by) VALUES ('a*b:1', 'x')"));
    CHECK_THROWS(directory::DatabaseError, Policy(t.path));
}

TEST(Policy, manyThreadsAsk)
{
    MemoryLeakWarningPlugin::turnOnThreadSafeNewDeleteOverloads();
    Policy policy(t.path);
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 200; ++n)
                if (policy.decide(GUID1 "@x.test:6001").kind != Kind::allowed || policy.decide("ex9:6001").kind != Kind::denied)
                    ++wrong;
        });
    for (int n = 0; n < 20; ++n)
        if (!t.mailboxes().activate("DB1", n % 2 ? "EX1" : "EX2").ok() || !policy.refresh().empty())
            ++wrong;
    for (std::thread& thread : threads)
        thread.join();
    MemoryLeakWarningPlugin::turnOnDefaultNotThreadSafeNewDeleteOverloads();
    LONGS_EQUAL(0, wrong);
}

// Each change of the list is told with what was there before; where nothing changes, nothing is.
TEST(Policy, changesAreToldAndNothingElse)
{
    base::log::set_level(base::log::Level::info);
    Policy policy(t.path);
    LogCapture log;
    STRCMP_EQUAL("", policy.refresh().c_str());
    CHECK(policy.rebuild().kind == Rebuild::Kind::unchanged);
    STRCMP_EQUAL("", log.text().c_str());
    t.allow("gc1:6004");
    STRCMP_EQUAL("", policy.refresh().c_str());
    LONGS_EQUAL(1, log.count("valid-ports"));
    LONGS_EQUAL(1, log.count("list=operator old=dc1:6004;cas1.test:593;[2001:db8::9]:6001 "
                             "new=dc1:6004;cas1.test:593;[2001:db8::9]:6001;gc1:6004"));
    t.add_server("EX3", "ex3.test");
    CHECK(policy.rebuild().kind == Rebuild::Kind::changed);
    LONGS_EQUAL(2, log.count("valid-ports"));
    LONGS_EQUAL(1, log.count("EX3:6004"));
}

// A mailbox's server is allowed under either of its names, and the entry that allows it is named.
TEST(Policy, aMailboxIsAllowedByEitherNameOfItsServer)
{
    t.allow("ex1.test:7001");
    t.allow("EX1:7002");
    t.allow("EX1:7003");
    t.allow("ex1.test:7003");
    Policy policy(t.path);
    struct Row { const char* target; Kind kind; const char* rule; };
    static constexpr Row rows[] = {
        {GUID1 "@x.test:7001", Kind::allowed, "ex1.test:7001 (operator)"},
        {GUID1 "@x.test:7002", Kind::allowed, "EX1:7002 (operator)"},
        {GUID1 "@x.test:7003", Kind::allowed, "ex1.test:7003 (operator)"},
        {GUID1 "@x.test:7004", Kind::denied, "default (deny)"},
    };
    for (const Row& row : rows) {
        const Decision decision = policy.decide(row.target);
        STRCMP_EQUAL_TEXT(name(row.kind), name(decision.kind), row.target);
        STRCMP_EQUAL_TEXT(row.rule, decision.rule.c_str(), row.target);
    }
}
