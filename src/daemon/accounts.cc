#include "daemon/accounts.h"

#include <algorithm>

namespace rpctunneld {

std::optional<DirectoryAccounts::Found> DirectoryAccounts::look_up(const auth::Login& login)
{
    const auto in = [&](const std::string& domain) -> std::optional<Found> {
        std::optional<directory::Account> account = accounts_.find(domain, login.name);
        return account ? std::optional(Found{domain, std::move(*account)}) : std::nullopt;
    };
    if (auto found = in(login.domain))
        return found;
    const bool same_as_none = login.domain.empty() || login.domain == "." ||
                              std::find(default_domains_.begin(), default_domains_.end(), login.folded().domain) != default_domains_.end();
    if (!same_as_none)
        return std::nullopt;
    if (auto found = in(""))
        return found;
    for (const std::string& domain : default_domains_)
        if (auto found = in(domain))
            return found;
    return std::nullopt;
}

std::optional<auth::AccountRecord> DirectoryAccounts::find(const auth::Login& login)
{
    std::optional<Found> found = look_up(login);
    if (!found)
        return std::nullopt;
    directory::Account& account = found->account;
    return auth::AccountRecord{std::move(account.canonical), account.enabled, std::move(account.pw_crypt), account.pw_version};
}

std::optional<ntlm::Key> DirectoryAccounts::nt_hash(const auth::Login& login)
{
    const std::optional<Found> found = look_up(login);
    const std::optional<directory::NtHash> hash = found ? accounts_.nt_hash(found->domain, login.name) : std::nullopt;
    return hash ? std::optional<ntlm::Key>(std::in_place, *hash) : std::nullopt;
}

} // namespace rpctunneld
