#include "ntlm/initiator.h"
#include "unit/ntlm/mutation.h"
#include "unit/ntlm/windows_client.h"

#include <CppUTest/TestHarness.h>

TEST_GROUP(ntlm_mutation) {};

TEST(ntlm_mutation, fifty_thousand_messages_never_log_in)
{
    std::mt19937 random(12);
    TestServer server;
    WindowsClient client, unsigned_client;
    unsigned_client.mic = WindowsClient::Mic::none;
    unsigned_client.password = "wrong";
    const auto type1 = client.type1();
    const auto type2 = server.acceptor.challenge(type1, TestServer::nonce, TestServer::now).value();
    const auto right = client.type3(type1, type2), wrong = unsigned_client.type3(type1, type2);
    const ntlm::Key hash = ntlm::nt_hash("Password").value();
    ntlm::Initiator::Login login;
    login.user = "User";
    ntlm::Initiator initiator(login);
    initiator.negotiate();

    unsigned verified = 0, challenged = 0, answered = 0;
    const auto meet = [&](base::Bytes original) {
        CHECK_TRUE(server.acceptor.challenge(type1, TestServer::nonce, TestServer::now).has_value());
        const auto type3 = mutated(original, random);
        if (!server.acceptor.read(type3)) {
            ++verified;
            CHECK_TRUE(server.acceptor.verify(hash, server.protection).has_value() || type3 == right);
        }
    };
    for (int i = 0; i < 20000; ++i) {
        meet(right);
        meet(wrong);
    }
    for (int i = 0; i < 5000; ++i) {
        const auto changed = mutated(type1, random);
        challenged += server.acceptor.challenge(changed, TestServer::nonce, TestServer::now).has_value();
        CHECK_TRUE(server.login(right).has_value() || changed == type1);
        answered += initiator.authenticate(mutated(type2, random), {}, 0).has_value();
    }
    // The mutations go deep enough to mean something.
    CHECK(verified > 4000);
    CHECK(challenged > 1000);
    CHECK(answered > 500);
}
