#pragma once

#include "access/account.h"
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
#include <vector>

namespace auth {

/// A password and the hash that it is to be equal to.
struct PasswordCheck {
    Login login; ///< whose it is
    Secret password;
    std::string hash; ///< of crypt(5)
};

/// The lane of password checks: each takes some 15 ms of a core and 16 MiB. Equal checks under way cost one hash, whoever
/// asks; whoever comes second waits without a thread. One per process, any thread.
///
/// Equal means of one login too: the answer for two logins that nobody has must not come sooner than for two of accounts.
class PasswordChecks {
public:
    /// See base::Lane. The threads leave the processor to others.
    PasswordChecks(unsigned threads, std::size_t waiting, std::chrono::milliseconds patience = std::chrono::seconds(5));

    /// Nothing: too many wait.
    using Answer = std::function<void(std::optional<bool>)>;

    /// `answer` is called once, in any thread, perhaps inside this call; see net::reply_to. The check is not begun when
    /// `asker` does not want it any more, and no other.
    void ask(const std::shared_ptr<const PasswordCheck>& check, base::Pending::Ticket asker, Answer answer);

private:
    struct Asker {
        base::Pending::Ticket ticket;
        Answer answer;
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
