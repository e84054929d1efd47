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
