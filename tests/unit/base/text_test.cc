#include "base/base64.h"
#include "base/log.h"
#include "base/text.h"

#include <CppUTest/TestHarness.h>

TEST_GROUP(Text) {};

TEST(Text, decimalIsStrict)
{
    struct Row { const char* text; std::uint64_t max; long long expected; };
    static constexpr Row rows[] = {
        {"0", 10, 0}, {"10", 10, 10}, {"11", 10, -1}, {"007", 10, 7}, {"", 10, -1}, {" 1", 10, -1}, {"+1", 10, -1},
        {"1x", 10, -1}, {"99999999999999999999", ~0ull, -1}, {"4", 3, -1}, {"65535", 65535, 65535}, {"65536", 65535, -1},
    };
    for (const Row& row : rows) {
        const auto value = base::parse_decimal(row.text, row.max);
        CHECK_EQUAL_TEXT(row.expected >= 0, value.has_value(), row.text);
        if (value)
            LONGS_EQUAL(row.expected, static_cast<long long>(*value));
    }
}

TEST(Text, splitKeepsEmptyPieces)
{
    const auto pieces = base::split("a;;b;", ';');
    LONGS_EQUAL(4, pieces.size());
    CHECK(pieces[1].empty() && pieces[3].empty() && pieces[2] == "b");
}

TEST(Text, trimAndCase)
{
    CHECK(base::trim(" \ta b \t") == "a b");
    CHECK(base::trim("  ").empty());
    CHECK(base::equal_nocase("Rosco.Example", "rOSCO.eXAMPLE"));
    CHECK_FALSE(base::equal_nocase("rosco", "rosco.example"));
}

TEST(Text, base64RoundTripsAndRefusesTheRest)
{
    struct Row { const char* plain; const char* coded; };
    static constexpr Row rows[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
    for (const Row& row : rows) {
        const std::string_view plain = row.plain;
        const base::Bytes bytes{reinterpret_cast<const std::uint8_t*>(plain.data()), plain.size()};
        STRCMP_EQUAL(row.coded, base::base64_encode(bytes).c_str());
        STRCMP_EQUAL(row.plain, base::base64_decode(row.coded).value().c_str());
    }
    for (const char* bad : {"Zg", "Zg=", "Zh==", "Zm9=", "Z===", "Zm 9", "=Zg=", "Zg==Zg=="})
        CHECK_FALSE_TEXT(base::base64_decode(bad).has_value(), bad);
}

TEST(Text, logValuesCannotForgeALine)
{
    STRCMP_EQUAL("refused peer=127.0.0.1:80 n=7 reason=\"a \\\"b\\\"\" raw=\"x\\x0a\\xff\" empty=\"\"",
                 base::log::format("refused", {{"peer", "127.0.0.1:80"}, {"n", 7}, {"reason", "a \"b\""}, {"raw", "x\n\xff"}, {"empty", ""}}).c_str());
}
