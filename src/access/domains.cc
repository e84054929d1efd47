#include "access/domains.h"

#include <utility>

namespace auth {

void DomainLogin::begin(base::Pending::Ticket asker, Done done)
{
    lane_.ask(shared_from_this(), std::move(asker), std::move(done));
}

Domains::Domains(winbind::Service& service, Admission& admission, const ntlm::Identity& alone, unsigned threads, std::size_t waiting,
                 std::chrono::milliseconds patience)
    : service_(service), admission_(admission), identity_(std::make_shared<const ntlm::Identity>(alone)),
      lane_({base::Resource::domain_logins, threads, waiting, patience})
{
}

void Domains::ask(std::shared_ptr<DomainLogin> login, base::Pending::Ticket asker, Check::Done done)
{
    const bool submitted = lane_.submit("a login of a domain user", [this, login, asker, done](base::Lane::Turn turn) {
        if (!asker.wanted())
            return;
        if (turn == base::Lane::Turn::came)
            login->judgement = service_.judge(login->login);
        done(turn == base::Lane::Turn::came);
    });
    if (!submitted)
        done(false);
}

std::shared_ptr<const ntlm::Identity> Domains::identity() const
{
    const std::lock_guard lock(mutex_);
    return identity_;
}

std::vector<std::string> Domains::learn(const winbind::State& state)
{
    {
        const std::lock_guard lock(mutex_);
        auto identity = std::make_shared<ntlm::Identity>(*identity_);
        identity->netbios_computer = state.netbios_name;
        identity->netbios_domain = state.netbios_domain;
        identity->dns_domain = state.dns_domain;
        identity->domain_member = true;
        identity_ = std::move(identity);
    }
    return admission_.learn(state.groups);
}

} // namespace auth
