#include "base/login.h"

#include <CppUTest/TestHarness.h>

using base::Login;

TEST_GROUP(Login) {};

TEST(Login, everySpelling)
{
    static constexpr struct {
        const char* given;
        const char* domain;
        const char* name;
        const char* text;
        const char* folded;
    } rows[] = {
        {"carol", "", "carol", "carol", "carol"},
        {"CAROL", "", "CAROL", "CAROL", "carol"},
        {"CORP\\Carol", "CORP", "Carol", "CORP\\Carol", "corp\\carol"},
        {"Carol@Corp.Example", "Corp.Example", "Carol", "Carol@Corp.Example", "carol@corp.example"},
        {"\\carol@corp.example", "corp.example", "carol", "carol@corp.example", "carol@corp.example"},
        {"carol@corp", "corp", "carol", "corp\\carol", "corp\\carol"},
        {"Carol Danvers", "", "Carol Danvers", "Carol Danvers", "carol danvers"},
        {"J\xc3\x96RG", "", "J\xc3\x96RG", "J\xc3\x96RG", "j\xc3\xb6rg"},
    };
    for (const auto& row : rows) {
        const auto login = Login::parse(row.given);
        CHECK_TRUE_TEXT(login.has_value(), row.given);
        STRCMP_EQUAL_TEXT(row.domain, login->domain.c_str(), row.given);
        STRCMP_EQUAL_TEXT(row.name, login->name.c_str(), row.given);
        STRCMP_EQUAL_TEXT(row.text, login->text().c_str(), row.given);
        STRCMP_EQUAL_TEXT(row.folded, login->folded().text().c_str(), row.given);
    }
}

TEST(Login, refused)
{
    using namespace std::string_view_literals;
    const std::string_view rows[] = {
        "", "\\", "\\carol", "\\\\carol", "CORP\\", "@", "@x", "a@", "\\a@", "\\@x", "a\\b\\c", "a@b@c", "D\\a@b", "\\D\\a@b", "a@b\\c",
        "a:b", "a/b", "\"a\"", "a\nb", "a\0b"sv, "a\x7f", "a\x1f", "\xc2\x85", "\xff", "\xc3", " a", "a ",
    };
    for (const auto row : rows)
        CHECK_FALSE_TEXT(Login::parse(row).has_value(), std::string(row).c_str());
}

TEST(Login, ofAtMost255Bytes)
{
    CHECK(Login::parse(std::string(255, 'a')).has_value());
    CHECK_FALSE(Login::parse(std::string(256, 'a')).has_value());
    CHECK(Login::parse("\\a@" + std::string(253, 'r')).has_value());
    CHECK_FALSE(Login::parse("a@" + std::string(254, 'r')).has_value());
    CHECK_FALSE(Login::parse("D\\" + std::string(254, 'a')).has_value());
}

TEST(Login, whatCannotBeFoldedIsNobody)
{
    CHECK((Login{"\xff", "a\n"}.folded() == Login{}));
}
