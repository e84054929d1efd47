#pragma once

#include "base/login.h"
#include "directory/change.h"
#include "directory/connections.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace directory {

/// A local user.
struct Account {
    std::string canonical;       ///< the one name that logs and sessions show
    bool enabled = true;
    std::string pw_crypt;        ///< crypt(5) string; secret
    std::int64_t pw_version = 0; ///< another number after every new password, so that caches notice
};

using base::Login;

/// NTOWFv1 of a password (MS-NLMP 3.3.1); secret, for it is all that a login with NTLM takes.
using NtHash = std::array<std::uint8_t, 16>;

/// The daemon's view of the accounts: read only, any thread.
class Accounts {
public:
    explicit Accounts(Connections& readers) noexcept : readers_(readers) {}

    /// The account of this login, disabled ones included. Both parts are folded here, any spelling will do. An
    /// unknown domain is nobody. Blocks. Throws DatabaseError when the database cannot be read.
    std::optional<Account> find(std::string_view domain, std::string_view name);
    /// The pw_crypt of one account or another: of the oldest for 0, the same one for the same number as long as no account
    /// comes or goes. Nullopt when there is none. Like find().
    std::optional<std::string> some_hash(std::uint64_t number);
    /// Of the account of this login, when NTLM is on for it. Like find().
    std::optional<NtHash> nt_hash(std::string_view domain, std::string_view name);

private:
    Connections& readers_;
};

struct AccountDetails {
    std::string canonical;
    bool enabled = true;
    bool ntlm = false; ///< there is an NT hash
    std::vector<Login> logins;
    std::string changed_at; ///< when the password was set, UTC, ISO 8601
};

/// The administrator's view. Throws DatabaseError when the database fails.
class AccountEditor {
public:
    explicit AccountEditor(Database& database) : database_(database) {}

    /// A new, enabled account with all its logins, or nothing at all.
    /// With an `nt_hash`, that of the same password, NTLM is on.
    Change add(std::string_view canonical, const std::vector<Login>& logins, std::string_view pw_crypt,
               const std::optional<NtHash>& nt_hash = std::nullopt);
    Change remove(std::string_view canonical);
    Change set_enabled(std::string_view canonical, bool enabled);
    /// `nt_hash`, that of the same password, takes the place of the old one where NTLM is on; where it is and there is none,
    /// the password is refused.
    Change set_password(std::string_view canonical, std::string_view pw_crypt, const std::optional<NtHash>& nt_hash);
    /// NTLM is on from now on, with the hash of the password whose pw_crypt is the account's still.
    Change set_ntlm(std::string_view canonical, std::string_view pw_crypt, const NtHash& nt_hash);
    Change clear_ntlm(std::string_view canonical);
    Change add_login(std::string_view canonical, const Login& login);
    Change remove_login(std::string_view canonical, const Login& login);
    bool exists(std::string_view canonical);
    /// Nullopt when there is no such user.
    std::optional<std::string> pw_crypt(std::string_view canonical);
    std::vector<AccountDetails> list();

private:
    Database& database_;
};

} // namespace directory
