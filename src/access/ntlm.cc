#include "access/scheme.h"
#include "access/ticket.h"
#include "base/base64.h"
#include "ntlm/acceptor.h"
#include "spnego/acceptor.h"

#include <sys/random.h>
#include <time.h>

#include <optional>
#include <span>
#include <utility>
#include <vector>

// The schemes that log in a connection: NTLM raw, and NTLM or a ticket of Kerberos by way of Negotiate.
namespace auth {
namespace {

/// Of one login. Who guesses the wrong mechanism and signs the list of them needs four.
constexpr unsigned most_tokens = 5;
constexpr std::size_t longest_credentials = (spnego::max_token + 2) / 3 * 4;

bool randomise(std::span<std::uint8_t> bytes) noexcept
{
    return getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
}

ntlm::FileTime now() noexcept
{
    timespec time{};
    clock_gettime(CLOCK_REALTIME, &time);
    return ntlm::file_time(time.tv_sec, static_cast<std::uint32_t>(time.tv_nsec));
}

/// What the client calls the user, as one text. The realm of user@realm stands in the name, or the domain is a domain.
std::string spelling(const ntlm::Acceptor& acceptor)
{
    return acceptor.domain().empty() ? acceptor.user() : acceptor.domain() + '\\' + acceptor.user();
}

std::optional<ntlm::BindingHash> binding(const Channel& channel)
{
    return channel.end_point.empty() ? std::nullopt : std::optional(ntlm::binding_hash(channel.end_point));
}

std::string encoded(base::Bytes token)
{
    return base::base64_encode(token);
}

class Ntlm : public SchemeState {
public:
    Ntlm(const Backends& backends, const Channel& channel, bool negotiate)
        : backends_(backends), negotiate_(negotiate), channel_(channel),
          protection_{backends.policy.protection, binding(channel), {}},
          identity_(backends.domains ? backends.domains->identity() : nullptr),
          acceptor_(identity_ ? *identity_ : backends.policy.server), negotiation_(backends.realms != nullptr)
    {
    }

    std::optional<Attempt> glance(std::string_view credentials) override
    {
        stage_ = Stage::open;
        if (credentials.size() > longest_credentials)
            return refused("the token is too long");
        const std::optional<std::string> token = base::base64_decode(credentials);
        if (!token || token->empty())
            return refused("the token is not base64");
        const base::Bytes bytes = base::bytes_of(*token);
        const std::uint32_t raw = ntlm::message_type(bytes);
        if (raw == 0 && !negotiate_)
            return refused("the token is no NTLM message");
        const spnego::Form form = spnego::form_of(bytes);
        if (raw == ntlm::negotiate_type || (raw == 0 && form != spnego::Form::response)) {
            tokens_ = 0;
            aliases_.clear();
            last_token_.clear();
            ticket_.reset();
        }
        if (++tokens_ > most_tokens)
            return refused("too many tokens for one login");
        if (ticket_ && raw == 0)
            return ticket(bytes);
        if (raw == 0)
            return follow(negotiation_.read(bytes), bytes);
        if (raw == ntlm::negotiate_type)
            wrapped_ = false;
        else if (wrapped_) // what was agreed on in SPNEGO would not be signed
            return refused("an NTLM message outside SPNEGO, in which the login has begun");
        return mechanism(bytes);
    }

    Attempt look_up(std::string_view) override
    {
        try {
            if (stage_ == Stage::ticket)
                return take();
            return stage_ == Stage::named ? verify() : confirm();
        } catch (const std::exception& error) {
            return {Attempt::Kind::busy, std::string("accounts cannot be read: ") + error.what()};
        }
    }

    Attempt checked() override
    {
        const std::shared_ptr<DomainLogin> check = std::move(check_);
        const std::string who = login_.text();
        const winbind::Judgement& judgement = check->judgement;
        if (judgement.kind == winbind::Judgement::Kind::unavailable)
            return {Attempt::Kind::busy, judgement.reason + ": " + who};
        if (judgement.kind == winbind::Judgement::Kind::refused)
            return refused(judgement.reason, who);
        if (const auto refusal = acceptor_.verify_session(judgement.person.session_key, protection_))
            return refused(to_text(*refusal), who);
        return admit(judgement.person);
    }

private:
    enum class Stage {
        open,   // a token is due, or is looked at
        named,  // the client has said who it is, and the response is to be verified
        ticket, // a token is for Kerberos
        proved, // it has been verified, and SPNEGO has just ended: the account may have changed in between
    };

