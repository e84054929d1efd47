#include "access/authenticator.h"

#include "access/password.h"
#include "base/base64.h"
#include "unit/access/fake_accounts.h"
#include "unit/access/hashed.h"

#include <CppUTest/TestHarness.h>

using auth::Outcome;
using Kind = auth::Outcome::Kind;

namespace {

std::string basic(std::string_view text)
{
    return "Basic " + base::base64_encode({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

// A scheme of two legs that logs in the connection, as NTLM does.
struct TwoLegs : auth::SchemeState {
    bool first = true;
    std::optional<auth::Attempt> glance(std::string_view) override { return std::nullopt; }
    auth::Attempt look_up(std::string_view token) override
    {
        if (std::exchange(first, false))
            return {auth::Attempt::Kind::continues, "Y2hhbGxlbmdl"};
        if (token == "good")
            return {auth::Attempt::Kind::accepted, "alice"};
        return {auth::Attempt::Kind::refused, "bad token"};
    }
};

const auth::Scheme two_legs = {
    "TwoLegs", true, [](const auth::Policy&, const auth::Channel&) { return true; },
    [](const auth::Policy&) { return std::string(); },
    [](const auth::Backends&, const auth::Channel&) -> std::unique_ptr<auth::SchemeState> { return std::make_unique<TwoLegs>(); },
};

} // namespace

TEST_GROUP(authenticator)
{
    FakeAccounts accounts;
    auth::Policy policy{{&auth::basic_scheme}, false, "Mail \x7e"};
    auth::Cache cache;
    auth::PasswordChecks passwords{0, 1};
    auth::Authenticator auth{{policy, accounts, cache, passwords}, {true}};

    void setup() override
    {
        static const char hash[] = "$y$j75$i/EFgo2mJX7kvOSZl2VdH/$aYvdAbdh0IvxKn6KqLk5Ei/mSbttvunklztDDPfWqoB"; // of "secret", cheap
        add("", "alice", "alice", hash);
        add("corp", "alice", "alice", hash);
        add("", "bob", "bob", hash);
    }
    void add(const char* domain, const char* name, const char* canonical, const char* hash)
    {
        accounts.rows[{domain, name}] = {canonical, true, hash, 1};
    }
    Outcome full(const std::string& header)
    {
        auto outcome = auth.quick(header);
        return outcome ? *outcome : asked(auth, header);
    }
    static Outcome asked(auth::Authenticator& whom, const std::string& header)
    {
        const Outcome first = whom.look_up(header);
        const Outcome outcome = first.check ? hashed(whom, first) : first;
        return outcome.kind == Kind::again ? whom.look_up(header) : outcome;
    }
};

TEST(authenticator, no_header_is_challenged)
{
    const auto outcome = auth.quick(std::nullopt);
    CHECK(outcome->kind == Kind::challenge);
    LONGS_EQUAL(1, outcome->www_authenticate.size());
    STRCMP_EQUAL("Basic realm=\"Mail ~\", charset=\"UTF-8\"", outcome->www_authenticate[0].c_str());
}

TEST(authenticator, right_password)
{
    for (const char* login : {"alice:secret", "ALICE:secret", "CORP\\alice:secret", "alice@corp:secret"}) {
        cache.forget({"", "alice"});
        const auto outcome = full(basic(login));
        CHECK_TEXT(outcome.kind == Kind::authenticated, login);
        STRCMP_EQUAL("alice", outcome.who->canonical.c_str());
        STRCMP_EQUAL("Basic", outcome.who->scheme.c_str());
        CHECK(outcome.www_authenticate.empty());
    }
}

TEST(authenticator, scheme_name_without_case_and_blanks)
{
    std::string header = basic("alice:secret");
    CHECK(full("bAsIc   " + header.substr(6) + " ").kind == Kind::authenticated);
    CHECK(full("Basic").kind == Kind::denied);
    CHECK(full("Basic " + header).kind == Kind::denied);
}

TEST(authenticator, every_refusal_looks_the_same)
{
    accounts.rows[{"", "carol"}] = {"carol", false, accounts.rows.at({"", "alice"}).pw_crypt, 1};
    accounts.rows[{"", "dave"}] = {"dave", true, "!", 1};
    const struct {
        std::string header;
        const char* reason;
    } rows[] = {
        {basic("alice:wrong"), "wrong password: alice"},
        {basic("nobody:secret"), "unknown user: nobody"},
        {basic("OTHER\\alice:secret"), "unknown user, or a domain that neither default_domain nor a login of the account names: other\\alice"},
        {basic("carol:secret"), "account disabled: carol"},
        {basic("dave:secret"), "account without a usable password: dave"},
        {basic("alice"), "malformed Basic credentials"},
        {"Basic !", "Basic credentials that are not base64"},
        {"NTLM TlRMTVNTUAAB", "scheme not offered"},
        {"", "scheme not offered"},
    };
    const auto challenge = auth.quick(std::nullopt);
    for (const auto& row : rows) {
        const auto outcome = full(row.header);
        CHECK_TEXT(outcome.kind == Kind::denied, row.reason);
        STRCMP_EQUAL(row.reason, outcome.reason.c_str());
        CHECK(outcome.www_authenticate == challenge->www_authenticate);
        CHECK_FALSE(outcome.who.has_value());
    }
}

TEST(authenticator, malformed_is_refused_without_a_look_up)
{
    CHECK(auth.quick("Basic ????")->kind == Kind::denied);
    CHECK(auth.quick("Digest x")->kind == Kind::denied);
    LONGS_EQUAL(0, accounts.asked);
}

TEST(authenticator, basic_is_per_request)
{
    CHECK(full(basic("alice:secret")).kind == Kind::authenticated);
    CHECK(auth.quick(std::nullopt)->kind == Kind::challenge);
}

TEST(authenticator, second_request_comes_from_the_cache)
{
    full(basic("alice:secret"));
    accounts.asked = 0;
    auth::Authenticator other({policy, accounts, cache, passwords}, {true});
    CHECK(other.quick(basic("alice:secret"))->kind == Kind::authenticated);
    LONGS_EQUAL(0, accounts.asked);
    CHECK_FALSE(other.quick(basic("alice:wrong")).has_value());
}

TEST(authenticator, a_failure_is_not_cached)
{
    full(basic("alice:wrong"));
    LONGS_EQUAL(0, cache.size());
}

TEST(authenticator, disabled_account_leaves_the_cache)
{
    full(basic("alice:secret"));
    accounts.rows.at({"", "alice"}).enabled = false;
    CHECK(asked(auth, basic("alice:wrong")).kind == Kind::denied);
    CHECK_FALSE(auth.quick(basic("alice:secret")).has_value());
}

TEST(authenticator, another_principal_on_the_same_connection)
{
    CHECK(full(basic("alice:secret")).kind == Kind::authenticated);
    const auto outcome = full(basic("bob:secret"));
    CHECK(outcome.kind == Kind::denied);
    STRCMP_EQUAL("another principal on an authenticated connection", outcome.reason.c_str());
    CHECK(full(basic("corp\\alice:secret")).kind == Kind::authenticated);
}

TEST(authenticator, basic_only_over_tls)
{
    auth::Authenticator plain({policy, accounts, cache, passwords}, {false});
    CHECK(plain.quick(std::nullopt)->www_authenticate.empty());
    const auto outcome = plain.quick(basic("alice:secret"));
    CHECK(outcome->kind == Kind::denied);
    CHECK(asked(plain, basic("alice:secret")).kind == Kind::denied);
    LONGS_EQUAL(0, accounts.asked);
}

TEST(authenticator, basic_without_tls_when_allowed)
{
    policy.basic_without_tls = true;
    auth::Authenticator plain({policy, accounts, cache, passwords}, {false});
    LONGS_EQUAL(1, plain.quick(std::nullopt)->www_authenticate.size());
    CHECK(asked(plain, basic("alice:secret")).kind == Kind::authenticated);
}

TEST(authenticator, busy_is_not_a_refusal)
{
    accounts.broken = true;
    const auto outcome = asked(auth, basic("alice:secret"));
    CHECK(outcome.kind == Kind::too_busy);
    STRCMP_EQUAL("accounts cannot be read: disk on fire", outcome.reason.c_str());
}

TEST(authenticator, who_was_checked_meanwhile_needs_no_hash)
{
    auth::Authenticator other({policy, accounts, cache, passwords}, {true});
    const Outcome first = other.look_up(basic("alice:secret"));
    CHECK(first.kind == Kind::check);
    CHECK(full(basic("alice:secret")).kind == Kind::authenticated);
    auth::Authenticator late({policy, accounts, cache, passwords}, {true});
    CHECK(late.look_up(basic("alice:secret")).kind == Kind::authenticated);
    CHECK(hashed(other, first).kind == Kind::again);
    CHECK(other.look_up(basic("alice:secret")).kind == Kind::authenticated);
}

TEST(authenticator, a_change_of_anything_costs_a_look_up_and_no_hash)
{
    full(basic("alice:secret"));
    ++accounts.changes;
    CHECK_FALSE(auth.quick(basic("alice:secret")).has_value());
    CHECK(auth.look_up(basic("alice:secret")).kind == Kind::authenticated);
    CHECK(auth.quick(basic("alice:secret"))->kind == Kind::authenticated);
    ++accounts.changes;
    CHECK(auth.look_up(basic("alice:wrong")).kind == Kind::check);
}

// What was right of the password that was checked says nothing of another one.
TEST(authenticator, another_password_needs_another_hash)
{
    CHECK(hashed(auth, auth.look_up(basic("alice:secret"))).kind == Kind::again);
    CHECK(auth.look_up(basic("alice:wrong")).kind == Kind::check);
    CHECK(auth.look_up(basic("alice:secret")).kind == Kind::check);
    CHECK(hashed(auth, auth.look_up(basic("alice:secret"))).kind == Kind::again);
    CHECK(auth.look_up(basic("bob:secret")).kind == Kind::check);
}

// The answer that a hash gives for a nobody counts for nothing, even if it is the right one for somebody.
TEST(authenticator, a_hash_of_another_lets_nobody_in)
{
    accounts.hashes = {accounts.rows.at({"", "alice"}).pw_crypt};
    accounts.rows[{"", "dave"}] = {"dave", true, "!", 1};
    accounts.rows[{"", "carol"}] = {"carol", false, accounts.hashes[0], 1};
    for (const char* login : {"nobody:secret", "dave:secret", "carol:secret"}) {
        CHECK_TEXT(full(basic(login)).kind == Kind::denied, login);
        LONGS_EQUAL(0, cache.size());
    }
}

// Where accounts have hashes of several costs, so have those who do not exist: as many of each, always the same one.
TEST(authenticator, the_cost_of_a_hash_tells_nothing)
{
    const std::string cheap = accounts.rows.at({"", "alice"}).pw_crypt;
    const std::string dear = auth::dummy_hash();
    STRCMP_EQUAL(dear.c_str(), password_check(auth.look_up(basic("nobody:secret"))).against.c_str());
    accounts.hashes = {cheap, dear, dear, dear};
    int cheaper = 0;
    for (int i = 0; i < 400; ++i) {
        const std::string header = basic("nobody" + std::to_string(i) + ":secret");
        const std::string hash = password_check(auth.look_up(header)).against;
        CHECK(hash == cheap || hash == dear);
        cheaper += hash == cheap;
        auth::Authenticator another({policy, accounts, cache, passwords}, {true});
        STRCMP_EQUAL(hash.c_str(), password_check(another.look_up(header)).against.c_str());
    }
    CHECK_TEXT(cheaper > 60 && cheaper < 140, std::to_string(cheaper).c_str());
}

TEST(authenticator, schemes_are_offered_in_order)
{
    policy.schemes = {&two_legs, &auth::basic_scheme};
    const auto outcome = auth.quick(std::nullopt);
    LONGS_EQUAL(2, outcome->www_authenticate.size());
    STRCMP_EQUAL("TwoLegs", outcome->www_authenticate[0].c_str());
    STRNCMP_EQUAL("Basic ", outcome->www_authenticate[1].c_str(), 6);
}

TEST(authenticator, a_scheme_of_several_legs_logs_in_the_connection)
{
    policy.schemes = {&two_legs};
    const auto first = full("TwoLegs hello");
    CHECK(first.kind == Kind::challenge);
    STRCMP_EQUAL("TwoLegs Y2hhbGxlbmdl", first.www_authenticate.at(0).c_str());
    CHECK(full("TwoLegs good").kind == Kind::authenticated);
    const auto later = auth.quick(std::nullopt);
    CHECK(later->kind == Kind::authenticated);
    STRCMP_EQUAL("alice", later->who->canonical.c_str());
}

TEST(authenticator, on_a_shared_connection_each_request_proves_itself)
{
    policy.schemes = {&two_legs, &auth::basic_scheme};
    full("TwoLegs hello");
    CHECK(full("TwoLegs good").kind == Kind::authenticated);
    const auto bare = auth.quick(std::nullopt, true);
    CHECK(bare->kind == Kind::challenge);
    LONGS_EQUAL(1, bare->www_authenticate.size());
    const auto denied = auth.quick("TwoLegs hello", true);
    CHECK(denied->kind == Kind::denied);
    STRCMP_EQUAL("scheme not offered on the connection of a front, which users share", denied->reason.c_str());
    for (const char* user : {"alice", "bob", "alice"}) {
        const auto outcome = full(basic(std::string(user) + ":secret"));
        CHECK(outcome.kind == Kind::authenticated);
        STRCMP_EQUAL(user, outcome.who->canonical.c_str());
        CHECK(auth.quick(std::nullopt)->kind == Kind::challenge);
    }
}

TEST(authenticator, a_challenge_is_used_once)
{
    policy.schemes = {&two_legs};
    full("TwoLegs hello");
    CHECK(full("TwoLegs bad").kind == Kind::denied);
    CHECK(full("TwoLegs good").kind == Kind::challenge);
    CHECK(auth.quick(std::nullopt)->kind == Kind::challenge);
}
