#include "access/cache.h"

#include <nettle/memops.h>

#include <algorithm>

namespace auth {

Cache::Cache(std::size_t limit, Clock::duration lifetime) : limit_(limit), lifetime_(lifetime) {}

Seal::Tag Cache::tag(const Login& login, std::string_view password, std::int64_t pw_version) const
{
    return seal_.of({login.domain, login.name, password, std::to_string(pw_version)});
}

std::optional<std::string> Cache::find(const Login& login, std::string_view password, Clock::time_point now)
{
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find({login.domain, login.name});
    if (found == entries_.end())
        return std::nullopt;
    const Entry& entry = found->second;
    if (entry.until <= now) {
        entries_.erase(found);
        return std::nullopt;
    }
    const Seal::Tag offered = tag(login, password, entry.pw_version);
    if (memeql_sec(offered.data(), entry.tag.data(), offered.size()) == 0)
        return std::nullopt;
    return entry.canonical;
}

std::uint64_t Cache::generation() const
{
    const std::lock_guard lock(mutex_);
    return generation_;
}

void Cache::store(const Login& login, std::string_view password, std::int64_t pw_version, const std::string& canonical,
                  std::uint64_t generation, Clock::time_point now)
{
    const Entry entry{tag(login, password, pw_version), pw_version, canonical, now + lifetime_};
    const std::lock_guard lock(mutex_);
    if (generation != generation_ || limit_ == 0)
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

void Cache::clear()
{
    const std::lock_guard lock(mutex_);
    entries_.clear();
    ++generation_;
}

std::size_t Cache::size() const
{
    const std::lock_guard lock(mutex_);
    return entries_.size();
}

} // namespace auth
