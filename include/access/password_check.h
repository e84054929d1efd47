#pragma once

#include "access/account.h"
#include "access/check.h"
#include "access/seal.h"
#include "access/secret.h"
#include "base/lane.h"
#include "base/pending.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace auth {

class PasswordChecks;

/// A password and what it is to be right for.
class PasswordCheck final : public Check, public std::enable_shared_from_this<PasswordCheck> {
public:
    /// `aim`: a hash of crypt(5), or whatever the judge of the lane takes. The lane outlives it.
    PasswordCheck(PasswordChecks& lane, Login whose, Secret guess, std::string aim)
        : login(std::move(whose)), password(std::move(guess)), against(std::move(aim)), lane_(lane)
    {
    }

    /// What came of it.
    struct Finding {
        std::optional<bool> right = std::nullopt; ///< nothing: it could not be found out
        std::string reason = {};                  ///< why not, for the log; may be empty when it is just wrong
    };

    void begin(base::Pending::Ticket asker, Done done) override;
    const char* crowd() const noexcept override;

    const Login login;
    const Secret password;
    const std::string against;
    Finding found;

private:
    PasswordChecks& lane_;
};

/// A lane of password checks. Equal ones under way cost one, whoever asks; whoever comes second waits without a thread. Any
/// thread.
///
/// Equal means of one login too: the answer for two logins that nobody has must not come sooner than for two of accounts.
class PasswordChecks {
public:
    /// By hashes of crypt(5): each takes some 15 ms of a core and 16 MiB, and the threads leave the processor to others. See
    /// base::Lane.
    PasswordChecks(unsigned threads, std::size_t waiting, std::chrono::milliseconds patience = std::chrono::seconds(5));

    /// Makes a check, on a thread of the lane; must not throw.
    using Judge = std::function<PasswordCheck::Finding(const PasswordCheck&)>;
    /// `crowd`, a constant: see Check::crowd().
    PasswordChecks(const base::Lane::Plan& plan, const char* crowd, Judge judge);

    const char* crowd() const noexcept { return crowd_; }

    /// For the end: whoever waits, and whoever asks from now on, is told that too many do. False: after this time a check is
    /// still under way, which nobody hears of any more but for which the destructor waits.
    bool finish(std::chrono::milliseconds within);

    /// See Check::begin(). It is not begun when no other asker wants an equal one either.
    void ask(std::shared_ptr<PasswordCheck> check, base::Pending::Ticket asker, Check::Done done);

private:
    struct Asker {
        std::shared_ptr<PasswordCheck> check;
        base::Pending::Ticket ticket;
        Check::Done done;
    };
    using Askers = std::vector<Asker>;

    bool wanted(const Seal::Tag& key);
    void land(const Seal::Tag& key, const std::optional<PasswordCheck::Finding>& found);

    const char* const crowd_;
    const Judge judge_;
    const Seal seal_;
    std::mutex mutex_;
    std::map<Seal::Tag, Askers> under_way_;
    bool finished_ = false;
    base::Lane lane_; // ends first: its jobs work with the rest
};

} // namespace auth
