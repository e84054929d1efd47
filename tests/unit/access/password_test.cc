#include "access/password.h"

#include <stdexcept>

#include <CppUTest/TestHarness.h>

using auth::hash_password;
using auth::verify_password;

TEST_GROUP(password) {};

TEST(password, hash_is_yescrypt_and_salted)
{
    const std::string one = hash_password("secret");
    const std::string two = hash_password("secret");
    STRNCMP_EQUAL("$y$", one.c_str(), 3);
    CHECK(one != two);
    CHECK(verify_password("secret", one));
    CHECK(verify_password("secret", two));
}

TEST(password, only_the_same_bytes)
{
    const std::string hash = hash_password("P\xc3\xa4ss:word ");
    CHECK(verify_password("P\xc3\xa4ss:word ", hash));
    for (const char* wrong : {"p\xc3\xa4ss:word ", "P\xc3\xa4ss:word", "Passwort", " ", ""})
        CHECK_FALSE(verify_password(wrong, hash));
}

TEST(password, other_methods_of_crypt)
{
    const std::string sha256 = "$5$rounds=1000$G7RZkYtTa5ZuwLxo$eS81Mojr93Jjvjz4pjpydzJNRx0uj5xdhGppmMTDYy0";
    CHECK(verify_password("secret", sha256));
    CHECK_FALSE(verify_password("Secret", sha256));
}

TEST(password, malformed_hash_is_not_equal)
{
    const std::string good = hash_password("secret");
    const std::string rows[] = {"", "*", "*0", "!", "x", "secret", "$", "$y$", "$y$j9T$", "$y$zzz$zz$", "$6$rounds=", "\n", std::string(1, '\0'),
                                std::string(300, 'a'), std::string(100000, '$'), good.substr(0, 40), good.substr(0, good.size() - 1), good + "x", "!" + good};
    for (const auto& row : rows)
        CHECK_FALSE_TEXT(verify_password("secret", row), row.c_str());
}

TEST(password, refused_passwords)
{
    using namespace std::string_literals;
    CHECK_THROWS(std::runtime_error, hash_password(""));
    CHECK_THROWS(std::runtime_error, hash_password("a\0b"s));
    CHECK_THROWS(std::runtime_error, hash_password(std::string(257, 'a')));
    const std::string hash = hash_password(std::string(256, 'a'));
    CHECK(verify_password(std::string(256, 'a'), hash));
    CHECK_FALSE(verify_password(std::string(257, 'a'), hash));
}

TEST(password, nul_does_not_shorten)
{
    using namespace std::string_literals;
    CHECK_FALSE(verify_password("secret\0more"s, hash_password("secret")));
}

TEST(password, dummy_costs_what_a_hash_costs)
{
    CHECK(auth::usable_hash(auth::dummy_hash()));
    const std::string made = hash_password("secret");
    STRNCMP_EQUAL(made.c_str(), auth::dummy_hash().c_str(), 7);
    LONGS_EQUAL(made.size(), auth::dummy_hash().size());
    CHECK_FALSE(verify_password("secret", auth::dummy_hash()));
}

TEST(password, usable)
{
    CHECK(auth::usable_hash(hash_password("secret")));
    for (const char* hash : {"", "*", "!", "*0", "plain text"})
        CHECK_FALSE_TEXT(auth::usable_hash(hash), hash);
}
