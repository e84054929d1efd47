#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The folder is access, the namespace is auth: unistd.h owns the global name access.
namespace auth {

/// A name as a client gave it, split into its parts, ASCII letters in lower case.
struct Login {
    std::string domain; ///< of DOMAIN\user or user@realm; empty when none was given
    std::string name;

    /// `user`, `DOMAIN\user`, `user@realm`, `\user@realm`. Nullopt when a part is empty or longer than
    /// 256 bytes, or when a control character occurs.
    static std::optional<Login> parse(std::string_view text);

    /// "corp\alice" or "alice", for the log.
    std::string text() const { return domain.empty() ? name : domain + '\\' + name; }

    bool operator==(const Login&) const = default;
};

/// What the directory knows of a local user.
struct AccountRecord {
    std::string canonical;       ///< the one name of this user, whatever login was used
    bool enabled = false;
    std::string pw_crypt;        ///< crypt(5) form; never logged
    std::int64_t pw_version = 0; ///< grows with every password change
};

/// Where accounts are looked up. The daemon implements it over the directory.
class AccountSource {
public:
    virtual ~AccountSource() = default;
    /// May block; called on the lane of the directory, by several threads at once. Throws std::exception when the look-up
    /// itself fails, which is not the same as an unknown user.
    virtual std::optional<AccountRecord> find(const Login& login) = 0;
    /// The pw_crypt of one account or another: the same for the same number as long as no account comes or goes, and any
    /// account for some number. Nullopt when there is no account. Like find().
    virtual std::optional<std::string> some_hash(std::uint64_t number) = 0;
};

} // namespace auth
