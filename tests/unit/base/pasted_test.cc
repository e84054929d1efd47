#include "base/pasted.h"

#include <CppUTest/TestHarness.h>

using namespace std::string_view_literals;

TEST_GROUP(Pasted) {};

TEST(Pasted, aByteIsNamedByNumberWordAndPlace)
{
    struct Row { std::string_view text; const char* said; };
    static constexpr Row rows[] = {
        {"ex1.corp.example\r", "byte 0x0d (carriage return) at position 17"},
        {"\n", "byte 0x0a (line feed) at position 1"},
        {"a\tb", "byte 0x09 (tab) at position 2"},
        {"a b", "byte 0x20 (blank) at position 2"},
        {"ab\0"sv, "byte 0x00 (NUL) at position 3"},
        {"\x01", "byte 0x01 (control character) at position 1"},
        {"\"a\"", "byte 0x22 (double quote) at position 1"},
        {"a'", "byte 0x27 (single quote) at position 2"},
        {"\x7f", "byte 0x7f (delete) at position 1"},
        {"\xef\xbb\xbf" "a", "byte 0xef (byte order mark) at position 1"},
        {"\xff\xfe" "a\0"sv, "byte 0xff (byte order mark of UTF-16) at position 1"},
        {"a\xc2\xa0", "byte 0xc2 (no-break space) at position 2"},
        {"6001\xe2\x80\x93" "6002", "byte 0xe2 (en dash) at position 5"},
        {"\xe2\x80\x9c" "a", "byte 0xe2 (left double quotation mark) at position 1"},
        {"\xc3\xa9", "byte 0xc3 (character beyond ASCII) at position 1"},
        {"\xe9", "byte 0xe9 (not UTF-8) at position 1"},
        {"\xc3", "byte 0xc3 (not UTF-8) at position 1"},
        {"\xc3(", "byte 0xc3 (not UTF-8) at position 1"},
        {"\x80", "byte 0x80 (not UTF-8) at position 1"},
        {"plain!~", ""},
        {"", ""},
    };
    for (const Row& row : rows)
        STRCMP_EQUAL(row.said, base::odd_byte(row.text).c_str());
    STRCMP_EQUAL("byte 0x2f (/) at position 2", base::byte_text("a/b", 1).c_str());
    STRCMP_EQUAL("byte 0x61 (a) at position 3", base::odd_byte("12a4", base::digit).c_str());
    STRCMP_EQUAL("", base::odd_byte("a b\tc", base::plain_or_blank).c_str());
}

TEST(Pasted, whatAReaderDoesNotSee)
{
    struct Row { std::string_view text; const char* said; };
    static constexpr Row rows[] = {
        {"J\xc3\xb6rg M\xc3\xbcller", ""}, {"DB 1", ""}, {"O'Neil", ""}, {"a\xe2\x80\x93" "b", ""}, {"\xf0\x9f\x99\x82", ""}, {"", ""},
        {"DB1 ", "byte 0x20 (blank) at position 4"}, {" DB1", "byte 0x20 (blank) at position 1"},
        {"DB\xc2\xa0" "1", "byte 0xc2 (no-break space) at position 3"}, {"DB1\r", "byte 0x0d (carriage return) at position 4"},
        {"\xe2\x80\x8b" "DB1", "byte 0xe2 (zero width space) at position 1"}, {"a\xc2\x85", "byte 0xc2 (character beyond ASCII) at position 2"},
        {"J\xf6rg", "byte 0xf6 (not UTF-8) at position 2"},
    };
    for (const Row& row : rows)
        STRCMP_EQUAL(row.said, base::unseen_byte(row.text).c_str());
    STRCMP_EQUAL("\"EX1\"", base::quoted("EX1").c_str());
    STRCMP_EQUAL("\"EX1 \" with byte 0x20 (blank) at position 4", base::quoted("EX1 ").c_str());
}

TEST(Pasted, quotesAndWhiteSpaceAroundAreTakenOff)
{
    struct Row { const char* text; const char* within; };
    static constexpr Row rows[] = {
        {"a", "a"}, {"\"a b\"", "a b"}, {"'a'\r\n", "a"}, {"\t\" a\n\" ", "a"}, {"\"\"", ""}, {"", ""}, {" \r\n", ""},
        {"\"", "\""}, {"\"a", "\"a"}, {"a\"", "a\""}, {"\"a'", "\"a'"}, {"\"\"a\"\"", "\"a\""}, {"\"a\";\"b\"", "a\";\"b"},
    };
    for (const Row& row : rows)
        STRCMP_EQUAL(row.within, std::string(base::unwrapped(row.text)).c_str());
}
