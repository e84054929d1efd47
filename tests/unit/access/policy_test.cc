#include "access/policy.h"

#include <CppUTest/TestHarness.h>

using namespace std::string_view_literals;

TEST_GROUP(realm) {};

// It stands in quotes in a header of every 401.
TEST(realm, printable_and_needs_no_escape)
{
    for (const std::string_view text : {"a"sv, " "sv, "RPC Proxy"sv, "~!#[]^_`{}|"sv})
        CHECK_TRUE(auth::valid_realm(text));
    for (const std::string_view text : {""sv, "a\"b"sv, "a\\b"sv, "\x1f"sv, "\n"sv, "\0"sv, "\x7f"sv, "\x80"sv, "caf\xc3\xa9"sv})
        CHECK_FALSE(auth::valid_realm(text));
}
