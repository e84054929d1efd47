#include "spnego/acceptor.h"

#include "unit/spnego/tokens.h"

#include <set>

#include <CppUTest/TestHarness.h>

using spnego::Acceptor;
using spnego::NegState;
using spnego::NegTokenInit;
using spnego::NegTokenResp;
using spnego::Refusal;
using spnego::Step;
using spnego::Token;
using vectors::hex;
using namespace tokens;

namespace {

const std::string negoex = "1.3.6.1.4.1.311.2.2.30", other = "1.2.3";

Token init(std::vector<std::string> mechanisms, Token token)
{
    NegTokenInit built;
    built.mechanisms = std::move(mechanisms);
    built.mech_token = std::move(token);
    return built.build();
}

Token response(Token token, Token mic = {}, std::optional<NegState> state = {})
{
    return NegTokenResp{state, "", std::move(token), std::move(mic)}.build();
}

std::string text(const Step& step)
{
    switch (step.kind) {
    case Step::Kind::kerberos: return "kerberos";
    case Step::Kind::mechanism: return "mechanism " + hex(step.token);
    case Step::Kind::reply: return "reply " + hex(step.token);
    case Step::Kind::done: return "done " + hex(step.token);
    case Step::Kind::refused: return std::string(to_text(step.refusal));
    }
    return {};
}

std::string refused(Refusal refusal)
{
    return std::string(to_text(refusal));
}

} // namespace

#define SENT(expected, token) STRCMP_EQUAL(hex(expected.build()).c_str(), hex(token).c_str())
#define STEP(expected, step) STRCMP_EQUAL(std::string(expected).c_str(), text(step).c_str())

TEST_GROUP(spnego_acceptor)
{
    /// An acceptor that waits for finish(), after a client that offered `mechanisms` and sent `mic` with its last token.
    void bring(Acceptor & acceptor, const std::vector<std::string>& mechanisms, const Token& mic)
    {
        const bool first = mechanisms.front() == ntlmssp;
        const Step begin = acceptor.read(init(mechanisms, first ? type1 : Token{9}));
        if (!first)
            acceptor.read(response(type1));
        acceptor.answer(type2);
        STEP("mechanism 03030303", acceptor.read(response(type3, mic)));
    }
};

TEST(spnego_acceptor, which_mechanism)
{
    const std::string type1_token = "mechanism 0101";
    const std::string ask = "reply " + hex(NegTokenResp{NegState::accept_incomplete, ntlmssp}.build());
    const std::string none = refused(Refusal::no_mechanism);
    const struct {
        std::vector<std::string> offered;
        bool keytab;
        std::string step;
    } rows[] = {
        {{ntlmssp}, false, type1_token},
        {{ntlmssp}, true, type1_token},
        {{ntlmssp, kerberos}, true, type1_token},
        {{kerberos, ntlmssp}, true, "kerberos"},
        {{ms_kerberos, kerberos, negoex, ntlmssp}, true, "kerberos"},
        {{ms_kerberos, kerberos, negoex, ntlmssp}, false, ask},
        {{negoex, ntlmssp}, true, ask},
        {{negoex, kerberos, ntlmssp}, true, ask},
        {{kerberos}, true, "kerberos"},
        {{other, kerberos}, true, "kerberos"},
        {{kerberos}, false, none},
        {{other}, true, none},
    };
    for (const auto& row : rows) {
        Acceptor acceptor(row.keytab);
        STEP(row.step, acceptor.read(init(row.offered, type1)));
    }
    Acceptor without(false), with(true);
    STEP("kerberos", with.read(vectors::unhex("600b06092a864886f712010202")));
    STEP(none, without.read(vectors::unhex("600b06092a864886f712010202")));
}

TEST(spnego_acceptor, ntlm_first_without_mics)
{
    Acceptor acceptor(false);
    STEP("mechanism 0101", acceptor.read(init({ntlmssp}, type1)));
    SENT((NegTokenResp{NegState::accept_incomplete, ntlmssp, type2}), acceptor.answer(type2));
    STEP("mechanism 03030303", acceptor.read(response(type3)));
    STEP("done a1073005a0030a0100", acceptor.finish(false, mics()));
}

TEST(spnego_acceptor, ntlm_first_without_its_token)
{
    Acceptor acceptor(false);
    STEP("reply " + hex(NegTokenResp{NegState::accept_incomplete, ntlmssp}.build()), acceptor.read(init({ntlmssp}, {})));
    STEP("mechanism 0101", acceptor.read(response(type1)));
}

TEST(spnego_acceptor, ntlm_not_first)
{
    Acceptor acceptor(false);
    const std::string ask = "reply " + hex(NegTokenResp{NegState::accept_incomplete, ntlmssp}.build());
    STEP(ask, acceptor.read(init({kerberos, ntlmssp}, {7, 7})));
    STEP("mechanism 0101", acceptor.read(response(type1)));
    // supportedMech stands in the first token alone.
    SENT((NegTokenResp{NegState::accept_incomplete, "", type2}), acceptor.answer(type2));
    STEP("mechanism 03030303", acceptor.read(response(type3, initiators_mic)));
    STEP("done " + hex(NegTokenResp{NegState::accept_completed, "", {}, acceptors_mic}.build()), acceptor.finish(false, mics()));
}

