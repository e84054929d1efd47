#include "access/cache.h"

#include <nettle/memops.h>

#include <algorithm>

namespace auth {

Cache::Cache(std::size_t limit, Clock::duration lifetime) : limit_(limit), lifetime_(lifetime) {}

Seal::Tag Cache::tag(const Login& login, std::string_view password, std::int64_t pw_version) const
{
    return seal_.of({login.domain, login.name, password, std::to_string(pw_version)});
}

Cache::Entry* Cache::known(const Login& login, std::string_view password, Clock::time_point now)
{
    const auto found = entries_.find({login.domain, login.name});
    if (found == entries_.end())
        return nullptr;
    Entry& entry = found->second;
    if (entry.until <= now) {
        entries_.erase(found);
        return nullptr;
    }
    const Seal::Tag offered = tag(login, password, entry.pw_version);
    return memeql_sec(offered.data(), entry.tag.data(), offered.size()) != 0 ? &entry : nullptr;
}

std::optional<std::string> Cache::find(const Login& login, std::string_view password, std::uint64_t generation,
                                       Clock::time_point now)
{
    const std::lock_guard lock(mutex_);
    const Entry* const entry = known(login, password, now);
    return entry && entry->generation == generation ? std::optional(entry->canonical) : std::nullopt;
}

bool Cache::confirm(const Login& login, std::string_view password, const AccountRecord& account, std::uint64_t generation,
                    Clock::time_point now)
{
    const std::lock_guard lock(mutex_);
    Entry* const entry = known(login, password, now);
    if (!entry || !account.enabled || entry->pw_version != account.pw_version)
        return false;
    entry->canonical = account.canonical;
    entry->generation = generation;
    return true;
}

void Cache::store(const Login& login, std::string_view password, const AccountRecord& account, std::uint64_t generation,
                  Clock::time_point now)
{
    const Entry entry{tag(login, password, account.pw_version), account.pw_version, account.canonical, generation,
                      now + lifetime_};
    const std::lock_guard lock(mutex_);
    if (limit_ == 0)
        return;
    const Key key{login.domain, login.name};
    if (entries_.size() >= limit_ && !entries_.contains(key))
        make_room(now);
    entries_.insert_or_assign(key, entry);
}

void Cache::make_room(Clock::time_point now)
{
    std::erase_if(entries_, [now](const auto& item) { return item.second.until <= now; });
    if (entries_.size() < limit_)
        return;
    entries_.erase(std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
        return a.second.until < b.second.until;
    }));
}

void Cache::forget(const Login& login)
{
    const std::lock_guard lock(mutex_);
    entries_.erase({login.domain, login.name});
}

std::size_t Cache::size() const
{
    const std::lock_guard lock(mutex_);
    return entries_.size();
}

} // namespace auth