    static Attempt refused(std::string_view reason, const std::string& who = {})
    {
        return {Attempt::Kind::refused, std::string(reason) + (who.empty() ? "" : ": " + who)};
    }

    /// What SPNEGO wants done, `token` being the client's. Nullopt: look_up() goes on.
    std::optional<Attempt> follow(const spnego::Step& step, base::Bytes token = {})
    {
        wrapped_ = true;
        switch (step.kind) {
        case spnego::Step::Kind::mechanism:
            return mechanism(step.token);
        case spnego::Step::Kind::reply:
            return Attempt{Attempt::Kind::continues, encoded(step.token)};
        case spnego::Step::Kind::done:
            last_token_ = encoded(step.token);
            stage_ = Stage::proved;
            return std::nullopt;
        case spnego::Step::Kind::kerberos:
            ticket_ = std::make_unique<TicketLogin>(backends_, channel_);
            return ticket(token);
        case spnego::Step::Kind::refused:
            break;
        }
        return refused(to_text(step.refusal));
    }

    std::optional<Attempt> ticket(base::Bytes token)
    {
        token_.assign(token.begin(), token.end());
        stage_ = Stage::ticket;
        return std::nullopt;
    }

    Attempt take()
    {
        stage_ = Stage::open;
        Attempt attempt = ticket_->take(base::bytes_of(token_));
        token_.clear();
        if (attempt.kind != Attempt::Kind::continues)
            ticket_.reset();
        return attempt;
    }

    std::optional<Attempt> mechanism(base::Bytes message)
    {
        if (ntlm::message_type(message) == ntlm::negotiate_type)
            return challenge(message);
        if (const auto refusal = acceptor_.read(message))
            return refused(to_text(*refusal));
        stage_ = Stage::named;
        return std::nullopt;
    }

    Attempt challenge(base::Bytes message)
    {
        ntlm::Nonce nonce;
        if (!randomise(nonce))
            return {Attempt::Kind::busy, "no random bytes for a challenge"};
        const std::optional<ntlm::Message> answer = acceptor_.challenge(message, nonce, now());
        if (!answer)
            return refused(to_text(ntlm::Refusal::malformed));
        return {Attempt::Kind::continues, encoded(wrapped_ ? negotiation_.answer(*answer) : *answer)};
    }

    Attempt verify()
    {
        stage_ = Stage::open;
        const std::string text = spelling(acceptor_);
        const std::optional<Login> login = Login::parse(text);
        // All that follows is done for those too who do not exist, so that the time does not tell who does.
        login_ = login.value_or(Login()).folded();
        const std::optional<AccountRecord> account = backends_.accounts.find(login_);
        if (login && !account && backends_.domains)
            return ask_domain();
        std::optional<ntlm::Key> key = backends_.accounts.nt_hash(login_);
        const bool own = key.has_value();
        if (ntlm::Key other; !own) {
            if (!randomise({other.data(), ntlm::Key::size}))
                return {Attempt::Kind::busy, "no random bytes for a comparison"};
            key = other;
        }
        const std::optional<ntlm::Refusal> refusal = acceptor_.verify(*key, protection_);
        if (!login)
            return refused("this is no login", text);
        if (!account)
            return refused("unknown user" + advice_on(login_), login_.text());
        if (!account->enabled)
            return refused("account disabled", login_.text());
        if (!own)
            return refused("NTLM is not on for the account, see \"user ntlm\"", login_.text());
        if (refusal)
            return refused(to_text(*refusal), login_.text());

        canonical_ = account->canonical;
        if (!wrapped_)
            return {Attempt::Kind::accepted, canonical_};
        const spnego::Step step = negotiation_.finish(acceptor_.carried_mic(), signatures());
        if (step.kind == spnego::Step::Kind::done)
            return {Attempt::Kind::accepted, canonical_, nullptr, encoded(step.token)};
        return follow(step).value();
    }

