#include "access/ticket.h"

#include "access/realms.h"
#include "base/base64.h"

#include <utility>

namespace auth {

using Demand = ntlm::Protection::Policy;

std::optional<Login> login_of(std::string_view principal)
{
    return principal.find('\\') == principal.npos ? Login::parse(principal) : std::nullopt;
}

TicketLogin::TicketLogin(const Backends& backends, const Channel& channel)
    : backends_(backends), must_be_bound_(backends.policy.protection == Demand::require), can_be_bound_(!channel.end_point.empty()),
      acceptor_(backends.realms->service(), backends.policy.protection == Demand::off ? std::string() : channel.end_point)
{
}

Attempt TicketLogin::take(base::Bytes token)
{
    const kerberos::Step step = acceptor_.accept(token);
    switch (step.kind) {
    case kerberos::Step::Kind::reply:
        return {Attempt::Kind::continues, base::base64_encode(step.token)};
    case kerberos::Step::Kind::refused:
        return {Attempt::Kind::refused, "the ticket is refused: " + step.text};
    case kerberos::Step::Kind::done:
        break;
    }
    if (must_be_bound_ && !step.channel_bound)
        return {Attempt::Kind::refused,
                (can_be_bound_ ? "no channel binding, and it is required: " : "the connection has nothing to bind a login to: ") + step.text};
    return admit(step);
}

Attempt TicketLogin::admit(const kerberos::Step& step) const
{
    const std::optional<Login> login = login_of(step.text);
    if (!login)
        return {Attempt::Kind::refused, "this is no user: " + step.text};
    std::string token = base::base64_encode(step.token);
    if (const std::optional<AccountRecord> account = backends_.accounts.find(login->folded())) {
        if (!account->enabled)
            return {Attempt::Kind::refused, "account disabled: " + step.text};
        return {Attempt::Kind::accepted, account->canonical, nullptr, std::move(token)};
    }
    Realms::Answer answer = backends_.realms->admit(*login);
    if (answer.canonical.empty())
        return {Attempt::Kind::refused, answer.reason + ": " + step.text};
    return {Attempt::Kind::accepted, std::move(answer.canonical), nullptr, std::move(token)};
}

} // namespace auth