TEST(spnego_acceptor, who_signs)
{
    const std::string plain = "done " + hex(NegTokenResp{NegState::accept_completed}.build());
    const std::string signed_ = "done " + hex(NegTokenResp{NegState::accept_completed, "", {}, acceptors_mic}.build());
    const std::string asks = "reply " + hex(NegTokenResp{NegState::accept_incomplete, "", {}, acceptors_mic}.build());
    const Token none, wrong(16, 0x1b), cut(15, 0x1a);
    const struct {
        bool first;
        Token mic;
        bool carried;
        bool can;
        std::string step;
    } rows[] = {
        {true, none, false, true, plain},
        {true, none, false, false, plain},
        {true, none, true, true, asks},
        {true, none, true, false, refused(Refusal::mic_impossible)},
        {true, initiators_mic, false, true, signed_},
        {true, initiators_mic, true, true, signed_},
        {true, initiators_mic, true, false, refused(Refusal::mic_impossible)},
        {true, wrong, false, true, refused(Refusal::mic_wrong)},
        {true, cut, false, true, refused(Refusal::mic_wrong)},
        {true, acceptors_mic, true, true, refused(Refusal::mic_wrong)},
        {false, none, false, true, asks},
        {false, none, false, false, refused(Refusal::mic_impossible)},
        {false, initiators_mic, false, true, signed_},
        {false, wrong, true, true, refused(Refusal::mic_wrong)},
    };
    for (const auto& row : rows) {
        Acceptor acceptor(false);
        bring(acceptor, row.first ? std::vector{ntlmssp, kerberos} : std::vector{kerberos, ntlmssp}, row.mic);
        STEP(row.step, acceptor.finish(row.carried, row.can ? std::optional(mics()) : std::nullopt));
    }
}

TEST(spnego_acceptor, a_mic_that_comes_after_ours)
{
    const struct {
        Token token;
        std::string step;
    } rows[] = {
        {response({}, initiators_mic), "done a1073005a0030a0100"},
        {response({}, initiators_mic, NegState::accept_completed), "done a1073005a0030a0100"},
        {response({}, acceptors_mic), refused(Refusal::mic_wrong)},
        {response({}), refused(Refusal::mic_missing)},
        {response(type3), refused(Refusal::mic_missing)},
        {response({}, initiators_mic, NegState::reject), refused(Refusal::rejected)},
        {{0xa1, 0x00}, refused(Refusal::malformed)},
    };
    for (const auto& row : rows) {
        Acceptor acceptor(false);
        bring(acceptor, {ntlmssp}, {});
        CHECK_TRUE(acceptor.finish(true, mics()).kind == Step::Kind::reply);
        STEP(row.step, acceptor.read(row.token));
        // Nothing is left, whatever it was.
        STEP(refused(Refusal::unexpected), acceptor.read(response({}, initiators_mic)));
    }
}

TEST(spnego_acceptor, tokens_that_are_not_due)
{
    Acceptor acceptor(false);
    STEP(refused(Refusal::unexpected), acceptor.read(response(type3)));
    acceptor.read(init({ntlmssp}, type1));
    STEP(refused(Refusal::unexpected), acceptor.read(response(type3))); // we have not answered
    acceptor.read(init({ntlmssp}, type1));
    acceptor.answer(type2);
    STEP(refused(Refusal::unexpected), acceptor.read(response({}, initiators_mic))); // nothing for the mechanism
    STEP(refused(Refusal::unexpected), acceptor.read(response(type3)));
    acceptor.read(init({ntlmssp}, type1));
    acceptor.answer(type2);
    STEP(refused(Refusal::rejected), acceptor.read(response({}, {}, NegState::reject)));
    STEP(refused(Refusal::malformed), acceptor.read(Token{'N', 'T', 'L', 'M'}));
    STEP(refused(Refusal::malformed), acceptor.read(Token()));
    STEP(refused(Refusal::malformed), acceptor.read(vectors::unhex("600806062b0601050502")));
}

TEST(spnego_acceptor, a_first_token_begins_anew)
{
    Acceptor acceptor(false);
    bring(acceptor, {kerberos, ntlmssp}, Token(16, 0x77));
    STEP("mechanism 0101", acceptor.read(init({ntlmssp}, type1)));
    STRCMP_EQUAL("300c060a2b06010401823702020a", hex(acceptor.mech_list()).c_str());
    SENT((NegTokenResp{NegState::accept_incomplete, ntlmssp, type2}), acceptor.answer(type2));
    STEP("mechanism 03030303", acceptor.read(response(type3)));
    STEP("done a1073005a0030a0100", acceptor.finish(false, mics()));

    // Whose signature is forgotten too, if the mechanism has finished with one token.
    bring(acceptor, {kerberos, ntlmssp}, Token(16, 0x77));
    STEP("mechanism 0101", acceptor.read(init({ntlmssp}, type1)));
    STEP("done a1073005a0030a0100", acceptor.finish(false, mics()));
}

TEST(spnego_acceptor, what_goes_to_kerberos_ends_the_negotiation)
{
    for (const Token& token : {init({kerberos, ntlmssp}, {7}), vectors::unhex("600b06092a864886f712010202")}) {
        Acceptor acceptor(true);
        acceptor.read(init({ntlmssp}, type1));
        acceptor.answer(type2);
        STEP("kerberos", acceptor.read(token));
        STEP(refused(Refusal::unexpected), acceptor.read(response(type3)));
    }
}

TEST(spnego_acceptor, each_refusal_has_words_of_its_own)
{
    std::set<std::string_view> texts;
    constexpr int all = static_cast<int>(Refusal::mic_impossible) + 1;
    for (int i = 0; i < all; ++i)
        texts.insert(to_text(static_cast<Refusal>(i)));
    LONGS_EQUAL(all, texts.size());
    CHECK_FALSE(texts.contains(""));
}
