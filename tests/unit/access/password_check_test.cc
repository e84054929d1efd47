#include "access/password_check.h"

#include "access/password.h"
#include "unit/base/log_capture.h"

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <vector>

#include <CppUTest/TestHarness.h>

#include <CppUTest/MemoryLeakWarningPlugin.h>

using auth::PasswordCheck;
using auth::PasswordChecks;
using std::chrono::milliseconds;

namespace {

/// Answers in the order in which they come.
struct Answers {
    std::mutex mutex;
    std::condition_variable came;
    std::vector<std::pair<int, std::optional<bool>>> all;

    /// The answer is known by `number`.
    void ask(PasswordChecks& checks, const char* login, const char* password, const std::string& hash, const base::Pending::Ticket& ticket,
             int number)
    {
        const auto check = std::make_shared<PasswordCheck>(checks, auth::Login{"", login}, auth::Secret(password), hash);
        check->begin(ticket, [this, check, number](bool made) {
            const std::lock_guard lock(mutex);
            all.emplace_back(number, made ? check->found.right : std::nullopt);
            came.notify_all();
        });
    }
    void ask(PasswordChecks& checks, const char* login, const char* password, const base::Pending::Ticket& ticket, int number)
    {
        ask(checks, login, password, auth::dummy_hash(), ticket, number);
    }
    bool wait(std::size_t count)
    {
        std::unique_lock lock(mutex);
        return came.wait_for(lock, std::chrono::seconds(10), [&] { return all.size() >= count; });
    }
};

} // namespace

TEST_GROUP(PasswordChecks)
{
    LogCapture log;
    Answers answers;
    base::Pending asker;

    void setup() override { MemoryLeakWarningPlugin::turnOnThreadSafeNewDeleteOverloads(); }
};

TEST(PasswordChecks, rightAndWrong)
{
    PasswordChecks checks(1, 4);
    const std::string hash = auth::hash_password("secret");
    const auto ticket = asker.begin();
    answers.ask(checks, "alice", "secret", hash, ticket, 1);
    answers.ask(checks, "alice", "Secret", hash, ticket, 2);
    CHECK_TRUE(answers.wait(2));
    CHECK(*answers.all[0].second);
    CHECK_FALSE(*answers.all[1].second);
}

// The lane has room for two: what is equal needs none, and is answered together.
TEST(PasswordChecks, equalChecksInFlightCostOneHash)
{
    const std::string hash = auth::hash_password("secret");
    PasswordChecks checks(1, 2);
    const auto ticket = asker.begin();
    answers.ask(checks, "first", "x", ticket, 0); // keeps the thread
    for (int i = 0; i < 20; ++i)
        answers.ask(checks, "alice", "secret", hash, ticket, 1);
    CHECK_TRUE(answers.wait(21));
    for (const auto& [number, equal] : answers.all)
        CHECK(equal.has_value() && *equal == (number == 1));
}

// An answer for a login that nobody has would come at once if another one, for the same hash, were under way.
TEST(PasswordChecks, otherLoginsAndPasswordsAreNotEqual)
{
    PasswordChecks checks(0, 1); // nothing is ever done
    const auto ticket = asker.begin();
    answers.ask(checks, "nobody", "secret", ticket, 0);
    answers.ask(checks, "nobody", "secret", ticket, 1); // equal: waits with the first
    LONGS_EQUAL(0, answers.all.size());
    answers.ask(checks, "nobody2", "secret", ticket, 2);
    answers.ask(checks, "nobody", "secret2", ticket, 3);
    answers.ask(checks, "nobody", "secret", auth::hash_password("x"), ticket, 4);
    LONGS_EQUAL(3, answers.all.size()); // the lane is full for them
    for (const auto& [number, equal] : answers.all)
        CHECK(number >= 2 && !equal.has_value());
}

TEST(PasswordChecks, whoseTurnComesLateIsTold)
{
    PasswordChecks checks(1, 10, milliseconds(0));
    const auto ticket = asker.begin();
    answers.ask(checks, "alice", "secret", ticket, 1);
    CHECK_TRUE(answers.wait(1));
    CHECK_FALSE(answers.all[0].second.has_value());
}

// Nobody computes for those who have gone, and whoever comes later is not told of them.
TEST(PasswordChecks, whatNobodyWantsIsNotBegun)
{
    PasswordChecks checks(1, 10);
    base::Pending gone;
    const auto ticket = asker.begin();
    const auto ticket_of_the_gone = gone.begin();
    answers.ask(checks, "first", "x", ticket, 0);
    answers.ask(checks, "alice", "secret", ticket_of_the_gone, 1);
    gone.cancel();
    answers.ask(checks, "last", "x", ticket, 2);
    CHECK_TRUE(answers.wait(2));
    for (const auto& [number, equal] : answers.all)
        CHECK(number != 1);
    answers.ask(checks, "alice", "secret", ticket, 3);
    CHECK_TRUE(answers.wait(3));
    LONGS_EQUAL(3, answers.all.back().first);
    CHECK(answers.all.back().second.has_value());
}