    /// Of somebody who has no local account.
    Attempt ask_domain()
    {
        if (!identity_->domain_member)
            return {Attempt::Kind::busy, "winbindd has not told this machine's place in the domain yet: " + login_.text()};
        const base::Bytes nt = acceptor_.nt_response(), lm = acceptor_.lm_response();
        check_ = std::make_shared<DomainLogin>(
            *backends_.domains, winbind::Login{acceptor_.user(), acceptor_.domain(), acceptor_.workstation(), acceptor_.nonce(),
                                               {lm.begin(), lm.end()}, {nt.begin(), nt.end()}});
        return {Attempt::Kind::check, {}, check_};
    }

    /// The domain has vouched for the person.
    Attempt admit(const winbind::Person& person)
    {
        const Admission::Answer answer = backends_.domains->admission().judge({{}, person.domain, person.dns_domain, person.sids});
        const std::string who = Login{person.domain, person.account}.text();
        if (answer.kind == Admission::Answer::Kind::unknown)
            return {Attempt::Kind::busy, answer.text + ": " + who};
        if (answer.kind == Admission::Answer::Kind::refused)
            return refused(answer.text, who);
        // One name for all spellings; a Kerberos principal of the same user has it too.
        const Login dns{person.dns_domain.empty() ? person.domain : person.dns_domain, person.account};
        if (dns.folded().name.empty())
            return refused("this is no name", who);
        canonical_ = dns.folded().text();
        aliases_ = {dns.folded(), Login{person.domain, person.account}.folded()};
        if (wrapped_) {
            const spnego::Step step = negotiation_.finish(acceptor_.carried_mic(), signatures());
            if (step.kind != spnego::Step::Kind::done)
                return follow(step).value();
            last_token_ = encoded(step.token);
        }
        stage_ = Stage::proved;
        return {Attempt::Kind::again, {}};
    }

    Attempt confirm()
    {
        stage_ = Stage::open;
        if (!aliases_.empty())
            return confirm_person();
        const std::optional<AccountRecord> account = backends_.accounts.find(login_);
        if (!account || account->canonical != canonical_ || !account->enabled)
            return refused("account removed or disabled during the login", login_.text());
        return {Attempt::Kind::accepted, canonical_, nullptr, last_token_};
    }

    /// A local account counts for more than the domain's, however the client spells the name.
    Attempt confirm_person()
    {
        for (const Login& alias : aliases_)
            if (const std::optional<AccountRecord> account = backends_.accounts.find(alias))
                return refused(account->enabled ? "there is a local account of this login, which counts" : "account disabled",
                               alias.text());
        return {Attempt::Kind::accepted, canonical_, nullptr, last_token_};
    }

    std::optional<spnego::Mics> signatures() const
    {
        const base::Bytes list = negotiation_.mech_list();
        const auto initiator = acceptor_.session().sign(ntlm::Side::client, list);
        const auto acceptor = acceptor_.session().sign(ntlm::Side::server, list);
        return initiator && acceptor ? std::optional<spnego::Mics>({*initiator, *acceptor}) : std::nullopt;
    }

    const Backends backends_;
    const bool negotiate_;
    const Channel channel_;
    const ntlm::Protection protection_;
    const std::shared_ptr<const ntlm::Identity> identity_; // null: the policy's
    ntlm::Acceptor acceptor_;
    spnego::Acceptor negotiation_;
    std::unique_ptr<TicketLogin> ticket_; // the login is one of Kerberos
    std::string token_;                   // for it
    bool wrapped_ = false; // the token came inside SPNEGO
    unsigned tokens_ = 0;
    Stage stage_ = Stage::open;
    std::shared_ptr<DomainLogin> check_; // between look_up() and checked()
    Login login_;
    std::vector<Login> aliases_; // of a person without a local account: the spellings that a local one could have
    std::string canonical_;  // verified
    std::string last_token_; // for the client, when it is in
};

bool allowed(const Policy&, const Channel&)
{
    return true;
}

std::string no_parameters(const Policy&)
{
    return {};
}

template <bool negotiate> std::unique_ptr<SchemeState> begin(const Backends& backends, const Channel& channel)
{
    return std::make_unique<Ntlm>(backends, channel, negotiate);
}

} // namespace

const Scheme ntlm_scheme = {"NTLM", true, allowed, no_parameters, begin<false>};
const Scheme negotiate_scheme = {"Negotiate", true, allowed, no_parameters, begin<true>};

} // namespace auth
