#pragma once

#include "access/account.h"
#include "directory/accounts.h"
#include "directory/directory.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace rpctunneld {

/// The directory's accounts as the authenticators want them.
class DirectoryAccounts : public auth::AccountSource {
public:
    /// The database outlives it.
    explicit DirectoryAccounts(directory::Directory& database) noexcept
        : accounts_(database.readers), judge_(database.judge)
    {
    }

    std::optional<auth::AccountRecord> find(const auth::Login& login) override
    {
        std::optional<directory::Account> account = accounts_.find(login.domain, login.name);
        if (!account)
            return std::nullopt;
        return auth::AccountRecord{std::move(account->canonical), account->enabled, std::move(account->pw_crypt),
                                   account->pw_version};
    }

    std::optional<std::string> some_hash(std::uint64_t number) override { return accounts_.some_hash(number); }

    std::optional<ntlm::Key> nt_hash(const auth::Login& login) override
    {
        const std::optional<directory::NtHash> hash = accounts_.nt_hash(login.domain, login.name);
        return hash ? std::optional<ntlm::Key>(std::in_place, *hash) : std::nullopt;
    }

    std::uint64_t generation() const noexcept override { return judge_.generation(); }

private:
    directory::Accounts accounts_;
    const directory::Judge& judge_;
};

} // namespace rpctunneld
