#include "spnego/initiator.h"

#include "unit/spnego/tokens.h"

#include <CppUTest/TestHarness.h>

using spnego::Acceptor;
using spnego::Initiator;
using spnego::NegState;
using spnego::NegTokenResp;
using spnego::Refusal;
using spnego::Step;
using spnego::Token;
using vectors::hex;
using namespace tokens;

TEST_GROUP(spnego_initiator)
{
    /// Up to finish().
    Token last(Initiator & initiator, bool first, bool carried, NegState state = NegState::accept_incomplete)
    {
        initiator.start(type1, first ? std::vector{ntlmssp} : std::vector{kerberos, ntlmssp});
        if (!first)
            CHECK_TRUE(initiator.read(NegTokenResp{state, ntlmssp}.build()).token.empty());
        const Step step = initiator.read(NegTokenResp{state, first ? ntlmssp : "", type2}.build());
        CHECK_TRUE(step.kind == Step::Kind::mechanism);
        CHECK_TRUE(step.token == type2);
        return initiator.finish(type3, carried, mics()).value();
    }
};

TEST(spnego_initiator, speaks_with_our_acceptor)
{
    for (const bool first : {true, false})
        for (const bool carried : {true, false}) {
            Initiator initiator;
            Acceptor acceptor(false);
            const auto offered = first ? std::vector{ntlmssp} : std::vector{kerberos, ntlmssp};
            Step theirs = acceptor.read(initiator.start(first ? type1 : Token(), offered));
            if (!first) {
                CHECK_TRUE(theirs.kind == Step::Kind::reply);
                CHECK_TRUE(initiator.read(theirs.token).token.empty());
                theirs = acceptor.read(initiator.answer(type1));
            }
            CHECK_TRUE(theirs.kind == Step::Kind::mechanism && theirs.token == type1);
            CHECK_TRUE(initiator.read(acceptor.answer(type2)).token == type2);
            STRCMP_EQUAL(hex(acceptor.mech_list()).c_str(), hex(initiator.mech_list()).c_str());
            theirs = acceptor.read(initiator.finish(type3, carried, mics()).value());
            CHECK_TRUE(theirs.kind == Step::Kind::mechanism && theirs.token == type3);
            theirs = acceptor.finish(carried, mics());
            CHECK_TRUE(theirs.kind == Step::Kind::done);
            CHECK_TRUE(initiator.read(theirs.token).kind == Step::Kind::done);
        }
}

TEST(spnego_initiator, when_it_signs)
{
    const struct {
        bool first, carried;
        NegState state;
        bool signs;
    } rows[] = {
        {true, false, NegState::accept_incomplete, false},
        {true, true, NegState::accept_incomplete, true},
        {true, false, NegState::request_mic, true},
        {false, false, NegState::accept_incomplete, true},
        {false, false, NegState::request_mic, true},
    };
    for (const auto& row : rows) {
        Initiator initiator;
        const Token token = last(initiator, row.first, row.carried, row.state);
        STRCMP_EQUAL(hex(NegTokenResp{{}, "", type3, row.signs ? initiators_mic : Token()}.build()).c_str(), hex(token).c_str());
    }
    Initiator unable;
    unable.start(type1);
    CHECK_FALSE(unable.finish(type3, true, std::nullopt).has_value());
    unable.start(type1);
    CHECK_TRUE(unable.finish(type3, false, std::nullopt).has_value());
}

TEST(spnego_initiator, the_servers_last_word)
{
    const Token none, wrong(16, 0xad);
    const struct {
        bool we_signed;
        NegState state;
        Token mic;
        Step::Kind kind;
        Refusal refusal;
    } rows[] = {
        {true, NegState::accept_completed, acceptors_mic, Step::Kind::done, {}},
        {true, NegState::accept_completed, none, Step::Kind::refused, Refusal::mic_missing},
        {true, NegState::accept_completed, wrong, Step::Kind::refused, Refusal::mic_wrong},
        {true, NegState::accept_completed, initiators_mic, Step::Kind::refused, Refusal::mic_wrong},
        {true, NegState::accept_incomplete, acceptors_mic, Step::Kind::refused, Refusal::unexpected},
        {true, NegState::reject, acceptors_mic, Step::Kind::refused, Refusal::rejected},
        {false, NegState::accept_completed, none, Step::Kind::done, {}},
        {false, NegState::accept_completed, acceptors_mic, Step::Kind::done, {}},
        {false, NegState::accept_completed, wrong, Step::Kind::refused, Refusal::mic_wrong},
        {false, NegState::accept_incomplete, none, Step::Kind::refused, Refusal::mic_missing},
        {false, NegState::accept_incomplete, acceptors_mic, Step::Kind::reply, {}},
    };
    for (const auto& row : rows) {
        Initiator initiator;
        last(initiator, true, row.we_signed);
        const Step step = initiator.read(NegTokenResp{row.state, "", {}, row.mic}.build());
        CHECK_TRUE(row.kind == step.kind);
        if (step.kind == Step::Kind::refused)
            STRCMP_EQUAL(std::string(to_text(row.refusal)).c_str(), std::string(to_text(step.refusal)).c_str());
    }
}

TEST(spnego_initiator, signs_when_the_server_has_signed_first)
{
    Initiator initiator;
    last(initiator, true, false);
    const Token servers = NegTokenResp{NegState::accept_incomplete, "", {}, acceptors_mic}.build();
    const Step step = initiator.read(servers);
    STRCMP_EQUAL(hex(NegTokenResp{{}, "", {}, initiators_mic}.build()).c_str(), hex(step.token).c_str());
    CHECK_TRUE(initiator.read(NegTokenResp{NegState::accept_completed}.build()).kind == Step::Kind::done);
    CHECK_TRUE(initiator.read(servers).refusal == Refusal::unexpected);
}

TEST(spnego_initiator, begins_anew)
{
    Initiator initiator;
    last(initiator, false, true, NegState::request_mic);
    const Token token = last(initiator, true, false);
    STRCMP_EQUAL(hex(NegTokenResp{{}, "", type3}.build()).c_str(), hex(token).c_str());
    CHECK_TRUE(initiator.read(NegTokenResp{NegState::accept_completed}.build()).kind == Step::Kind::done);
}

TEST(spnego_initiator, a_signature_that_it_cannot_judge)
{
    Initiator initiator;
    initiator.start(type1);
    CHECK_TRUE(initiator.finish(type3, false, std::nullopt).has_value());
    const Step step = initiator.read(NegTokenResp{NegState::accept_completed, "", {}, acceptors_mic}.build());
    CHECK_TRUE(step.kind == Step::Kind::refused && step.refusal == Refusal::mic_wrong);
}

TEST(spnego_initiator, what_is_refused_before_the_end)
{
    const struct {
        Token token;
        Refusal refusal;
    } rows[] = {
        {{}, Refusal::malformed},
        {type2, Refusal::malformed},
        {NegTokenResp{NegState::reject}.build(), Refusal::rejected},
        {NegTokenResp{NegState::accept_incomplete, kerberos, type2}.build(), Refusal::no_mechanism},
        {NegTokenResp{NegState::accept_completed, ntlmssp}.build(), Refusal::unexpected},
    };
    for (const auto& row : rows) {
        Initiator initiator;
        initiator.start(type1);
        const Step step = initiator.read(row.token);
        CHECK_TRUE(step.kind == Step::Kind::refused && step.refusal == row.refusal);
    }
}
