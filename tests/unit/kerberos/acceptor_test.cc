#include "kerberos/acceptor.h"

#include "unit/kerberos/sample.h"
#include "unit/ntlm/mutation.h"

#include <CppUTest/TestHarness.h>

using kerberos::Step;

TEST_GROUP(kerberos_acceptor)
{
    const TemporaryFile keytab{sample(sample_keytab)};
    const kerberos::Service service{keytab.path, "HTTP"};

    Step accept(base::Bytes token, const std::string& binding = {}) const
    {
        return kerberos::Acceptor(service, binding).accept(token);
    }
};

TEST(kerberos_acceptor, a_ticket_that_is_over)
{
    for (const char* token : {sample_spnego, sample_raw}) {
        const Step step = accept(base::bytes_of(sample(token)));
        CHECK(step.kind == Step::Kind::refused);
        // Which it is depends on whether somebody has seen it in the last minutes.
        const auto says = [&](const char* words) { return step.text.find(words) != std::string::npos; };
        CHECK_TRUE(says("Ticket expired") || says("Clock skew") || says("Request is a replay"));
        CHECK_TRUE(step.token.empty());
    }
}

TEST(kerberos_acceptor, tokens_that_are_none)
{
    const std::string good = sample(sample_spnego);
    for (const std::string& token : {std::string("\x60"), good.substr(0, 40), good.substr(0, good.size() - 1), good + good,
                                     std::string("NTLMSSP\0\1\0\0\0", 12), std::string(65536, '\x60')})
        CHECK(accept(base::bytes_of(token)).kind == Step::Kind::refused);
}

TEST(kerberos_acceptor, mutated_tokens_never_log_in)
{
    std::mt19937 random(7);
    const std::string whole[] = {sample(sample_spnego), sample(sample_raw)};
    for (int i = 0; i < 4000; ++i) {
        kerberos::Acceptor acceptor(service, i % 3 == 0 ? "tls-server-end-point:x" : "");
        if (acceptor.accept(mutated(base::bytes_of(whole[i % 2]), random)).kind == Step::Kind::reply)
            CHECK(acceptor.accept(mutated(base::bytes_of(whole[1]), random)).kind != Step::Kind::done);
    }
}
