#include "ping/ticket_login.h"

#include "kerberos/initiator.h"
#include "kerberos/service.h"

#include <utility>

namespace ping {
namespace {

using Trouble = kerberos::Initiator::Trouble;

std::string advice(Trouble trouble, const std::string& host)
{
    switch (trouble) {
    case Trouble::no_ticket:
        return "Get a ticket with kinit user@REALM, as the user who runs this; or give -P user,domain,* to log in with NTLM.";
    case Trouble::expired:
        return "Get a new ticket with kinit.";
    case Trouble::unknown_service:
        return "Clients ask for a ticket by the name that they connect to. Add the principal HTTP/" + host +
               " to the proxy's account (on Windows: setspn -S HTTP/" + host + " account), or give the proxy by the name that has one.";
    case Trouble::clock:
        return "Set the clock of this machine: Kerberos allows five minutes.";
    case Trouble::no_kdc:
        return "Check /etc/krb5.conf, the records _kerberos._udp of the realm in DNS, and port 88 of a domain controller.";
    case Trouble::none:
    case Trouble::other:
        break;
    }
    return "klist shows the tickets; the log of the KDC may tell more.";
}

class TicketLogin final : public Login {
public:
    TicketLogin(const std::string& host, const std::string& binding) : host_(host), initiator_(host, binding) {}

    Step next(base::Bytes token) override
    {
        kerberos::Initiator::Step step = initiator_.next(token);
        if (step.kind == kerberos::Initiator::Step::Kind::failed)
            return {Step::Kind::failed, {}, std::move(step.why), advice(step.trouble, host_)};
        if (step.kind == kerberos::Initiator::Step::Kind::done && step.token.empty())
            return {Step::Kind::done};
        return {Step::Kind::last, std::move(step.token)}; // the ticket is all that the server needs
    }

    const char* name() const noexcept override { return "ticket"; }
    std::string describe() const override
    {
        const std::string& who = initiator_.principal();
        return "a Kerberos ticket" + (who.empty() ? "" : " of " + who) + " inside SPNEGO";
    }

private:
    const std::string host_;
    kerberos::Initiator initiator_;
};

} // namespace

bool have_tickets() noexcept
{
    return kerberos::built_in();
}

std::unique_ptr<Login> make_ticket_login(const std::string& host, const std::string& binding)
{
    return std::make_unique<TicketLogin>(host, binding);
}

} // namespace ping
