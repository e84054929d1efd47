#include "access/basic.h"

#include "base/base64.h"

#include <CppUTest/TestHarness.h>

using auth::BasicCredentials;

namespace {

std::string encoded(std::string_view text)
{
    return base::base64_encode({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

} // namespace

TEST_GROUP(basic) {};

TEST(basic, rfc7617_section_2)
{
    const auto basic = BasicCredentials::parse("QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    STRCMP_EQUAL("aladdin", basic->login.name.c_str());
    STRCMP_EQUAL("open sesame", basic->password.c_str());
}

TEST(basic, rfc7617_section_2_1_utf8)
{
    STRCMP_EQUAL("123\xc2\xa3", BasicCredentials::parse("dGVzdDoxMjPCow==")->password.c_str());
}

TEST(basic, what_is_not_utf8_is_windows_1252)
{
    static constexpr struct {
        const char *sent, *name, *password;
    } rows[] = {
        {"alice:Gr\xfc\xdf" "e1", "alice", "Gr\xc3\xbc\xc3\x9f" "e1"},
        {"J\xf6rg:x\x80", "j\xc3\xb6rg", "x\xe2\x82\xac"},
        {"alice:\xc3\xbc", "alice", "\xc3\xbc"},             // UTF-8 stays what it is
        {"alice:\xc3\xbc\xfc", "alice", "\xc3\x83\xc2\xbc\xc3\xbc"}, // no mixture
    };
    for (const auto& row : rows) {
        const auto basic = BasicCredentials::parse(encoded(row.sent));
        CHECK_TRUE_TEXT(basic.has_value(), row.sent);
        STRCMP_EQUAL(row.name, basic->login.name.c_str());
        STRCMP_EQUAL(row.password, basic->password.c_str());
    }
    for (const char* undefined : {"alice:\x81", "alice:\x8d", "alice:\x8f", "alice:\x90", "\x9d:x"}) {
        CHECK_FALSE(BasicCredentials::parse(encoded(undefined)).has_value());
        STRCMP_EQUAL("Basic credentials that are neither UTF-8 nor Windows-1252", BasicCredentials::fault(encoded(undefined)));
    }
    STRCMP_EQUAL("Basic credentials that are not base64", BasicCredentials::fault("%"));
    STRCMP_EQUAL("malformed Basic credentials", BasicCredentials::fault(encoded("alice")));
}

TEST(basic, only_the_first_colon_parts)
{
    const auto basic = BasicCredentials::parse(encoded("CORP\\alice:a:b:"));
    STRCMP_EQUAL("corp", basic->login.domain.c_str());
    STRCMP_EQUAL("alice", basic->login.name.c_str());
    STRCMP_EQUAL("a:b:", basic->password.c_str());
}

TEST(basic, malformed)
{
    using namespace std::string_view_literals;
    for (const std::string_view text : {""sv, ":"sv, "alice"sv, "alice:"sv, ":secret"sv, "al\0ice:secret"sv, "alice:sec\0ret"sv, "ali\rce:secret"sv})
        CHECK_FALSE(BasicCredentials::parse(encoded(text)).has_value());
    for (const char* token : {"QWxhZGRpbjpvcGVuIHNlc2FtZQ", "QWxh ZGRp", "=", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==,x", "\xff\xff\xff\xff"})
        CHECK_FALSE(BasicCredentials::parse(token).has_value());
}

TEST(basic, too_long)
{
    CHECK(BasicCredentials::parse(encoded("a:" + std::string(256, 'p'))).has_value());
    CHECK_FALSE(BasicCredentials::parse(encoded("a:" + std::string(257, 'p'))).has_value());
    CHECK_FALSE(BasicCredentials::parse(encoded("a:" + std::string(10000, 'p'))).has_value());
}

TEST(basic, secret_is_moved_not_copied)
{
    auth::Secret first("secret");
    const char* where = first.c_str();
    const auth::Secret second(std::move(first));
    POINTERS_EQUAL(where, second.c_str());
    STRCMP_EQUAL("", first.c_str());
}
