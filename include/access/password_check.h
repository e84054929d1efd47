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

/// A password and the hash that it is to be equal to.
class PasswordCheck final : public Check, public std::enable_shared_from_this<PasswordCheck> {
public:
    /// `hash`: of crypt(5). The lane outlives it.
    PasswordCheck(PasswordChecks& lane, Login whose, Secret guess, std::string right_hash)
        : login(std::move(whose)), password(std::move(guess)), hash(std::move(right_hash)), lane_(lane)
    {
    }

    void begin(base::Pending::Ticket asker, Done done) override;
    const char* crowd() const noexcept override { return "password checks"; }

    const Login login;
    const Secret password;
    const std::string hash;
    bool equal = false; ///< what came of it

private:
    PasswordChecks& lane_;
};

/// The lane of password checks: each takes some 15 ms of a core and 16 MiB. Equal checks under way cost one hash, whoever
/// asks; whoever comes second waits without a thread. One per process, any thread.
///
/// Equal means of one login too: the answer for two logins that nobody has must not come sooner than for two of accounts.
class PasswordChecks {
public:
    /// See base::Lane. The threads leave the processor to others.
    PasswordChecks(unsigned threads, std::size_t waiting, std::chrono::milliseconds patience = std::chrono::seconds(5));

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
    void land(const Seal::Tag& key, std::optional<bool> equal);

    const Seal seal_;
    std::mutex mutex_;
    std::map<Seal::Tag, Askers> under_way_;
    base::Lane lane_; // ends first: its jobs work with the rest
};

} // namespace auth
