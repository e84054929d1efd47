#include "access/account.h"

#include <CppUTest/TestHarness.h>

TEST_GROUP(login) {};

TEST(login, every_spelling)
{
    static const struct {
        const char* text;
        const char* domain;
        const char* name;
    } rows[] = {
        {"alice", "", "alice"},
        {"ALICE", "", "alice"},
        {"CORP\\Alice", "corp", "alice"},
        {"alice@Corp.Example", "corp.example", "alice"},
        {"\\alice@corp.example", "corp.example", "alice"},
        {"CORP\\alice@mail", "corp", "alice@mail"},
        {"a@b@c", "c", "a@b"},
        {"J\xc3\x96RG", "", "j\xc3\x96rg"},
        {"two words", "", "two words"},
    };
    for (const auto& row : rows) {
        const auto login = auth::Login::parse(row.text);
        CHECK_TEXT(login.has_value(), row.text);
        STRCMP_EQUAL(row.domain, login->domain.c_str());
        STRCMP_EQUAL(row.name, login->name.c_str());
    }
}

TEST(login, refused)
{
    using namespace std::string_view_literals;
    const std::string_view rows[] = {"", "\\", "\\alice", "CORP\\", "@realm", "alice@", "a\\b\\c", "\\\\alice", "ali\nce", "ali\0ce"sv, "a\x7f",
                                     "a\x1f"};
    for (const auto row : rows)
        CHECK_FALSE(auth::Login::parse(row).has_value());
}

TEST(login, long_parts_are_refused)
{
    CHECK(auth::Login::parse(std::string(256, 'a')).has_value());
    CHECK_FALSE(auth::Login::parse(std::string(257, 'a')).has_value());
    CHECK_FALSE(auth::Login::parse(std::string(257, 'd') + "\\a").has_value());
    CHECK_FALSE(auth::Login::parse("a@" + std::string(257, 'r')).has_value());
}
