#pragma once

#include "access/account.h"
#include "access/seal.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace auth {

/// Remembers successful password checks for a short time, so that each of the many connections of a
/// client does not cost a yescrypt run.
///
/// One entry a login, holding HMAC-SHA256(process key, login NUL password NUL pw_version); no password is
/// kept. A success is good for `lifetime`: that long an account stays usable after it was disabled or its
/// password changed, unless clear() or forget() comes first. One per process, any thread; never blocks
/// longer than a look-up in memory takes.
class Cache {
public:
    using Clock = std::chrono::steady_clock;

    explicit Cache(std::size_t limit = 4096, Clock::duration lifetime = std::chrono::seconds(60));

    /// The canonical name when this login and password were good less than a lifetime ago.
    std::optional<std::string> find(const Login& login, std::string_view password, Clock::time_point now = Clock::now());

    /// Take before the account is looked up and hand to store(): a success that was judged by what the
    /// directory said before a clear() is not stored.
    std::uint64_t generation() const;
    void store(const Login& login, std::string_view password, std::int64_t pw_version, const std::string& canonical,
               std::uint64_t generation, Clock::time_point now = Clock::now());

    void forget(const Login& login);
    /// The directory changed: believe nothing of before.
    void clear();
    std::size_t size() const;

private:
    struct Entry {
        Seal::Tag tag;
        std::int64_t pw_version;
        std::string canonical;
        Clock::time_point until;
    };
    using Key = std::pair<std::string, std::string>; // domain, name

    Seal::Tag tag(const Login& login, std::string_view password, std::int64_t pw_version) const;
    void make_room(Clock::time_point now);

    const std::size_t limit_;
    const Clock::duration lifetime_;
    const Seal seal_;
    mutable std::mutex mutex_;
    std::map<Key, Entry> entries_;
    std::uint64_t generation_ = 0;
};

} // namespace auth
