#include "fixture.h"

#include <CppUTest/TestHarness.h>

using directory::Change;

TEST_GROUP(DirectoryAccounts)
{
    TemporaryDirectory t;
};

TEST(DirectoryAccounts, everyLoginFindsTheAccountAndOthersNobody)
{
    CHECK(t.accounts().add("carol", {{"", "carol"}, {"CORP", "carol"}, {"corp.example", "carol"}}, "$y$hash").ok());
    directory::Connections readers(t.path);
    directory::Accounts accounts(readers);
    struct Row { const char* domain; const char* name; bool found; };
    static constexpr Row rows[] = {
        {"", "carol", true}, {"", "CAROL", true}, {"corp", "Carol", true}, {"CORP.EXAMPLE", "carol", true}, {"other", "carol", false},
        {"", "caro", false}, {"", "", false}, {"corp", "", false}, {"", "\xff", false},
    };
    for (const Row& row : rows)
        CHECK_EQUAL_TEXT(row.found, accounts.find(row.domain, row.name).has_value(), row.name);
    const auto account = accounts.find("", "carol");
    STRCMP_EQUAL("carol", account->canonical.c_str());
    STRCMP_EQUAL("$y$hash", account->pw_crypt.c_str());
    CHECK(account->enabled);
}

TEST(DirectoryAccounts, changesAreSeenByTheDaemon)
{
    auto editor = t.accounts();
    CHECK(editor.add("bob", {{"", "bob"}}, "$y$one").ok());
    directory::Connections readers(t.path);
    directory::Accounts accounts(readers);
    const auto first = accounts.find("", "bob")->pw_version;
    CHECK(editor.set_password("BOB", "$y$two", std::nullopt).ok());
    CHECK(accounts.find("", "bob")->pw_version != first);
    CHECK(editor.set_enabled("bob", false).ok());
    CHECK_FALSE(accounts.find("", "bob")->enabled);
    CHECK(editor.add_login("bob", {"CORP", "robert"}).ok());
    CHECK(accounts.find("corp", "robert").has_value());
    CHECK(editor.remove_login("bob", {"corp", "ROBERT"}).ok());
    CHECK_FALSE(accounts.find("corp", "robert").has_value());
    CHECK(editor.remove("bob").ok());
    CHECK_FALSE(accounts.find("", "bob").has_value());
}

TEST(DirectoryAccounts, aLoginBelongsToOneAccount)
{
    auto editor = t.accounts();
    CHECK(editor.add("bob", {{"", "bob"}, {"CORP", "bob"}}, "$y$one").ok());
    CHECK(editor.add("BOB", {{"X", "bob"}}, "$y$one").kind == Change::Kind::exists);
    CHECK(editor.add("robert", {{"", "robert"}, {"corp", "BOB"}}, "$y$one").kind == Change::Kind::exists);
    CHECK_FALSE(editor.exists("robert"));
    CHECK(editor.add("plain", {{"", "plain"}}, "secret").kind == Change::Kind::refused);
    LONGS_EQUAL(1, editor.list().size());
    LONGS_EQUAL(2, editor.list().at(0).logins.size());
    CHECK(editor.remove("nobody").kind == Change::Kind::missing);
    CHECK(editor.set_password("nobody", "$y$x", std::nullopt).kind == Change::Kind::missing);
    CHECK(editor.set_enabled("nobody", true).kind == Change::Kind::missing);
    CHECK(editor.add_login("nobody", {"", "n"}).kind == Change::Kind::missing);
    CHECK(editor.remove_login("bob", {"", "n"}).kind == Change::Kind::missing);
}

TEST(DirectoryAccounts, anNtHashIsThereForAsLongAsItIsWanted)
{
    constexpr directory::NtHash one{1, 0, 3}, two{2, 0, 255};
    auto editor = t.accounts();
    directory::Connections readers(t.path);
    directory::Accounts accounts(readers);
    CHECK(editor.add("bob", {{"", "bob"}, {"CORP", "bob"}}, "$y$one").ok());
    CHECK_FALSE(accounts.nt_hash("", "bob").has_value());
    CHECK_FALSE(editor.list().at(0).ntlm);
    // The password that was asked for is no longer the one that is set.
    CHECK(editor.set_ntlm("bob", "$y$other", one).kind == Change::Kind::refused);
    CHECK(editor.set_ntlm("nobody", "$y$one", one).kind == Change::Kind::missing);
    CHECK(editor.clear_ntlm("nobody").kind == Change::Kind::missing);
    CHECK_FALSE(accounts.nt_hash("", "bob").has_value());
    CHECK(editor.pw_crypt("BOB") == "$y$one");
    CHECK_FALSE(editor.pw_crypt("nobody").has_value());

    CHECK(editor.set_ntlm("BOB", "$y$one", one).ok());
    CHECK(editor.set_ntlm("bob", "$y$one", one).ok());
    CHECK(accounts.nt_hash("corp", "BOB") == one);
    CHECK_FALSE(accounts.nt_hash("other", "bob").has_value());
    CHECK_FALSE(accounts.nt_hash("", "\xff").has_value());
    CHECK(editor.list().at(0).ntlm);
    LONGS_EQUAL(2, editor.list().at(0).logins.size());

    CHECK(editor.set_password("bob", "$y$two", std::nullopt).kind == Change::Kind::refused);
    CHECK(accounts.find("", "bob")->pw_crypt == "$y$one");
    CHECK(editor.set_password("bob", "$y$two", two).ok());
    CHECK(accounts.nt_hash("", "bob") == two);
    CHECK(editor.clear_ntlm("bob").ok());
    CHECK_FALSE(accounts.nt_hash("", "bob").has_value());
    CHECK(editor.set_password("bob", "$y$three", two).ok());
    CHECK_FALSE(accounts.nt_hash("", "bob").has_value());

    CHECK(editor.add("eve", {{"", "eve"}}, "$y$eve", one).ok());
    CHECK(accounts.nt_hash("", "eve") == one);
    CHECK(editor.remove("eve").ok());
    CHECK(editor.add("eve", {{"", "eve"}}, "$y$eve").ok());
    CHECK_FALSE(accounts.nt_hash("", "eve").has_value());
}

// What those are checked against who do not exist.
TEST(DirectoryAccounts, someHashIsAnyOfThem)
{
    directory::Connections readers(t.path);
    directory::Accounts accounts(readers);
    for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{7}, UINT64_MAX})
        CHECK_FALSE(accounts.some_hash(number).has_value());
    for (const char* name : {"a", "b", "c", "d"})
        CHECK(t.accounts().add(name, {{"", name}}, std::string("$y$of ") + name).ok());
    CHECK(t.accounts().remove("b").ok()); // a gap
    STRCMP_EQUAL("$y$of a", accounts.some_hash(0)->c_str());
    std::string found;
    for (std::uint64_t number = 0; number < 8; ++number) {
        found += accounts.some_hash(number)->back();
        CHECK(accounts.some_hash(number) == accounts.some_hash(number));
    }
    STRCMP_EQUAL("accdaccd", found.c_str());
    CHECK(accounts.some_hash(UINT64_MAX).has_value());
}
