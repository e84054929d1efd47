#include "fixture.h"

#include <CppUTest/TestHarness.h>

using directory::Change;
using directory::Endpoint;
using directory::Transport;
using Kind = directory::Change::Kind;

static const directory::MailboxName mailbox{"ad44b1e0-e44f-4a16-9396-3a437f594f88", "x.test"};

TEST_GROUP(Stores)
{
    TemporaryDirectory t;

    void setup() override
    {
        t.add_server("EX1", "ex1.test");
        t.add_server("EX2", "ex2.test");
        t.add_server("CAS1", "cas1.test", directory::Role::cas);
    }
    static void equal(Kind expected, const Change& change)
    {
        CHECK_TRUE_TEXT(expected == change.kind, change.reason.c_str());
        CHECK_EQUAL(expected != Kind::done, !change.reason.empty());
    }
};

TEST(Stores, serversHaveDistinctNames)
{
    auto servers = t.servers();
    equal(Kind::exists, servers.add({"ex1", "new.test", directory::Role::mailbox, "", "", true}));
    equal(Kind::exists, servers.add({"NEW", "EX1", directory::Role::mailbox, "", "", true}));
    equal(Kind::refused, servers.add({"a.b", "new.test", directory::Role::mailbox, "", "", true}));
    equal(Kind::refused, servers.add({"NEW", "new test", directory::Role::mailbox, "", "", true}));
    STRCMP_EQUAL("EX1", servers.find("EX1.TEST")->netbios.c_str());
    LONGS_EQUAL(3, servers.list().size());
}

TEST(Stores, serversComeAndGo)
{
    auto servers = t.servers();
    equal(Kind::done, servers.set_in_service("ex1.test", false));
    CHECK_FALSE(servers.find("ex1")->in_service);
    equal(Kind::done, servers.remove("CAS1"));
    equal(Kind::missing, servers.remove("CAS1"));
    equal(Kind::missing, servers.set_in_service("CAS1", true));
}

TEST(Stores, endpointsDefaultToTheFqdn)
{
    auto servers = t.servers();
    equal(Kind::done, servers.add_endpoint({"ex1.test", 6001, Transport::ncacn_http, "", 0, true}));
    equal(Kind::done, servers.add_endpoint({"EX1", 6004, Transport::ncacn_ip_tcp, "::1", 7004, false}));
    equal(Kind::exists, servers.add_endpoint({"EX1", 6001, Transport::https, "", 0, true}));
    equal(Kind::missing, servers.add_endpoint({"NOBODY", 6001, Transport::https, "", 0, true}));
    equal(Kind::refused, servers.add_endpoint({"EX2", 6001, Transport::https, "bad host", 1, false}));
    const auto endpoints = servers.endpoints("ex1");
    LONGS_EQUAL(2, endpoints.size());
    STRCMP_EQUAL("ex1.test", endpoints[0].connect_host.c_str());
    LONGS_EQUAL(6001, endpoints[0].connect_port);
    STRCMP_EQUAL("::1", endpoints[1].connect_host.c_str());
    CHECK(endpoints[1].transport == Transport::ncacn_ip_tcp && !endpoints[1].default_connect);
    equal(Kind::done, servers.remove_endpoint("EX1", 6004));
    equal(Kind::missing, servers.remove_endpoint("EX1", 6004));
    equal(Kind::missing, servers.remove_endpoint("NOBODY", 6004));
    LONGS_EQUAL(1, servers.endpoints().size());
}

TEST(Stores, copies)
{
    auto mailboxes = t.mailboxes();
    equal(Kind::done, mailboxes.add_database("DB1"));
    equal(Kind::exists, mailboxes.add_database("db1"));
    equal(Kind::refused, mailboxes.add_database(""));
    equal(Kind::missing, mailboxes.activate("DB1", "EX1"));
    equal(Kind::done, mailboxes.add_copy("DB1", "EX1"));
    equal(Kind::done, mailboxes.add_copy("DB1", "ex2.test"));
    equal(Kind::exists, mailboxes.add_copy("DB1", "EX2"));
    equal(Kind::refused, mailboxes.add_copy("DB1", "CAS1"));
    equal(Kind::missing, mailboxes.add_copy("DB1", "NOBODY"));
    equal(Kind::missing, mailboxes.add_copy("DB2", "EX1"));
    STRCMP_EQUAL("EX1", mailboxes.databases().at(0).active_server.c_str());
    equal(Kind::refused, mailboxes.remove_copy("DB1", "EX1"));
    equal(Kind::done, mailboxes.activate("DB1", "EX2"));
    equal(Kind::done, mailboxes.activate("DB1", "EX2"));
    STRCMP_EQUAL("EX2", mailboxes.databases().at(0).active_server.c_str());
    LONGS_EQUAL(2, mailboxes.copies("DB1").size());
    equal(Kind::refused, t.servers().remove("EX1"));
    equal(Kind::done, mailboxes.remove_copy("DB1", "EX1"));
    equal(Kind::done, mailboxes.remove_copy("DB1", "EX2"));
    equal(Kind::missing, mailboxes.remove_copy("DB1", "EX2"));
    equal(Kind::missing, mailboxes.activate("DB9", "EX2"));
}

TEST(Stores, mailboxes)
{
    auto mailboxes = t.mailboxes();
    equal(Kind::missing, mailboxes.add_mailbox(mailbox, "DB1"));
    equal(Kind::done, mailboxes.add_database("DB1"));
    equal(Kind::done, mailboxes.add_mailbox(mailbox, "db1"));
    equal(Kind::exists, mailboxes.add_mailbox({mailbox.guid, "y.test"}, "DB1"));
    LONGS_EQUAL(1, mailboxes.mailboxes().size());
    LONGS_EQUAL(0, mailboxes.mailboxes("DB2").size());
    equal(Kind::refused, mailboxes.remove_database("DB1"));
    equal(Kind::missing, mailboxes.remove_mailbox({mailbox.guid, "y.test"}));
    equal(Kind::done, mailboxes.remove_mailbox(mailbox));
    equal(Kind::done, mailboxes.remove_database("DB1"));
    equal(Kind::missing, mailboxes.remove_database("DB1"));
}

TEST(Stores, aChangeOfOneConnectionIsSeenByAnother)
{
    directory::Database other(t.path, directory::Database::Mode::write);
    const auto before = other.data_version();
    CHECK_EQUAL(before, other.data_version());
    directory::Servers(other).list();
    equal(Kind::done, t.servers().set_in_service("EX1", false));
    CHECK(before != other.data_version());
    CHECK_FALSE(directory::Servers(other).find("EX1")->in_service);
    // And back: nothing holds an old snapshot open.
    CHECK(directory::Servers(other).remove("CAS1").ok());
    LONGS_EQUAL(2, t.servers().list().size());
}
