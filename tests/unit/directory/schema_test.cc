#include "fixture.h"

#include "directory/schema.h"

#include <sys/stat.h>
#include <unistd.h>

#include <CppUTest/TestHarness.h>

using directory::Change;
using directory::Database;
using directory::DatabaseError;

TEST_GROUP(Schema)
{
    TemporaryDirectory t;
};

#define INSERT_SERVER "INSERT INTO servers (netbios, fqdn, role) VALUES "
#define INSERT_MAILBOX "INSERT INTO mailboxes (guid, domain, database) VALUES "
#define GUID "ad44b1e0-e44f-4a16-9396-3a437f594f88"

TEST(Schema, nonsenseIsImpossible)
{
    CHECK(t.sql(INSERT_SERVER "('EX1', 'ex1.test', 'mailbox'), ('EX2', 'ex2.test', 'mailbox'), ('CAS', 'cas.test', 'cas')"));
    CHECK(t.sql("INSERT INTO databases (id, name) VALUES (1, 'DB1')"));
    CHECK(t.sql("INSERT INTO copies (database, server, active) VALUES (1, 1, 1), (1, 2, 0)"));
    CHECK(t.sql(INSERT_MAILBOX "('" GUID "', 'x.test', 1)"));
    CHECK(t.sql("INSERT INTO accounts (id, canonical, canonical_folded, pw_crypt, pw_version) VALUES (1, 'bob', 'bob', '$y$x', 1)"));
    CHECK(t.sql("INSERT INTO logins VALUES ('bob', '', 'bob', '', 1)"));
    static constexpr const char* rows[] = {
        INSERT_SERVER "('ex1', 'other.test', 'mailbox')",
        INSERT_SERVER "('EX3', 'EX1.test', 'mailbox')",
        INSERT_SERVER "('EX3', 'ex1', 'mailbox')",
        "UPDATE servers SET fqdn = 'EX2' WHERE netbios = 'EX1'",
        INSERT_SERVER "('EX3', 'ex3.test', 'toaster')",
        INSERT_SERVER "('EX.3', 'ex3.test', 'mailbox')",
        INSERT_SERVER "('EX3', 'ex3;test', 'mailbox')",
        INSERT_SERVER "('', 'ex3.test', 'mailbox')",
        "UPDATE servers SET in_service = 2",
        "UPDATE servers SET role = 'cas' WHERE netbios = 'EX1'",
        "DELETE FROM servers WHERE netbios = 'EX1'",
        "INSERT INTO endpoints VALUES (1, 0, 'https', NULL, NULL)",
        "INSERT INTO endpoints VALUES (1, 65536, 'https', NULL, NULL)",
        "INSERT INTO endpoints VALUES (1, 6001, 'carrier-pigeon', NULL, NULL)",
        "INSERT INTO endpoints VALUES (1, 6001, 'https', 'host', NULL)",
        "INSERT INTO endpoints VALUES (9, 6001, 'https', NULL, NULL)",
        "INSERT INTO endpoints VALUES (1, 'x', 'https', NULL, NULL)",
        "INSERT INTO databases (name) VALUES ('db1')",
        "INSERT INTO copies (database, server) VALUES (1, 3)",
        "INSERT INTO copies (database, server) VALUES (1, 2)",
        "INSERT INTO copies (database, server) VALUES (9, 2)",
        "UPDATE copies SET active = 1",
        "DELETE FROM databases",
        INSERT_MAILBOX "('" GUID "', 'y.test', 1)",
        INSERT_MAILBOX "('AD44B1E0-e44f-4a16-9396-3a437f594f89', 'x.test', 1)",
        INSERT_MAILBOX "('ad44b1e0-e44f-4a16-9396-3a437f594f8x', 'x.test', 1)",
        INSERT_MAILBOX "('00000000-0000-0000-0000-000000000000', 'x.test', 1)",
        INSERT_MAILBOX "('ad44b1e0-e44f-4a16-9396-3a437f594f89', 'X.test', 1)",
        INSERT_MAILBOX "('ad44b1e0-e44f-4a16-9396-3a437f594f89', '', 1)",
        INSERT_MAILBOX "('ad44b1e0-e44f-4a16-9396-3a437f594f89', 'x.test', 9)",
        "INSERT INTO accounts (canonical, canonical_folded, pw_crypt, pw_version) VALUES ('Bob', 'bob', '$y$x', 1)",
        "INSERT INTO accounts (canonical, canonical_folded, pw_crypt, pw_version) VALUES ('eve', 'eve', 'plain', 1)",
        "INSERT INTO logins VALUES ('bob', '', 'Bob', '', 1)",
        "INSERT INTO logins VALUES ('eve', '', 'eve', '', 9)",
        "INSERT INTO ntlm_secret VALUES (1, x'00112233445566778899aabbccddee')",
        "INSERT INTO ntlm_secret VALUES (1, '0123456789abcdef')",
        "INSERT INTO ntlm_secret VALUES (9, x'00112233445566778899aabbccddeeff')",
        "INSERT INTO valid_ports_operator (entry, added_by) VALUES ('a', 'x')",
        "INSERT INTO valid_ports_operator (entry, added_by) VALUES ('a:1;b:2', 'x')",
    };
    for (const char* row : rows)
        CHECK_FALSE_TEXT(t.sql(row), row);
}

