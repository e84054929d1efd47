#include "ping/ntlm_login.h"
#include "ping/scheme.h"

#include <CppUTest/TestHarness.h>

using ping::NtlmLogin;
using Kind = ping::Login::Step::Kind;
using Wrapping = NtlmLogin::Wrapping;

namespace {

const ntlm::Key hash = ntlm::nt_hash("Geheim1!").value();

ntlm::Initiator::Login anna()
{
    ntlm::Initiator::Login login;
    login.user = "anna";
    login.domain = "CORP";
    login.nt_hash = hash;
    return login;
}

/// The proxy's side, raw or inside SPNEGO; an empty answer is a refusal.
struct Proxy {
    ntlm::Identity identity{"CORP", "PROXY", "corp.example", "proxy.corp.example"};
    ntlm::Acceptor acceptor{identity};
    spnego::Acceptor negotiation{false};
    bool in = false;

    spnego::Token take(base::Bytes token)
    {
        if (ntlm::message_type(token) != 0)
            return mechanism(token, false);
        return follow(negotiation.read(token));
    }

private:
    spnego::Token follow(const spnego::Step& step)
    {
        if (step.kind == spnego::Step::Kind::mechanism)
            return mechanism(step.token, true);
        in = in || step.kind == spnego::Step::Kind::done;
        return step.kind == spnego::Step::Kind::refused ? spnego::Token() : step.token;
    }

    spnego::Token mechanism(base::Bytes message, bool wrapped)
    {
        if (ntlm::message_type(message) == ntlm::negotiate_type) {
            const auto challenge = acceptor.challenge(message, {1, 2, 3, 4, 5, 6, 7, 8}, 0x01d97e755b9b1be2);
            CHECK(challenge.has_value());
            return wrapped ? negotiation.answer(*challenge) : *challenge;
        }
        if (acceptor.read(message) || acceptor.verify(hash, {}))
            return {};
        in = !wrapped;
        if (!wrapped)
            return {};
        const base::Bytes list = negotiation.mech_list();
        const spnego::Mics mics{acceptor.session().sign(ntlm::Side::client, list).value(),
                                acceptor.session().sign(ntlm::Side::server, list).value()};
        return follow(negotiation.finish(acceptor.carried_mic(), mics));
    }
};

} // namespace

TEST_GROUP(PingNtlmLogin){};

TEST(PingNtlmLogin, logsInRawAndInsideSpnego)
{
    for (const Wrapping wrapping : {Wrapping::raw, Wrapping::spnego, Wrapping::spnego_second}) {
        NtlmLogin login(anna(), wrapping);
        Proxy proxy;
        auto step = login.next({});
        for (int legs = 0; step.kind == Kind::leg && legs < 3; ++legs)
            step = login.next(proxy.take(step.token));
        CHECK(step.kind == Kind::last);
        STRCMP_EQUAL("PROXY (proxy.corp.example)", login.peer().c_str());
        STRCMP_EQUAL(wrapping == Wrapping::raw ? "NTLMv2 with an integrity code" : "NTLMv2 inside SPNEGO with an "
                                                                                   "integrity code",
                     login.describe().c_str());
        const spnego::Token last = proxy.take(step.token);
        CHECK(proxy.in);
        if (wrapping != Wrapping::raw)
            CHECK(login.next(last).kind == Kind::done);
    }
}

TEST(PingNtlmLogin, refusesWhatIsNoChallenge)
{
    using namespace std::string_view_literals;
    for (const std::string_view noise : {""sv, "NTLMSSP"sv, "NTLMSSP\0\2\0\0\0"sv, "noise"sv}) {
        NtlmLogin login(anna(), Wrapping::raw);
        login.next({});
        const auto step = login.next(base::bytes_of(noise));
        CHECK(step.kind == Kind::failed);
        STRCMP_EQUAL("the challenge is malformed", step.why.c_str());
    }
}

TEST(PingNtlmLogin, takesOneChallenge)
{
    NtlmLogin login(anna(), Wrapping::raw);
    Proxy proxy;
    const auto challenge = proxy.take(login.next({}).token);
    CHECK(login.next(challenge).kind == Kind::last);
    CHECK(login.next(challenge).kind == Kind::failed);
}

TEST(PingNtlmLogin, looksAtTheLastTokenOfSpnego)
{
    NtlmLogin login(anna(), Wrapping::spnego);
    Proxy proxy;
    const auto last = login.next(proxy.take(login.next({}).token));
    CHECK(last.kind == Kind::last);
    spnego::Token answer = proxy.take(last.token);
    answer.back() ^= 1; // of its signature
    CHECK(login.next(answer).kind == Kind::failed);
}

TEST(PingNtlmLogin, wordsAndNumbersOfSchemes)
{
    using ping::Scheme;
    struct Row {
        const char* word;
        std::optional<Scheme> scheme;
    };
    constexpr Row rows[] = {
        {"Basic", Scheme::basic}, {"1", Scheme::basic}, {"ntlm", Scheme::ntlm}, {"2", Scheme::ntlm},
        {"NEGOTIATE", Scheme::negotiate}, {"certificate", Scheme::certificate}, {"65536", Scheme::certificate},
        {"", std::nullopt}, {"3", std::nullopt}, {"Kerberos", std::nullopt},
    };
    for (const Row& row : rows)
        CHECK_TEXT(ping::scheme_of(row.word) == row.scheme, row.word);
    for (const Scheme scheme : {Scheme::negotiate, Scheme::ntlm, Scheme::basic, Scheme::certificate})
        CHECK(ping::scheme_of(ping::to_text(scheme)) == scheme);
}
