#include "ntlm/text.h"

#include "unit/rpch/vectors.h"

#include <CppUTest/TestHarness.h>

using vectors::hex;
using vectors::unhex;

TEST_GROUP(ntlm_text) {};

TEST(ntlm_text, utf16_both_ways)
{
    const struct {
        std::string utf8;
        const char* utf16;
    } rows[] = {
        {"", ""},
        {"User", "5500730065007200"},
        {"J\xc3\xb6rg", "4a00f60072006700"},
        {"\xe2\x82\xac", "ac20"},
        {"\xf0\x9f\x98\x80", "3dd800de"},
    };
    for (const auto& row : rows) {
        STRCMP_EQUAL(row.utf16, hex(ntlm::to_utf16(row.utf8).value()).c_str());
        STRCMP_EQUAL(row.utf8.c_str(), ntlm::name_from_utf16(unhex(row.utf16)).value().c_str());
    }
}

TEST(ntlm_text, what_is_no_name)
{
    for (const char* utf16 : {"55", "550000", "5500730065000000", "0a00", "1f00", "7f00", "9f00", "3dd8", "00de3dd8", "3dd85500"})
        CHECK_FALSE_TEXT(ntlm::name_from_utf16(unhex(utf16)).has_value(), utf16);
    for (const char* oem : {"00", "0a", "1f", "7f", "80", "f6", "ff", "5573657200"})
        CHECK_FALSE_TEXT(ntlm::name_from_oem(unhex(oem)).has_value(), oem);
    for (const char* utf8 : {"\xff", "\xc3", "\xed\xa0\x80", "\xc0\x80"})
        CHECK_FALSE(ntlm::to_utf16(utf8).has_value());
    STRCMP_EQUAL("U $~", ntlm::name_from_oem(unhex("5520247e")).value().c_str());
    STRCMP_EQUAL("\xc2\xa0", ntlm::name_from_utf16(unhex("a000")).value().c_str());
}

TEST(ntlm_text, upper_case_as_windows_has_it)
{
    const struct {
        const char* small;
        const char* capital;
    } rows[] = {
        {"user1-", "USER1-"},
        {"\xc3\xb6\xc3\xbf", "\xc3\x96\xc5\xb8"},         // each by itself, beyond Latin-1 too
        {"\xce\xb1\xcf\x83\xcf\x82\xd0\xb6", "\xce\x91\xce\xa3\xce\xa3\xd0\x96"}, // a final sigma shares its capital
        {"\xc3\x9f", "\xc3\x9f"},                         // never two letters of one
        {"\xc2\xb5\xc4\xb1\xc5\xbf\xc7\x85", "\xc2\xb5\xc4\xb1\xc5\xbf\xc7\x85"}, // no pairs
        {"\xe1\x83\x90", "\xe1\x83\x90"},                 // Georgian
        {"\xf0\x90\x90\xa8", "\xf0\x90\x90\xa8"},         // Deseret: two units, none of which is a letter
    };
    for (const auto& row : rows) {
        const auto upper = ntlm::upper_utf16(ntlm::to_utf16(row.small).value());
        STRCMP_EQUAL(row.capital, ntlm::name_from_utf16(upper).value().c_str());
    }
}
