// Speaks one side of NTLM, raw or inside SPNEGO, or the client's of Kerberos, with tokens as base64 lines on stdin and stdout, for 61-ntlm.sh:
//
//   ntlm-peer accept user=U password=P [policy=off|allow|require] [binding=DATA] [target=SPN] [kerberos=1]
//   ntlm-peer initiate user=U password=P [domain=D] [workstation=W] [binding=DATA | binding64=BASE64] [target=SPN] [names=1] [spnego=1]
//             [kerberos_first=1]
//
//   ntlm-peer ticket keytab=FILE principal=P host=H [binding64=BASE64]
//
// A line of answer is "TT TOKEN" (go on), "AF WORDS TOKEN" (logged in; "-" for no token) or "NA REASON". The acceptor takes
// any number of logins one after the other. The initiator's first line answers a line that says nothing.

#include "base/base64.h"
#include "kerberos/initiator.h"
#include "ping/ntlm_login.h"

#include <sys/random.h>
#include <time.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <span>
#include <string>

namespace {

using Options = std::map<std::string, std::string>;

std::string option(const Options& options, const std::string& name)
{
    const auto found = options.find(name);
    return found == options.end() ? std::string() : found->second;
}

void randomise(std::span<std::uint8_t> bytes)
{
    if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        std::abort();
}

ntlm::FileTime now()
{
    timespec time{};
    clock_gettime(CLOCK_REALTIME, &time);
    return ntlm::file_time(time.tv_sec, static_cast<std::uint32_t>(time.tv_nsec));
}

std::string word(base::Bytes token)
{
    return token.empty() ? "-" : base::base64_encode(token);
}

std::string go_on(base::Bytes token)
{
    return "TT " + word(token);
}

template <class Reason> std::string no(Reason reason)
{
    return "NA " + std::string(to_text(reason));
}

std::optional<spnego::Mics> mics(const ntlm::Session& session, base::Bytes mech_list)
{
    const auto initiator = session.sign(ntlm::Side::client, mech_list), acceptor = session.sign(ntlm::Side::server, mech_list);
    return initiator && acceptor ? std::optional<spnego::Mics>({*initiator, *acceptor}) : std::nullopt;
}

std::optional<ntlm::BindingHash> binding(const Options& options)
{
    const std::string data = option(options, "binding") + base::base64_decode(option(options, "binding64")).value_or("");
    return data.empty() ? std::nullopt : std::optional(ntlm::binding_hash(data));
}

class Acceptor {
public:
    explicit Acceptor(const Options& options)
        : user_(option(options, "user")), nt_hash_(ntlm::nt_hash(option(options, "password")).value()),
          negotiation_(!option(options, "kerberos").empty())
    {
        const std::string policy = option(options, "policy"), target = option(options, "target");
        using Policy = ntlm::Protection::Policy;
        protection_.policy = policy == "require" ? Policy::require : policy == "allow" ? Policy::allow
                                                                                        : Policy::off;
        protection_.binding = binding(options);
        if (!target.empty())
            protection_.targets.push_back(target);
    }

    std::string answer(base::Bytes token)
    {
        if (ntlm::message_type(token) != 0) {
            wrapped_ = false;
            return mechanism(token);
        }
        wrapped_ = true;
        return follow(negotiation_.read(token));
    }

private:
    std::string follow(const spnego::Step& step)
    {
        switch (step.kind) {
        case spnego::Step::Kind::kerberos: return "KERBEROS";
        case spnego::Step::Kind::mechanism: return mechanism(step.token);
        case spnego::Step::Kind::reply: return go_on(step.token);
        case spnego::Step::Kind::done: return success(step.token);
        case spnego::Step::Kind::refused: return no(step.refusal);
        }
        return {};
    }

    std::string mechanism(base::Bytes token)
    {
        if (ntlm::message_type(token) == ntlm::negotiate_type) {
            ntlm::Nonce nonce;
            randomise(nonce);
            const auto challenge = acceptor_.challenge(token, nonce, now());
            if (!challenge)
                return no(ntlm::Refusal::malformed);
            return go_on(wrapped_ ? negotiation_.answer(*challenge) : *challenge);
        }
        if (const auto refusal = acceptor_.read(token))
            return no(*refusal);
        if (acceptor_.user() != user_)
            return "NA unknown user " + acceptor_.user();
        if (const auto refusal = acceptor_.verify(nt_hash_, protection_))
            return no(*refusal);
        if (!wrapped_)
            return success({});
        return follow(negotiation_.finish(acceptor_.carried_mic(), mics(acceptor_.session(), negotiation_.mech_list())));
    }

