#include "access/password_check.h"

#include "access/password.h"

#include <algorithm>
#include <utility>

namespace auth {

void PasswordCheck::begin(base::Pending::Ticket asker, Done done)
{
    lane_.ask(shared_from_this(), std::move(asker), std::move(done));
}

const char* PasswordCheck::crowd() const noexcept
{
    return lane_.crowd();
}

PasswordChecks::PasswordChecks(unsigned threads, std::size_t waiting, std::chrono::milliseconds patience)
    : PasswordChecks({base::Resource::password_checks, threads, waiting, patience, true}, "password checks",
                     [](const PasswordCheck& check) -> PasswordCheck::Finding {
                         return {verify_password(check.password.view(), check.against)};
                     })
{
}

PasswordChecks::PasswordChecks(const base::Lane::Plan& plan, const char* crowd, Judge judge)
    : crowd_(crowd), judge_(std::move(judge)), lane_(plan)
{
}

void PasswordChecks::ask(std::shared_ptr<PasswordCheck> check, base::Pending::Ticket asker, Check::Done done)
{
    const Seal::Tag key = seal_.of({check->login.domain, check->login.name, check->password.view(), check->against});
    {
        std::unique_lock lock(mutex_);
        if (finished_) {
            lock.unlock();
            return done(false);
        }
        Askers& askers = under_way_[key];
        askers.push_back({check, std::move(asker), std::move(done)});
        if (askers.size() > 1)
            return;
    }
    const bool submitted = lane_.submit("a password check", [this, key, check](base::Lane::Turn turn) {
        if (turn == base::Lane::Turn::late)
            return land(key, {});
        if (wanted(key))
            land(key, judge_(*check));
    });
    if (!submitted)
        land(key, {});
}

/// False: all who asked have gone, and whoever comes now begins anew.
bool PasswordChecks::wanted(const Seal::Tag& key)
{
    const std::lock_guard lock(mutex_);
    const auto found = under_way_.find(key);
    if (found == under_way_.end())
        return false;
    if (std::any_of(found->second.begin(), found->second.end(), [](const Asker& one) { return one.ticket.wanted(); }))
        return true;
    under_way_.erase(found);
    return false;
}

void PasswordChecks::land(const Seal::Tag& key, const std::optional<PasswordCheck::Finding>& found)
{
    std::unique_lock lock(mutex_);
    const auto node = under_way_.extract(key);
    lock.unlock();
    if (!node) // finish() has told them
        return;
    for (const Asker& asker : node.mapped()) {
        asker.check->found = found.value_or(PasswordCheck::Finding());
        asker.done(found.has_value());
    }
}

bool PasswordChecks::finish(std::chrono::milliseconds within)
{
    std::unique_lock lock(mutex_);
    finished_ = true;
    const std::map<Seal::Tag, Askers> all = std::exchange(under_way_, {});
    lock.unlock();
    for (const auto& [key, askers] : all)
        for (const Asker& asker : askers)
            asker.done(false);
    return lane_.finish(within);
}

} // namespace auth
