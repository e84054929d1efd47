#include "two_servers.h"

#include "directory/directory.h"

#include <atomic>
#include <thread>
#include <vector>

#include <CppUTest/TestHarness.h>

#include <CppUTest/MemoryLeakWarningPlugin.h>

using directory::Decision;
using directory::Directory;
using directory::Rebuild;
using Kind = directory::Decision::Kind;

TEST_GROUP(Judge)
{
    TwoServers t;
};

TEST(Judge, decisions)
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
    Directory directory(t.path);
    for (const Row& row : rows) {
        const Decision decision = directory.judge.decide(row.target);
        STRCMP_EQUAL_TEXT(name(row.kind), name(decision.kind), row.target);
        STRCMP_EQUAL_TEXT(row.rule, decision.rule.c_str(), row.target);
        CHECK_TRUE_TEXT(!decision.reason.empty(), row.target);
        STRCMP_EQUAL_TEXT(row.route ? row.route : "ncacn_http :0", decision.route.text().c_str(), row.target);
        if (row.kind != Kind::malformed)
            STRCMP_EQUAL(row.target, decision.target.text.c_str());
    }
}

TEST(Judge, theRouteFollowsTheActiveCopy)
{
    Directory directory(t.path);
    STRCMP_EQUAL("EX1", directory.judge.decide(GUID1 "@x.test:6001").route.server.c_str());
    CHECK_FALSE(directory.watch.changed());
    CHECK(t.mailboxes().activate("DB1", "EX2").ok());
    CHECK(directory.watch.changed());
    CHECK_FALSE(directory.watch.changed());
    const Decision now = directory.judge.decide(GUID1 "@x.test:6001");
    STRCMP_EQUAL("EX2", now.route.server.c_str());
    STRCMP_EQUAL("ncacn_http ex2.test:6001", now.route.text().c_str());
}

TEST(Judge, aServerOutOfServiceHasNoRoute)
{
    Directory directory(t.path);
    CHECK(t.servers().set_in_service("EX1", false).ok());
    for (const char* target : {"EX1:6001", GUID1 "@x.test:6001"}) {
        CHECK_TRUE_TEXT(directory.judge.decide(target).kind == Kind::no_route, target);
        STRCMP_CONTAINS("out of service", directory.judge.decide(target).reason.c_str());
    }
    CHECK(directory.valid_ports.rebuild().kind == Rebuild::Kind::changed);
    CHECK(directory.judge.decide("EX1:6001").kind == Kind::denied);
    CHECK(directory.judge.decide(GUID1 "@x.test:6001").kind == Kind::no_route);
    CHECK(t.servers().set_in_service("EX1", true).ok());
    CHECK(directory.valid_ports.rebuild().kind == Rebuild::Kind::changed);
    CHECK(directory.judge.decide("EX1:6001").allowed());
}

TEST(Judge, anEntryWithoutItsServerLeadsNowhere)
{
    Directory directory(t.path);
    t.add_server("EX3", "ex3.test");
    CHECK(directory.valid_ports.rebuild().kind == Rebuild::Kind::changed);
    CHECK(t.servers().remove("EX3").ok());
    CHECK(directory.judge.decide("ex3.test:6001").kind == Kind::no_route);
    CHECK(directory.valid_ports.rebuild().kind == Rebuild::Kind::changed);
    CHECK(directory.judge.decide("ex3.test:6001").kind == Kind::denied);
}

// A mailbox's server is allowed under either of its names, and the entry that allows it is named.
TEST(Judge, aMailboxIsAllowedByEitherNameOfItsServer)
{
    t.allow("ex1.test:7001");
    t.allow("EX1:7002");
    t.allow("EX1:7003");
    t.allow("ex1.test:7003");
    Directory directory(t.path);
    struct Row { const char* target; Kind kind; const char* rule; };
    static constexpr Row rows[] = {
        {GUID1 "@x.test:7001", Kind::allowed, "ex1.test:7001 (operator)"},
        {GUID1 "@x.test:7002", Kind::allowed, "EX1:7002 (operator)"},
        {GUID1 "@x.test:7003", Kind::allowed, "ex1.test:7003 (operator)"},
        {GUID1 "@x.test:7004", Kind::denied, "default (deny)"},
    };
    for (const Row& row : rows) {
        const Decision decision = directory.judge.decide(row.target);
        STRCMP_EQUAL_TEXT(name(row.kind), name(decision.kind), row.target);
        STRCMP_EQUAL_TEXT(row.rule, decision.rule.c_str(), row.target);
    }
}

// What was judged before is to be judged again, whatever it is that has changed.
TEST(Judge, itsGenerationGrowsWithEveryChange)
{
    Directory directory(t.path);
    std::uint64_t before = directory.judge.generation();
    CHECK_FALSE(directory.watch.changed());
    LONGS_EQUAL(before, directory.judge.generation());
    t.add_server("EX3", "ex3.test");
    CHECK(directory.watch.changed());
    CHECK(directory.judge.generation() > before);
    before = directory.judge.generation();
    CHECK(directory.valid_ports.rebuild().kind == Rebuild::Kind::changed);
    CHECK(directory.judge.generation() > before);
}

TEST(Judge, manyThreadsAsk)
{
    MemoryLeakWarningPlugin::turnOnThreadSafeNewDeleteOverloads();
    Directory directory(t.path);
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 200; ++n)
                if (directory.judge.decide(GUID1 "@x.test:6001").kind != Kind::allowed || directory.judge.decide("ex9:6001").kind != Kind::denied)
                    ++wrong;
        });
    for (int n = 0; n < 20; ++n)
        if (!t.mailboxes().activate("DB1", n % 2 ? "EX1" : "EX2").ok() || !directory.valid_ports.refresh().empty())
            ++wrong;
    for (std::thread& thread : threads)
        thread.join();
    MemoryLeakWarningPlugin::turnOnDefaultNotThreadSafeNewDeleteOverloads();
    LONGS_EQUAL(0, wrong);
}