    std::string success(base::Bytes token) const
    {
        return "AF user=" + acceptor_.user() + " domain=" + acceptor_.domain() + " mic=" + (acceptor_.carried_mic() ? "1" : "0") +
               " bound=" + (acceptor_.channel_bound() ? "1" : "0") + " " + word(token);
    }

    const ntlm::Identity identity_{"LAB", "PROXY", "lab.example", "proxy.lab.example"};
    const std::string user_;
    const ntlm::Key nt_hash_;
    ntlm::Protection protection_;
    ntlm::Acceptor acceptor_{identity_};
    spnego::Acceptor negotiation_;
    bool wrapped_ = false;
};

class Initiator {
public:
    explicit Initiator(const Options& options) : login_(who(options), wrapping(options)) {}

    std::string answer(base::Bytes token)
    {
        const ping::Login::Step step = login_.next(token);
        switch (step.kind) {
        case ping::Login::Step::Kind::leg:
        case ping::Login::Step::Kind::last: return go_on(step.token);
        case ping::Login::Step::Kind::done: return "AF -";
        case ping::Login::Step::Kind::failed: break;
        }
        return "NA " + step.why;
    }

private:
    static ping::NtlmLogin::Wrapping wrapping(const Options& options)
    {
        using Wrapping = ping::NtlmLogin::Wrapping;
        return option(options, "spnego").empty()           ? Wrapping::raw
               : option(options, "kerberos_first").empty() ? Wrapping::spnego
                                                           : Wrapping::spnego_second;
    }

    static ntlm::Initiator::Login who(const Options& options)
    {
        ntlm::Initiator::Login login;
        login.user = option(options, "user");
        login.domain = option(options, "domain");
        login.workstation = option(options, "workstation");
        login.nt_hash = ntlm::nt_hash(option(options, "password")).value();
        login.target = option(options, "target");
        login.binding = binding(options);
        login.names_in_negotiate = !option(options, "names").empty();
        return login;
    }

    ping::NtlmLogin login_;
};

/// A service with a key of its own, as the daemon will be to other proxies.
class TicketHolder {
public:
    explicit TicketHolder(const Options& options)
        : tickets_(option(options, "keytab"), option(options, "principal")),
          initiator_(option(options, "host"), base::base64_decode(option(options, "binding64")).value_or(""), &tickets_)
    {
    }

    std::string answer(base::Bytes token)
    {
        const kerberos::Initiator::Step step = initiator_.next(token);
        if (step.kind == kerberos::Initiator::Step::Kind::failed)
            return "NA " + step.why;
        const std::string text = step.token.empty() ? "-" : base::base64_encode(step.token);
        return (step.kind == kerberos::Initiator::Step::Kind::done ? "AF logged_in " : "TT ") + text;
    }

private:
    const kerberos::Tickets tickets_;
    kerberos::Initiator initiator_;
};

template <class Peer> int converse(const Options& options)
{
    Peer peer(options);
    for (std::string line; std::getline(std::cin, line);) {
        const auto token = base::base64_decode(line);
        std::cout << (token ? peer.answer(base::bytes_of(*token)) : "NA not base64") << std::endl;
    }
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    Options options;
    for (int i = 2; i < argc; ++i) {
        const std::string argument = argv[i];
        const auto equals = argument.find('=');
        options[argument.substr(0, equals)] = equals == std::string::npos ? "1" : argument.substr(equals + 1);
    }
    const std::string role = argc > 1 ? argv[1] : "";
    if (role == "accept")
        return converse<Acceptor>(options);
    if (role == "initiate")
        return converse<Initiator>(options);
    if (role == "ticket")
        return converse<TicketHolder>(options);
    std::cerr << "usage: ntlm-peer accept|initiate|ticket NAME=VALUE ...\n";
    return 2;
}
