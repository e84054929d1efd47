#pragma once

#include "access/account.h"
#include "directory/accounts.h"
#include "directory/directory.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rpctunneld {

/// The directory's accounts as the authenticators want them.
///
/// A login is looked for as it is, and then in the domains that mean the same as its own: some mean the same as none, and so does
/// ".", by which Windows means the machine itself.
class DirectoryAccounts : public auth::AccountSource {
public:
    /// `default_domains`: those that mean the same as none, folded. The database outlives it.
    explicit DirectoryAccounts(directory::Directory& database, std::vector<std::string> default_domains = {})
        : accounts_(database.readers), judge_(database.judge), default_domains_(std::move(default_domains))
    {
    }

    std::optional<auth::AccountRecord> find(const auth::Login& login) override;
    std::optional<std::string> some_hash(std::uint64_t number) override { return accounts_.some_hash(number); }
    std::optional<ntlm::Key> nt_hash(const auth::Login& login) override;
    std::uint64_t generation() const noexcept override { return judge_.generation(); }

private:
    /// The domain of the login of this account, and the account. Nothing: there is none.
    struct Found {
        std::string domain;
        directory::Account account;
    };
    std::optional<Found> look_up(const auth::Login& login);

    directory::Accounts accounts_;
    const directory::Judge& judge_;
    const std::vector<std::string> default_domains_;
};

} // namespace rpctunneld
