#include "access/cache.h"

#include <CppUTest/TestHarness.h>

using namespace std::chrono_literals;

TEST_GROUP(cache)
{
    const auth::Cache::Clock::time_point start{1000s};
    const auth::Login alice{"corp", "alice"};
    const auth::Login bob{"", "bob"};
    auth::Cache cache{2, 60s};

    void store(const auth::Login& login, const char* password, std::chrono::seconds after = 0s, std::int64_t version = 1)
    {
        cache.store(login, password, account(login, version), 1, start + after);
    }
    bool knows(const auth::Login& login, const char* password, std::chrono::seconds after = 0s)
    {
        return cache.find(login, password, 1, start + after).has_value();
    }
    static auth::AccountRecord account(const auth::Login& login, std::int64_t version = 1)
    {
        return {"canonical " + login.name, true, "$y$", version};
    }
};

TEST(cache, remembers_a_success)
{
    store(alice, "secret");
    STRCMP_EQUAL("canonical alice", cache.find(alice, "secret", 1, start)->c_str());
}

TEST(cache, only_this_login_and_password)
{
    store(alice, "secret");
    CHECK_FALSE(knows(alice, "Secret"));
    CHECK_FALSE(knows(alice, ""));
    CHECK_FALSE(knows(bob, "secret"));
    CHECK_FALSE(knows({"", "alice"}, "secret"));
    CHECK_FALSE(knows({"corp", "alice2"}, "secret"));
    CHECK_TEXT(knows(alice, "secret"), "a wrong password must not remove the entry");
}

TEST(cache, ends_after_its_lifetime)
{
    store(alice, "secret");
    CHECK(knows(alice, "secret", 59s));
    CHECK_FALSE(knows(alice, "secret", 60s));
    LONGS_EQUAL(0, cache.size());
}

TEST(cache, a_use_does_not_prolong_it)
{
    store(alice, "secret");
    CHECK(knows(alice, "secret", 50s));
    CHECK_FALSE(knows(alice, "secret", 70s));
}

TEST(cache, a_new_password_replaces_the_old)
{
    store(alice, "old");
    store(alice, "new", 1s, 2);
    CHECK(knows(alice, "new", 2s));
    CHECK_FALSE(knows(alice, "old", 2s));
    LONGS_EQUAL(1, cache.size());
}

TEST(cache, bounded_and_the_oldest_goes)
{
    store(alice, "a");
    store(bob, "b", 1s);
    store({"", "carol"}, "c", 2s);
    LONGS_EQUAL(2, cache.size());
    CHECK_FALSE(knows(alice, "a", 3s));
    CHECK(knows(bob, "b", 3s));
    CHECK(knows({"", "carol"}, "c", 3s));
}

TEST(cache, forget)
{
    store(alice, "a");
    store(bob, "b");
    cache.forget(alice);
    CHECK_FALSE(knows(alice, "a"));
    CHECK(knows(bob, "b"));
}

TEST(cache, what_an_entry_proves_after_a_change)
{
    const struct {
        const char* what;
        const char* password;
        auth::AccountRecord account;
        std::chrono::seconds after;
        bool good;
    } rows[] = {
        {"the same account", "a", account(alice), 1s, true},
        {"another password is given", "b", account(alice), 1s, false},
        {"another password is set", "a", account(alice, 2), 1s, false},
        {"disabled", "a", {"canonical alice", false, "$y$", 1}, 1s, false},
        {"too old", "a", account(alice), 60s, false},
    };
    for (const auto& row : rows) {
        store(alice, "a");
        CHECK_FALSE(cache.find(alice, "a", 2, start + 1s).has_value());
        CHECK_EQUAL_TEXT(row.good, cache.confirm(alice, row.password, row.account, 2, start + row.after), row.what);
        CHECK_EQUAL_TEXT(row.good, cache.find(alice, row.password, 2, start + row.after).has_value(), row.what);
        CHECK_FALSE_TEXT(row.good && cache.find(alice, row.password, 2, start + 60s).has_value(), "it lives no longer for that");
        cache.forget(alice);
    }
    CHECK_FALSE(cache.confirm(alice, "a", account(alice), 2, start));
}

TEST(cache, a_known_login_needs_no_room)
{
    store(alice, "a");
    store(bob, "b", 1s);
    store(bob, "new", 2s, 2);
    CHECK(knows(alice, "a", 3s));
    CHECK(knows(bob, "new", 3s));
    store(alice, "new", 4s, 2);
    LONGS_EQUAL(2, cache.size());
}
