#include "daemon/value.h"

#include <CppUTest/TestHarness.h>

using namespace rpctunneld;
using namespace std::chrono_literals;

TEST_GROUP(value) {};

TEST(value, durations)
{
    static const struct {
        const char* text;
        long long ms; // -1: refused
        const char* printed;
    } rows[] = {
        {"0", 0, "0"},           {"0s", 0, "0"},
        {"250ms", 250, "250ms"}, {"90s", 90'000, "90s"},
        {"60s", 60'000, "1min"}, {"15 min", 900'000, "15min"},
        {"4h", 14'400'000, "4h"}, {"1d", 86'400'000, "1d"},
        {"15", -1, ""},          {"", -1, ""},
        {"s", -1, ""},           {"-1s", -1, ""},
        {"1.5h", -1, ""},        {"15m", -1, ""},
        {"15MIN", -1, ""},       {"15 min 3", -1, ""},
        {"99999999999999999999s", -1, ""}, {"9000000000000000000ms", -1, ""},
        {"900000000000000000d", -1, ""},
    };
    for (const auto& row : rows) {
        const auto value = parse_duration(row.text);
        CHECK_EQUAL_TEXT(row.ms >= 0, value.has_value(), row.text);
        if (value) {
            LONGS_EQUAL(row.ms, value->count());
            STRCMP_EQUAL(row.printed, duration_text(*value).c_str());
        }
    }
}

TEST(value, sizes)
{
    static const struct {
        const char* text;
        long long bytes;
        const char* printed;
    } rows[] = {
        {"0", 0, "0"},           {"65536", 65536, "64KiB"}, {"64KiB", 65536, "64KiB"}, {"1 GiB", 1 << 30, "1GiB"},
        {"1000", 1000, "1000"},  {"3MiB", 3 << 20, "3MiB"}, {"64k", -1, ""},           {"64KB", -1, ""},
        {"KiB", -1, ""},         {"1.5GiB", -1, ""},        {"0x10", -1, ""},          {"18446744073709551616", -1, ""},
    };
    for (const auto& row : rows) {
        const auto value = parse_size(row.text);
        CHECK_EQUAL_TEXT(row.bytes >= 0, value.has_value(), row.text);
        if (value) {
            LONGS_EQUAL(row.bytes, *value);
            STRCMP_EQUAL(row.printed, size_text(*value).c_str());
        }
    }
}

TEST(value, yes_no)
{
    CHECK(*parse_yes_no("yes"));
    CHECK_FALSE(*parse_yes_no("no"));
    for (const char* text : {"", "true", "Yes", "1", "on"})
        CHECK_FALSE_TEXT(parse_yes_no(text).has_value(), text);
}
