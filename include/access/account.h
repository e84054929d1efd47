#pragma once

#include "base/login.h"
#include "ntlm/keys.h"

#include <cstdint>
#include <optional>
#include <string>

// The folder is access, the namespace is auth: unistd.h owns the global name access.
namespace auth {

using base::Login;

/// What the directory knows of a local user.
struct AccountRecord {
    std::string canonical;       ///< the one name of this user, whatever login was used
    bool enabled = false;
    std::string pw_crypt;        ///< crypt(5) form; never logged
    std::int64_t pw_version = 0; ///< another number after every new password, and for every new account
};

/// Where accounts are looked up. The daemon implements it over the directory.
class AccountSource {
public:
    virtual ~AccountSource() = default;
    /// The account of a login, in any spelling. May block; called on the lane of the directory, by several threads at once.
    /// Throws std::exception when the look-up itself fails, which is not the same as an unknown user.
    virtual std::optional<AccountRecord> find(const Login& login) = 0;
    /// The pw_crypt of one account or another: the same for the same number as long as no account comes or goes, and any
    /// account for some number. Nullopt when there is no account. Like find().
    virtual std::optional<std::string> some_hash(std::uint64_t number) = 0;
    /// What NTLM checks logins of this account with. Nullopt when there is no such account, or it is not to use NTLM. Like
    /// find().
    virtual std::optional<ntlm::Key> nt_hash(const Login& login) = 0;
    /// Grows a moment after any account may have changed: what was found before is then to be looked up again. Any thread,
    /// never blocks.
    virtual std::uint64_t generation() const noexcept = 0;
};

/// For the log, behind "unknown user": what can be wrong when a login has a domain.
inline std::string advice_on(const Login& login)
{
    return login.domain.empty() ? "" : ", or a domain that neither default_domain nor a login of the account names";
}

} // namespace auth
