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
/// kept. A success is good for `lifetime`, and as long as AccountSource::generation() stays what it was. When
/// that has grown, the account is to be looked up, and confirm() tells whether the entry is proof for it: that
/// costs no hash. One per process, any thread; never blocks longer than a look-up in memory takes.
class Cache {
public:
    using Clock = std::chrono::steady_clock;

    explicit Cache(std::size_t limit = 4096, Clock::duration lifetime = std::chrono::seconds(60));

    /// The canonical name when this login and password were good less than a lifetime ago, at this generation.
    std::optional<std::string> find(const Login& login, std::string_view password, std::uint64_t generation,
                                    Clock::time_point now = Clock::now());
    /// Whether they are good for `account`, which was looked up for the login just now: it is enabled, and its password is
    /// still the one that was checked less than a lifetime ago. Then find() knows them at `generation`, which is to be taken
    /// before the look-up.
    bool confirm(const Login& login, std::string_view password, const AccountRecord& account, std::uint64_t generation,
                 Clock::time_point now = Clock::now());
    /// The password is that of `account`, which was looked up after `generation` was taken.
    void store(const Login& login, std::string_view password, const AccountRecord& account, std::uint64_t generation,
               Clock::time_point now = Clock::now());

    void forget(const Login& login);
    std::size_t size() const;

private:
    struct Entry {
        Seal::Tag tag;
        std::int64_t pw_version;
        std::string canonical;
        std::uint64_t generation; // at which it was last good
        Clock::time_point until;
    };
    using Key = std::pair<std::string, std::string>; // domain, name

    Seal::Tag tag(const Login& login, std::string_view password, std::int64_t pw_version) const;
    /// Of this login and password, null when they are not known. Under mutex_.
    Entry* known(const Login& login, std::string_view password, Clock::time_point now);
    void make_room(Clock::time_point now);

    const std::size_t limit_;
    const Clock::duration lifetime_;
    const Seal seal_;
    mutable std::mutex mutex_;
    std::map<Key, Entry> entries_;
};

} // namespace auth
