#include "spnego/initiator.h"
#include "unit/ntlm/mutation.h"
#include "unit/ntlm/windows_client.h"

#include <CppUTest/TestHarness.h>

TEST_GROUP(spnego_mutation) {};

TEST(spnego_mutation, fifty_thousand_tokens_never_log_in)
{
    std::mt19937 random(21);
    TestServer server;
    server.password = "another";
    WindowsClient client;
    const auto type1 = client.type1();
    const auto type2 = server.acceptor.challenge(type1, TestServer::nonce, TestServer::now).value();
    const auto type3 = client.type3(type1, type2);
    const std::string ntlmssp(spnego::oid::ntlmssp), kerberos(spnego::oid::kerberos);

    spnego::Initiator initiator;
    const spnego::Token inits[] = {initiator.start({7}, {kerberos, ntlmssp}), initiator.start(type1)};
    const spnego::Token last = initiator.finish(type3, true, spnego::Mics{}).value();
    // Either around a message that is whole, or a whole one around a message.
    const auto some_last = [&] {
        return random() % 2 == 0 ? mutated(last, random) : spnego::NegTokenResp{{}, "", mutated(type3, random)}.build();
    };
    const spnego::Token challenge = spnego::NegTokenResp{spnego::NegState::accept_incomplete, ntlmssp, type2}.build();
    const spnego::Token done = spnego::NegTokenResp{spnego::NegState::accept_completed, "", {}, spnego::Token(16)}.build();

    unsigned to_mechanism = 0, verified = 0;
    for (int i = 0; i < 12500; ++i) {
        spnego::Acceptor acceptor(i % 4 == 0);
        const spnego::Step first = acceptor.read(mutated(inits[i % 2], random));
        to_mechanism += first.kind == spnego::Step::Kind::mechanism;
        CHECK_TRUE(server.acceptor.challenge(type1, TestServer::nonce, TestServer::now).has_value());
        if (first.kind != spnego::Step::Kind::mechanism)
            acceptor.read(inits[1]);
        acceptor.answer(type2);
        const spnego::Step second = acceptor.read(some_last());
        if (second.kind == spnego::Step::Kind::mechanism && !server.acceptor.read(second.token)) {
            ++verified;
            CHECK_TRUE(server.acceptor.verify(ntlm::nt_hash("another").value(), server.protection).has_value());
        }
        CHECK_TRUE(second.kind != spnego::Step::Kind::done);

        spnego::Initiator other;
        other.start(type1);
        other.read(mutated(challenge, random));
        CHECK_TRUE(other.finish(type3, i % 2 == 0, spnego::Mics{}).has_value());
        other.read(mutated(done, random));
    }
    // The mutations go deep enough to mean something.
    CHECK(to_mechanism > 300);
    CHECK(verified > 1000);
}
