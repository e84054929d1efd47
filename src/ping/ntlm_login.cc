#include "ping/ntlm_login.h"

#include "ntlm/text.h"

#include <sys/random.h>
#include <time.h>

#include <optional>
#include <span>

namespace ping {
namespace {

bool randomise(std::span<std::uint8_t> bytes) noexcept
{
    return getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
}

/// "PROXY (proxy.lab.example)", of what the challenge tells.
std::string computer_of(base::Bytes challenge)
{
    const auto type2 = ntlm::Challenge::parse(challenge);
    const auto pairs = type2 && !type2->target_info.empty() ? ntlm::parse_av_pairs(type2->target_info) : std::nullopt;
    const auto text = [&](ntlm::AvId id) {
        const ntlm::AvPair* const pair = pairs ? ntlm::find(*pairs, id) : nullptr;
        return pair ? ntlm::name_from_utf16(pair->value).value_or("") : "";
    };
    const std::string name = text(ntlm::AvId::nb_computer_name), dns = text(ntlm::AvId::dns_computer_name);
    return name.empty() || dns.empty() ? name + dns : name + " (" + dns + ")";
}

std::optional<spnego::Mics> signatures(const ntlm::Session& session, base::Bytes mech_list)
{
    const auto ours = session.sign(ntlm::Side::client, mech_list), theirs = session.sign(ntlm::Side::server, mech_list);
    return ours && theirs ? std::optional<spnego::Mics>({*ours, *theirs}) : std::nullopt;
}

} // namespace

Login::Step NtlmLogin::next(base::Bytes token)
{
    if (!std::exchange(begun_, true))
        return begin();
    if (wrapping_ == Wrapping::raw)
        return answered_ ? Step::failed("a token after the last message") : answer(token);
    spnego::Step step = negotiation_.read(token);
    switch (step.kind) {
    case spnego::Step::Kind::mechanism:
        if (step.token.empty())
            return {Step::Kind::leg, negotiation_.answer(initiator_.negotiate())};
        return answered_ ? Step::failed("a token after the last message") : answer(step.token);
    case spnego::Step::Kind::reply:
        return {Step::Kind::last, std::move(step.token)};
    case spnego::Step::Kind::done:
        return {Step::Kind::done};
    case spnego::Step::Kind::kerberos:
    case spnego::Step::Kind::refused:
        break;
    }
    Step failed = Step::failed(spnego::to_text(step.refusal));
    if (step.refusal == spnego::Refusal::rejected || step.refusal == spnego::Refusal::no_mechanism)
        failed.advice = "The proxy takes no NTLM inside Negotiate, perhaps Kerberos tickets alone. If it offers NTLM, "
                        "try -H NTLM.";
    return failed;
}

Login::Step NtlmLogin::begin()
{
    switch (wrapping_) {
    case Wrapping::raw:
        return {Step::Kind::leg, initiator_.negotiate()};
    case Wrapping::spnego:
        return {Step::Kind::leg, negotiation_.start(initiator_.negotiate())};
    case Wrapping::spnego_second:
        break;
    }
    return {Step::Kind::leg, negotiation_.start({}, {std::string(spnego::oid::kerberos), std::string(spnego::oid::ntlmssp)})};
}

Login::Step NtlmLogin::answer(base::Bytes challenge)
{
    answered_ = true;
    peer_ = computer_of(challenge);
    ntlm::Initiator::Random random;
    timespec time{};
    clock_gettime(CLOCK_REALTIME, &time);
    if (!randomise(random.client_challenge) || !randomise({random.session_key.data(), ntlm::Key::size}))
        return Step::failed("there are no random bytes");
    const auto message = initiator_.authenticate(challenge, random,
                                                 ntlm::file_time(time.tv_sec, static_cast<std::uint32_t>(time.tv_nsec)));
    if (!message)
        return Step::failed("the challenge is malformed");
    if (wrapping_ == Wrapping::raw)
        return {Step::Kind::last, *message};
    auto last = negotiation_.finish(*message, initiator_.carried_mic(),
                                    signatures(initiator_.session(), negotiation_.mech_list()));
    return last ? Step{Step::Kind::last, std::move(*last)} : Step::failed(spnego::to_text(spnego::Refusal::mic_impossible));
}

std::string NtlmLogin::describe() const
{
    return std::string("NTLMv2") + (wrapping_ == Wrapping::raw ? "" : " inside SPNEGO") +
           (initiator_.carried_mic() ? " with an integrity code" : " without an integrity code");
}

} // namespace ping
