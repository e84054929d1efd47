#include "access/cache.h"

#include <nettle/memops.h>
#include <string.h>
#include <sys/random.h>

#include <algorithm>
#include <stdexcept>

namespace auth {
namespace {

void add(hmac_sha256_ctx& context, std::string_view text)
{
    hmac_sha256_update(&context, text.size(), reinterpret_cast<const std::uint8_t*>(text.data()));
    const std::uint8_t end = 0;
    hmac_sha256_update(&context, 1, &end);
}

} // namespace

Cache::Cache(std::size_t limit, Clock::duration lifetime) : limit_(limit), lifetime_(lifetime)
{
    std::array<std::uint8_t, 32> key;
    if (getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size()))
        throw std::runtime_error("no random bytes for the cache of logins");
    hmac_sha256_set_key(&keyed_, key.size(), key.data());
    explicit_bzero(key.data(), key.size());
}

Cache::Tag Cache::tag(const Login& login, std::string_view password, std::int64_t pw_version) const
{
    hmac_sha256_ctx context = keyed_;
    add(context, login.domain);
    add(context, login.name);
    add(context, password);
    add(context, std::to_string(pw_version));
    Tag result;
    hmac_sha256_digest(&context, result.size(), result.data());
    return result;
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
    const Tag offered = tag(login, password, entry.pw_version);
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
