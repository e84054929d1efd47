#include "directory/accounts.h"

#include "base/fold.h"
#include "base/pasted.h"

#include <string.h>

#include <algorithm>
#include <utility>

namespace directory {
namespace {

constexpr const char* find_account =
    "SELECT a.canonical, a.enabled, a.pw_crypt, a.pw_version FROM logins l JOIN accounts a ON a.id = l.account"
    " WHERE l.name_folded = ? AND l.domain_folded = ?";
constexpr const char* find_some_hash =
    "SELECT pw_crypt FROM accounts WHERE id > ? % (SELECT max(id) FROM accounts) ORDER BY id LIMIT 1";
constexpr const char* find_nt_hash =
    "SELECT s.nt_hash FROM logins l JOIN ntlm_secret s ON s.user_id = l.account WHERE l.name_folded = ? AND l.domain_folded = ?";
constexpr const char* find_pw_crypt = "SELECT pw_crypt FROM accounts WHERE canonical_folded = ?";
constexpr const char* find_id = "SELECT id FROM accounts WHERE canonical_folded = ?";
// The version is random: it must differ from every earlier one, also from those of a removed account of this name.
constexpr const char* insert_account = "INSERT INTO accounts (canonical, canonical_folded, pw_crypt, pw_version)"
                                       " VALUES (?, ?, ?, random() & 0x7fffffffffffffff)";
constexpr const char* delete_account = "DELETE FROM accounts WHERE canonical_folded = ?";
constexpr const char* update_enabled = "UPDATE accounts SET enabled = ? WHERE canonical_folded = ?";
constexpr const char* update_password =
    "UPDATE accounts SET pw_crypt = ?, pw_version = random() & 0x7fffffffffffffff,"
    " pw_time = strftime('%Y-%m-%dT%H:%M:%SZ', 'now') WHERE canonical_folded = ?";
constexpr const char* login_owner = "SELECT a.canonical FROM logins l JOIN accounts a ON a.id = l.account"
                                    " WHERE l.name_folded = ? AND l.domain_folded = ?";
constexpr const char* insert_login =
    "INSERT INTO logins (name_folded, domain_folded, name, domain, account) VALUES (?, ?, ?, ?, ?)";
constexpr const char* delete_login =
    "DELETE FROM logins WHERE name_folded = ? AND domain_folded = ? AND account = ?";
constexpr const char* insert_nt_hash = "INSERT OR REPLACE INTO ntlm_secret (user_id, nt_hash) SELECT id, ? FROM accounts"
                                       " WHERE canonical_folded = ? AND pw_crypt = ?";
constexpr const char* update_nt_hash = "UPDATE ntlm_secret SET nt_hash = ? WHERE user_id = ?";
constexpr const char* delete_nt_hash = "DELETE FROM ntlm_secret WHERE user_id = ?";
constexpr const char* has_nt_hash = "SELECT 1 FROM ntlm_secret WHERE user_id = ?";
constexpr const char* list_accounts =
    "SELECT a.canonical, a.enabled, s.user_id IS NOT NULL, a.pw_time, l.domain, l.name FROM accounts a"
    " LEFT JOIN ntlm_secret s ON s.user_id = a.id LEFT JOIN logins l ON l.account = a.id"
    " ORDER BY a.canonical_folded, l.domain_folded, l.name_folded";

/// What cannot be folded is the name of nobody.
std::string folded(std::string_view text)
{
    return base::fold(text).value_or(std::string());
}

std::string_view text_of(const NtHash& hash) noexcept
{
    return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

std::optional<std::int64_t> account_id(Database& database, std::string_view canonical)
{
    Statement query = database.statement(find_id);
    query.bind(folded(canonical));
    return query.row() ? std::optional(query.number()) : std::nullopt;
}

Change no_such_user(std::string_view canonical)
{
    return Change::missing("there is no user " + base::quoted(canonical) + "; \"user list\" shows all");
}

Change insert(Database& database, std::int64_t account, const Login& login)
{
    const auto [domain, name] = login.folded();
    {
        Statement owner = database.statement(login_owner);
        if (owner.bind(name).bind(domain).row())
            return Change::exists("the login " + login.text() + " belongs to user " + owner.text());
    }
    Statement query = database.statement(insert_login);
    if (!query.bind(name).bind(domain).bind(login.name).bind(login.domain).bind(account).run())
        return Change::refused("the login " + login.text() + " is refused: " + database.message());
    return {};
}

} // namespace

std::optional<Account> Accounts::find(std::string_view domain, std::string_view name)
{
    const auto name_folded = base::fold(name);
    const auto domain_folded = base::fold(domain);
    if (!name_folded || !domain_folded)
        return std::nullopt;
    const Connections::Lease database = readers_.take();
    Statement query = database->statement(find_account);
    if (!query.bind(*name_folded).bind(*domain_folded).row())
        return std::nullopt;
    Account account;
    account.canonical = query.text();
    account.enabled = query.number() != 0;
    account.pw_crypt = query.text();
    account.pw_version = query.number();
    return account;
}

std::optional<std::string> Accounts::some_hash(std::uint64_t number)
{
    const Connections::Lease database = readers_.take();
    Statement query = database->statement(find_some_hash);
    if (!query.bind(static_cast<std::int64_t>(number & INT64_MAX)).row())
        return std::nullopt;
    return query.text();
}

std::optional<NtHash> Accounts::nt_hash(std::string_view domain, std::string_view name)
{
    const auto name_folded = base::fold(name);
    const auto domain_folded = base::fold(domain);
    if (!name_folded || !domain_folded)
        return std::nullopt;
    const Connections::Lease database = readers_.take();
    Statement query = database->statement(find_nt_hash);
    if (!query.bind(*name_folded).bind(*domain_folded).row())
        return std::nullopt;
    std::string bytes = query.text();
    NtHash hash;
    std::copy_n(bytes.begin(), hash.size(), hash.begin());
    explicit_bzero(bytes.data(), bytes.size());
    return hash;
}

Change AccountEditor::add(std::string_view canonical, const std::vector<Login>& logins, std::string_view pw_crypt,
                          const std::optional<NtHash>& nt_hash)
{
    Transaction transaction(database_);
    if (account_id(database_, canonical))
        return Change::exists("user " + std::string(canonical) + " exists already");
    {
        Statement query = database_.statement(insert_account);
        if (!query.bind(canonical).bind(folded(canonical)).bind(pw_crypt).run())
            return Change::refused("user " + std::string(canonical) + " is refused: " + database_.message());
    }
    const std::int64_t account = account_id(database_, canonical).value();
    for (const Login& login : logins)
        if (Change change = insert(database_, account, login); !change.ok())
            return change;
    if (nt_hash)
        if (Change change = set_ntlm(canonical, pw_crypt, *nt_hash); !change.ok())
            return change;
    transaction.commit();
    return {};
}

Change AccountEditor::remove(std::string_view canonical)
{
    Statement query = database_.statement(delete_account);
    const bool ran = query.bind(folded(canonical)).run();
    return ran && query.changes() > 0 ? Change{} : no_such_user(canonical);
}

Change AccountEditor::set_enabled(std::string_view canonical, bool enabled)
{
    Statement query = database_.statement(update_enabled);
    const bool ran = query.bind(enabled ? 1 : 0).bind(folded(canonical)).run();
    return ran && query.changes() > 0 ? Change{} : no_such_user(canonical);
}

Change AccountEditor::set_password(std::string_view canonical, std::string_view pw_crypt, const std::optional<NtHash>& nt_hash)
{
    Transaction transaction(database_);
    const auto account = account_id(database_, canonical);
    if (!account)
        return no_such_user(canonical);
    if (Statement query = database_.statement(update_password); !query.bind(pw_crypt).bind(folded(canonical)).run())
        return Change::refused("the password hash is refused: " + database_.message());
    if (nt_hash) {
        Statement query = database_.statement(update_nt_hash);
        if (!query.bind_blob(text_of(*nt_hash)).bind(*account).run())
            return Change::refused("the NT hash is refused: " + database_.message());
    } else if (Statement query = database_.statement(has_nt_hash); query.bind(*account).row()) {
        return Change::refused("NTLM is on for user " + std::string(canonical) + ", and knows no password that is not UTF-8");
    }
    transaction.commit();
    return {};
}

Change AccountEditor::set_ntlm(std::string_view canonical, std::string_view pw_crypt, const NtHash& nt_hash)
{
    Statement query = database_.statement(insert_nt_hash);
    if (!query.bind_blob(text_of(nt_hash)).bind(folded(canonical)).bind(pw_crypt).run())
        return Change::refused("the NT hash is refused: " + database_.message());
    if (query.changes() > 0)
        return {};
    return exists(canonical) ? Change::refused("the password of user " + std::string(canonical) + " has just been changed")
                             : no_such_user(canonical);
}

Change AccountEditor::clear_ntlm(std::string_view canonical)
{
    const auto account = account_id(database_, canonical);
    if (!account)
        return no_such_user(canonical);
    Statement query = database_.statement(delete_nt_hash);
    if (!query.bind(*account).run())
        return Change::refused("the NT hash stays: " + database_.message());
    return {};
}

Change AccountEditor::add_login(std::string_view canonical, const Login& login)
{
    Transaction transaction(database_);
    const auto account = account_id(database_, canonical);
    if (!account)
        return no_such_user(canonical);
    Change change = insert(database_, *account, login);
    if (change.ok())
        transaction.commit();
    return change;
}

Change AccountEditor::remove_login(std::string_view canonical, const Login& login)
{
    const auto account = account_id(database_, canonical);
    if (!account)
        return no_such_user(canonical);
    Statement query = database_.statement(delete_login);
    const auto [domain, name] = login.folded();
    const bool ran = query.bind(name).bind(domain).bind(*account).run();
    if (ran && query.changes() > 0)
        return {};
    return Change::missing("user " + std::string(canonical) + " has no login " + login.text());
}

bool AccountEditor::exists(std::string_view canonical)
{
    return account_id(database_, canonical).has_value();
}

std::optional<std::string> AccountEditor::pw_crypt(std::string_view canonical)
{
    Statement query = database_.statement(find_pw_crypt);
    return query.bind(folded(canonical)).row() ? std::optional(query.text()) : std::nullopt;
}

std::vector<AccountDetails> AccountEditor::list()
{
    std::vector<AccountDetails> accounts;
    Statement query = database_.statement(list_accounts);
    while (query.row()) {
        std::string canonical = query.text();
        if (accounts.empty() || accounts.back().canonical != canonical)
            accounts.push_back({std::move(canonical), false, false, {}, {}});
        AccountDetails& account = accounts.back();
        account.enabled = query.number() != 0;
        account.ntlm = query.number() != 0;
        account.changed_at = query.text();
        if (!query.is_null()) {
            Login login;
            login.domain = query.text();
            login.name = query.text();
            account.logins.push_back(std::move(login));
        }
    }
    return accounts;
}

} // namespace directory
