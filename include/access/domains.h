#pragma once

#include "access/admission.h"
#include "access/check.h"
#include "base/lane.h"
#include "base/pending.h"
#include "ntlm/acceptor.h"
#include "winbind/service.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace auth {

class Domains;

/// An NTLM response that a domain controller is to judge.
class DomainLogin final : public Check, public std::enable_shared_from_this<DomainLogin> {
public:
    /// The lane outlives it.
    DomainLogin(Domains& lane, winbind::Login said) : login(std::move(said)), lane_(lane) {}

    void begin(base::Pending::Ticket asker, Done done) override;
    const char* crowd() const noexcept override { return "logins of domain users"; }

    const winbind::Login login;
    winbind::Judgement judgement; ///< what came of it

private:
    Domains& lane_;
};

/// The domains of winbindd: the lane on which it is asked, who of them may come in, and what is known of this machine's place
/// there. One per process, any thread.
class Domains {
public:
    /// All three outlive it. `alone`: what NTLM tells clients as long as winbindd has told nothing. For the numbers see
    /// base::Lane.
    Domains(winbind::Service& service, Admission& admission, const ntlm::Identity& alone, unsigned threads, std::size_t waiting,
            std::chrono::milliseconds patience = std::chrono::seconds(10));

    /// See Check::begin().
    void ask(std::shared_ptr<DomainLogin> login, base::Pending::Ticket asker, Check::Done done);

    const Admission& admission() const noexcept { return admission_; }
    /// What NTLM tells clients. A domain controller takes responses only that were made for its member's names, so domain users
    /// can log in when it says `domain_member`.
    std::shared_ptr<const ntlm::Identity> identity() const;

    /// How winbindd stands, on whose lane(). Blocks.
    winbind::State look() const { return service_.look(admission_.group_names()); }
    base::Lane& lane() noexcept { return lane_; }
    /// Takes into force what look() has found. Answers what Admission::learn() does.
    std::vector<std::string> learn(const winbind::State& state);

private:
    winbind::Service& service_;
    Admission& admission_;
    mutable std::mutex mutex_;
    std::shared_ptr<const ntlm::Identity> identity_;
    base::Lane lane_; // ends first: its jobs work with the rest
};

} // namespace auth
