#include "ping/ntlm_v1.h"

#include "base/text.h"
#include "ntlm/flags.h"
#include "ntlm/text.h"
#include "ping/explain.h"
#include "ping/ntlm_login.h"

#ifdef HAVE_LIBNTLM
#include <ntlm.h>
#endif

#include <array>
#include <utility>

namespace ping {

#ifndef HAVE_LIBNTLM

bool have_ntlm_v1() noexcept
{
    return false;
}

std::optional<std::string> prove_ntlm_v1_refused(const Options&, Report&, Proxy&, Entrance&)
{
    return std::nullopt;
}

#else

namespace {

/// A client of the last century: LM and NT responses of 24 bytes, no session security of any kind.
class NtlmV1Login final : public Login {
public:
    explicit NtlmV1Login(const Identity& who) : who_(who) {}

    Step next(base::Bytes token) override
    {
        namespace flags = ntlm::flags;
        constexpr std::uint32_t wanted = flags::unicode | flags::oem | flags::request_target | flags::ntlm | flags::always_sign;
        if (!std::exchange(begun_, true)) {
            ntlm::Negotiate type1;
            type1.flags = wanted;
            return {Step::Kind::leg, type1.build()};
        }
        const auto type2 = ntlm::Challenge::parse(token);
        const auto user = ntlm::to_utf16(who_.user), domain = ntlm::to_utf16(who_.domain);
        if (!type2 || (type2->flags & flags::unicode) == 0)
            return Step::failed("the challenge is malformed");
        if (!user || !domain)
            return Step::failed("the name is not UTF-8");
        std::array<std::uint8_t, 24> lm{}, nt{};
        ntlm_smb_encrypt(who_.password.c_str(), type2->nonce.data(), lm.data());
        ntlm_smb_nt_encrypt(who_.password.c_str(), type2->nonce.data(), nt.data());
        ntlm::Authenticate type3;
        type3.flags = wanted & type2->flags & ~flags::oem;
        type3.lm = lm;
        type3.nt = nt;
        type3.user = *user;
        type3.domain = *domain;
        return {Step::Kind::last, type3.build()};
    }

    const char* name() const noexcept override { return "challenge"; }
    std::string describe() const override { return "NTLMv1, responses of 24 bytes"; }

private:
    const Identity& who_;
    bool begun_ = false;
};

enum class Answer {
    accepted,
    refused,
    failed // and reported
};

/// The real request of a channel that has entered. `refusal` is what a 401 means.
Answer knock(const Options& options, Report& report, Entrance& entrance, Channel& channel, const char* step, Failure& refusal)
{
    report.begin(channel.place(), step);
    const Deadline deadline(options.timeout_s);
    if (!channel.send(entrance.request(method(channel.place()), channel, 0), deadline) ||
        channel.wait(deadline) != Channel::Event::head) {
        report.failed(entrance.explain_end(channel).value_or(explain_no_answer(channel.error(), options)));
        return Answer::failed;
    }
    const auto failure = entrance.judge(channel);
    if (!failure)
        return Answer::accepted;
    refusal = *failure;
    if (channel.response().status == 401)
        return Answer::refused;
    report.failed(refusal);
    return Answer::failed;
}

/// Whether there is anything to prove, and in which scheme. Nullopt: `proven` is set, or a step has failed.
std::optional<Scheme> find_scheme(const Options& options, Report& report, Proxy& proxy, const Entrance& entrance,
                                  std::optional<std::string>& proven)
{
    Channel channel(Place::in, report);
    if (!proxy.open(channel))
        return std::nullopt;
    report.begin(channel.place(), "schemes");
    const Deadline deadline(options.timeout_s);
    if (!channel.send(proxy.request(method(channel.place()), 0), deadline) || channel.wait(deadline) != Channel::Event::head) {
        report.failed(entrance.explain_end(channel).value_or(explain_no_answer(channel.error(), options)));
        return std::nullopt;
    }
    const web::Response& response = channel.response();
    if (response.status == 200) {
        Failure failure(Exit::http_authentication, 5, response.line());
        failure.meaning = "The proxy demands no authentication: it lets everybody in, in whatever version.";
        failure.advice = "Switch authentication on.";
        failure.http_status = response.status;
        report.failed(failure);
        return std::nullopt;
    }
    if (response.status != 401) {
        report.failed(explain_response(response, options));
        return std::nullopt;
    }
    report.passed("the proxy offers " + list_schemes(response), {}, response.status);
    for (const Scheme scheme : {Scheme::ntlm, Scheme::negotiate})
        if (response.challenge(to_text(scheme)))
            return scheme;
    proven = "offers neither NTLM nor Negotiate, so that nobody can log in with NTLM version 1";
    return std::nullopt;
}

Failure accepted_failure()
{
    Failure failure(Exit::ntlm_v1_accepted, std::nullopt, "NTLM version 1 was accepted");
    failure.meaning = "UNSAFE: the proxy lets clients in that speak NTLM version 1. Who records one such login can compute the "
                      "password's hash from it within hours, and then log in as that user anywhere.";
    failure.advice = "Refuse NTLMv1 where the accounts are: on Windows \"Network security: LAN Manager authentication "
                     "level\" = 5 (send NTLMv2 response only, refuse LM and NTLM) on the domain controllers and the proxy; on "
                     "Samba \"ntlm auth = ntlmv2-only\". First see in the logs which clients still use it.";
    return failure;
}

} // namespace

bool have_ntlm_v1() noexcept
{
    return true;
}

std::optional<std::string> prove_ntlm_v1_refused(const Options& options, Report& report, Proxy& proxy, Entrance& entrance)
{
    std::optional<std::string> proven;
    const auto scheme = find_scheme(options, report, proxy, entrance, proven);
    if (!scheme)
        return proven;

    Channel modern(Place::in, report), old(Place::in, report);
    Failure modern_refusal, old_refusal;
    if (!entrance.enter(modern, *scheme, nullptr))
        return std::nullopt;
    const Answer modern_answer = knock(options, report, entrance, modern, "NTLMv2", modern_refusal);
    if (modern_answer == Answer::failed)
        return std::nullopt;
    if (modern_answer == Answer::accepted)
        report.passed("accepted, as it should", {}, 200);
    else
        report.warned(modern_refusal.detail + ": refused");

    if (!entrance.enter(old, *scheme, std::make_unique<NtlmV1Login>(*options.identity)))
        return std::nullopt;
    switch (knock(options, report, entrance, old, "NTLMv1", old_refusal)) {
    case Answer::accepted:
        report.failed(accepted_failure());
        return std::nullopt;
    case Answer::failed:
        return std::nullopt;
    case Answer::refused:
        break;
    }
    if (modern_answer == Answer::refused) {
        modern_refusal.meaning = "Nothing is proven: the proxy refuses NTLM version 1, but version 2 with the same password "
                                 "as well. " +
                                 modern_refusal.meaning;
        report.failed(modern_refusal);
        return std::nullopt;
    }
    report.passed(old_refusal.detail + ": refused, as it should", {}, old_refusal.http_status);
    return "refuses NTLM version 1, and takes version 2 with the same password";
}

#endif

} // namespace ping
