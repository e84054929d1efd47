#include "daemon/accounts.h"

#include "access/authenticator.h"
#include "access/password.h"
#include "base/base64.h"
#include "unit/access/hashed.h"
#include "unit/directory/fixture.h"

#include <string>
#include <string_view>

#include <CppUTest/TestHarness.h>

using auth::Outcome;
using Kind = auth::Outcome::Kind;

namespace {

constexpr char hash[] = "$y$j75$i/EFgo2mJX7kvOSZl2VdH/$aYvdAbdh0IvxKn6KqLk5Ei/mSbttvunklztDDPfWqoB"; // of "secret", cheap

struct Row {
    const char* what;
    void (*change)(TemporaryDirectory&);
    bool remembered; ///< she comes in without another hash
    bool comes_in;
};

constexpr Row rows[] = {
    {"something else", [](TemporaryDirectory& t) { t.add_server("EX1", "ex1.test"); }, true, true},
    {"disabled", [](TemporaryDirectory& t) { t.accounts().set_enabled("alice", false); }, false, false},
    {"a new password", [](TemporaryDirectory& t) { t.accounts().set_password("alice", auth::dummy_hash(), {}); }, false, false},
    {"the same password anew", [](TemporaryDirectory& t) { t.accounts().set_password("alice", auth::hash_password("secret"), {}); }, false, true},
    {"removed and added anew with the same password",
     [](TemporaryDirectory& t) {
         t.accounts().remove("alice");
         t.accounts().add("alice", {{"corp", "alice"}}, auth::hash_password("secret"));
     },
     false, true},
    {"this login removed", [](TemporaryDirectory& t) { t.accounts().remove_login("alice", {"corp", "alice"}); }, false, false},
    {"another login removed", [](TemporaryDirectory& t) { t.accounts().remove_login("alice", {"", "alice"}); }, true, true},
    {"removed", [](TemporaryDirectory& t) { t.accounts().remove("alice"); }, false, false},
};

} // namespace

TEST_GROUP(DirectoryAccountsOfTheDaemon)
{
    const auth::Policy policy{{&auth::basic_scheme}, true, "test"};
    const std::string header = "Basic " + base::base64_encode(base::bytes_of("CORP\\alice:secret"));

    /// Alice, known to everybody; then `story` is told with a change that is still to come.
    template <class Story> void with_alice(const Row& row, Story story)
    {
        TemporaryDirectory t;
        t.accounts().add("alice", {{"", "alice"}, {"corp", "alice"}}, hash);
        directory::Directory database(t.path);
        rpctunneld::DirectoryAccounts accounts(database);
        auth::Cache cache;
        auth::PasswordChecks passwords(0, 1);
        auth::Authenticator authenticator({policy, accounts, cache, passwords}, {false});
        story(authenticator, [&] {
            row.change(t);
            CHECK(database.watch.changed());
        });
    }
    /// From a look-up to the end. `hashes` counts.
    Outcome told(auth::Authenticator& authenticator, int& hashes)
    {
        Outcome outcome = authenticator.look_up(header);
        while (outcome.kind == Kind::check || outcome.kind == Kind::again) {
            if (outcome.kind == Kind::check)
                ++hashes;
            outcome = outcome.kind == Kind::check ? hashed(authenticator, outcome) : authenticator.look_up(header);
        }
        return outcome;
    }
};

TEST(DirectoryAccountsOfTheDaemon, whoIsRememberedAfterAChange)
{
    for (const Row& row : rows)
        with_alice(row, [&](auth::Authenticator& authenticator, auto change) {
            int hashes = 0;
            CHECK(told(authenticator, hashes).kind == Kind::authenticated);
            CHECK(authenticator.quick(header)->kind == Kind::authenticated);
            LONGS_EQUAL(1, hashes);
            change();
            CHECK_FALSE_TEXT(authenticator.quick(header).has_value(), row.what);
            CHECK_EQUAL_TEXT(row.comes_in, told(authenticator, hashes).kind == Kind::authenticated, row.what);
            LONGS_EQUAL_TEXT(row.remembered ? 1 : 2, hashes, row.what);
            const auto again = authenticator.quick(header);
            CHECK_EQUAL_TEXT(row.comes_in, again && again->kind == Kind::authenticated, row.what);
        });
}

// The hash may have had to wait for seconds.
TEST(DirectoryAccountsOfTheDaemon, whoComesInWhenItChangesDuringTheHash)
{
    for (const Row& row : rows)
        with_alice(row, [&](auth::Authenticator& authenticator, auto change) {
            const Outcome first = authenticator.look_up(header);
            CHECK(first.kind == Kind::check);
            change();
            const Outcome checked = hashed(authenticator, first);
            CHECK_TRUE_TEXT(checked.kind == Kind::again, row.what);
            int hashes = 0;
            CHECK_EQUAL_TEXT(row.comes_in, told(authenticator, hashes).kind == Kind::authenticated, row.what);
            LONGS_EQUAL_TEXT(row.remembered ? 0 : 1, hashes, row.what);
        });
}

TEST_GROUP(logins_of_default_domains) {};

TEST(logins_of_default_domains, which_account)
{
    TemporaryDirectory t;
    t.accounts().add("alice", {{"", "alice"}}, hash, directory::NtHash{1});
    t.accounts().add("bob", {{"corp", "bob"}}, hash, directory::NtHash{2});
    t.accounts().add("carol", {{"", "carol"}}, hash, directory::NtHash{3});
    t.accounts().add("another carol", {{"corp", "carol"}}, hash, directory::NtHash{4});
    t.accounts().add("dave", {{"else", "dave"}}, hash, directory::NtHash{5});
    directory::Directory database(t.path);
    rpctunneld::DirectoryAccounts accounts(database, {"corp", "corp.example", "m\xc3\xbcller"});
    static constexpr struct {
        const char *login, *account;
        std::uint8_t nt_hash;
    } rows[] = {
        {"alice", "alice", 1},
        {"CORP\\alice", "alice", 1},
        {"Alice@Corp.Example", "alice", 1},
        {"M\xc3\x9cLLER\\alice", "alice", 1},
        {".\\alice", "alice", 1},
        {"OTHER\\alice", nullptr, 0},
        {"bob", "bob", 2},
        {"corp.example\\bob", "bob", 2},
        {"carol", "carol", 3},
        {"corp\\carol", "another carol", 4}, // what is exact goes first
        {"corp.example\\carol", "carol", 3},
        {"dave", nullptr, 0},
        {"else\\dave", "dave", 5},
        {"corp\\dave", nullptr, 0},
        {".\\nobody", nullptr, 0},
    };
    for (const auto& row : rows) {
        const auth::Login login = base::Login::parse(row.login).value().folded();
        const auto account = accounts.find(login);
        const auto key = accounts.nt_hash(login);
        STRCMP_EQUAL_TEXT(row.account ? row.account : "", account ? account->canonical.c_str() : "", row.login);
        LONGS_EQUAL_TEXT(row.nt_hash, key ? *key->data() : 0, row.login);
    }
    rpctunneld::DirectoryAccounts plain(database);
    CHECK_FALSE(plain.find({"corp", "alice"}).has_value());
    CHECK_TRUE(plain.find({".", "alice"}).has_value());
}
