#include "daemon/domain_watch.h"

#include "base/log.h"
#include "net/ask.h"

#include <utility>

namespace rpctunneld {

DomainWatch::DomainWatch(net::Loop& loop, auth::Domains& domains)
    : loop_(loop), domains_(domains), timer_(loop, net::Timer::Callback::of<&DomainWatch::ask>(this))
{
}

void DomainWatch::begin()
{
    retry_.begin_anew();
    ask();
}

void DomainWatch::end()
{
    timer_.cancel();
    asked_.cancel();
}

void DomainWatch::ask()
{
    timer_.cancel();
    net::ask(domains_.lane(), "a look at winbindd", loop_, asked_, [&domains = domains_] { return domains.look(); },
             [this](const std::optional<winbind::State>& state) { on_state(state); });
}

void DomainWatch::on_state(const std::optional<winbind::State>& state)
{
    if (!state || !state->fault.empty())
        return timer_.set(retry_.failed(state ? state->fault : "too many logins of domain users wait"));
    retry_.done();
    if (!std::exchange(told_, true))
        base::log::notice("winbind", {{"domain", state->netbios_domain}, {"dns_domain", state->dns_domain},
                                      {"computer", state->netbios_name}});
    for (const std::string& rule : domains_.learn(*state))
        base::log::warning("admit", {{"rule", rule}, {"reason", "the domain has no such group, so the rule lets nobody in"}});
    timer_.set(interval);
}

} // namespace rpctunneld