TEST(Schema, theDatabaseIsPrivateAndInWalMode)
{
    struct stat file {};
    LONGS_EQUAL(0, ::stat(t.path.c_str(), &file));
    LONGS_EQUAL(0600, file.st_mode & 07777);
    directory::Statement query = t.database->statement("PRAGMA journal_mode");
    CHECK(query.row());
    STRCMP_EQUAL("wal", query.text().c_str());
}

TEST(Schema, openingRefusesWhatIsNoDirectory)
{
    struct Row { const char* sql; const char* expected; };
    static constexpr Row rows[] = {
        {"PRAGMA user_version = 99", "schema version 99"},
        {"PRAGMA application_id = 1", "not a directory of rpctunnel"},
    };
    for (const Row& row : rows) {
        CHECK(t.sql(row.sql));
        for (const auto mode : {Database::Mode::read, Database::Mode::write, Database::Mode::create}) {
            std::string said;
            try {
                Database again(t.path, mode);
            } catch (const DatabaseError& error) {
                said = error.what();
            }
            STRCMP_CONTAINS(row.expected, said.c_str());
        }
        CHECK(t.sql(("PRAGMA user_version = " + std::to_string(directory::schema_version)).c_str()));
    }
}

TEST(Schema, anAbsentDatabaseIsNotMadeByReaders)
{
    const std::string absent = t.folder + "/absent.db";
    CHECK_THROWS(DatabaseError, Database(absent, Database::Mode::write));
    CHECK_FALSE(std::filesystem::exists(absent));
    CHECK_THROWS(DatabaseError, Database(t.folder + "/no/folder.db", Database::Mode::create));
}

// Root's hand and the daemon's user are different people, and the one who forgets sudo is to see it.
TEST(Schema, whoMayNotOpenItIsToldWhoMay)
{
    const uid_t before = ::geteuid();
    LONGS_EQUAL(0, ::chmod(t.folder.c_str(), 0755));
    LONGS_EQUAL(0, before == 0 ? ::seteuid(65534) : ::chmod(t.path.c_str(), 0));
    std::string said;
    try {
        Database again(t.path, Database::Mode::read);
    } catch (const DatabaseError& error) {
        said = error.what();
    }
    LONGS_EQUAL(0, ::seteuid(before));
    STRCMP_CONTAINS("it belongs to ", said.c_str());
    STRCMP_CONTAINS(" may not read it", said.c_str());
}

TEST(Schema, initAgainKeepsWhatIsThere)
{
    t.add_server("EX1", "ex1.test");
    Database again(t.path, Database::Mode::create);
    CHECK(directory::Servers(again).find("ex1").has_value());
    LONGS_EQUAL(2, directory::schema_version);
}

// What version 2 added is taken away again, as version 1 left it.
TEST(Schema, anOlderDatabaseIsBroughtUpToDateByInitAlone)
{
    t.add_server("EX1", "ex1.test");
    CHECK(t.sql("DROP TABLE ntlm_secret"));
    CHECK(t.sql("PRAGMA user_version = 1"));
    for (const auto mode : {Database::Mode::read, Database::Mode::write, Database::Mode::generate}) {
        std::string said;
        try {
            Database again(t.path, mode);
        } catch (const DatabaseError& error) {
            said = error.what();
        }
        STRCMP_CONTAINS("schema version 1, this program needs 2; \"rpctunnelctl init\" brings it up to date", said.c_str());
    }
    Database again(t.path, Database::Mode::create);
    CHECK(directory::Servers(again).find("ex1").has_value());
    CHECK(t.accounts().add("bob", {{"", "bob"}}, "$y$x", directory::NtHash{}).ok());
}

TEST(Schema, aReaderCannotWriteAndTheDaemonOnlyItsList)
{
    Database reader(t.path, Database::Mode::read);
    CHECK_THROWS(DatabaseError, reader.execute("DELETE FROM servers"));
    Database daemon(t.path, Database::Mode::generate);
    daemon.execute("INSERT INTO valid_ports_generated (entry, server) VALUES ('a:1', 'A')");
    daemon.execute("DELETE FROM valid_ports_generated");
    static constexpr const char* rows[] = {
        "DELETE FROM servers", "UPDATE copies SET active = 0", "INSERT INTO valid_ports_operator (entry, added_by) VALUES ('a:1', 'A')",
        "DROP TABLE mailboxes", "CREATE TABLE x (y)", "PRAGMA user_version = 7", "ATTACH ':memory:' AS other",
        "UPDATE valid_ports_generated SET entry = 'b:1'", "DELETE FROM accounts",
    };
    for (const char* row : rows) {
        bool refused = false;
        try {
            daemon.execute(row);
        } catch (const DatabaseError&) {
            refused = true;
        }
        CHECK_TRUE_TEXT(refused, row);
    }
}

TEST(Schema, aTransactionThatIsNotCommittedLeavesNothing)
{
    {
        directory::Transaction transaction(*t.database);
        CHECK(t.sql(INSERT_SERVER "('EX1', 'ex1.test', 'mailbox')"));
    }
    CHECK(t.servers().list().empty());
}
