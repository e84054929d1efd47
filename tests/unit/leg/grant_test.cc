#include "leg/grant.h"

#include <string>
#include <vector>

#include <CppUTest/TestHarness.h>

namespace {

leg::Grant grant_of(const std::string& user, const std::string& host = "ex1.example")
{
    return {{user, "ex1:6001"}, false, {directory::Transport::ncacn_ip_tcp, host, 6001, "EX1"}};
}

} // namespace

TEST_GROUP(Grants) {};

TEST(Grants, equalOnesAreOneRecord)
{
    leg::Grants grants;
    const auto one = grants.share(grant_of("alice"));
    CHECK(grants.share(grant_of("alice")) == one);
    CHECK(*one == grant_of("alice"));
    LONGS_EQUAL(1, grants.size());
}

TEST(Grants, whateverDiffersIsAnother)
{
    leg::Grants grants;
    const auto one = grants.share(grant_of("alice"));
    leg::Grant target = grant_of("alice"), mailbox = grant_of("alice"), server = grant_of("alice");
    target.party.target = "ex2:6001";
    mailbox.mailbox = true;
    server.route.server = "EX2";
    for (const leg::Grant& other : {grant_of("bob"), grant_of("alice", "ex2.example"), target, mailbox, server})
        CHECK(grants.share(other) != one);
    LONGS_EQUAL(6, grants.size());
}

// Or every user who ever came would be remembered.
TEST(Grants, onesThatNobodyUsesAreForgotten)
{
    leg::Grants grants;
    const auto kept = grants.share(grant_of("alice"));
    for (int i = 0; i < 1000; ++i) {
        (void)grants.share(grant_of("user" + std::to_string(i)));
        CHECK(grants.size() <= leg::Grants::least_limit);
    }
    CHECK(grants.share(grant_of("alice")) == kept);
}

TEST(Grants, manyThatAreUsedAreKept)
{
    leg::Grants grants;
    std::vector<leg::Grants::Shared> users;
    for (int i = 0; i < 1000; ++i)
        users.push_back(grants.share(grant_of("user" + std::to_string(i))));
    LONGS_EQUAL(1000, grants.size());
    for (int i = 0; i < 1000; ++i)
        CHECK(grants.share(grant_of("user" + std::to_string(i))) == users[static_cast<std::size_t>(i)]);
}

// Looking for them costs time, so it is not done for every newcomer.
TEST(Grants, forgottenOnesAreLookedForWhenTheirNumberHasDoubled)
{
    leg::Grants grants;
    std::vector<leg::Grants::Shared> users;
    const auto come = [&](const char* who, int number) { return grants.share(grant_of(who + std::to_string(number))); };
    for (int i = 0; i < 100; ++i)
        users.push_back(come("user", i));
    for (int i = 0; i < 28; ++i) // looked for at 64, and so at 128 again
        (void)come("guest", i);
    LONGS_EQUAL(128, grants.size());
    (void)come("guest", 28);
    LONGS_EQUAL(101, grants.size());
    for (int i = 29; i < 128; ++i)
        (void)come("guest", i);
    LONGS_EQUAL(200, grants.size());
    (void)come("guest", 128);
    LONGS_EQUAL(101, grants.size());
}
