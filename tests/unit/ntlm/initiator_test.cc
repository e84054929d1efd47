#include "ntlm/initiator.h"

#include "unit/ntlm/windows_client.h"
#include "unit/rpch/vectors.h"

#include <CppUTest/TestHarness.h>

namespace flags = ntlm::flags;
using ntlm::AvId;
using ntlm::Initiator;

TEST_GROUP(ntlm_initiator)
{
    TestServer server;
    Initiator::Login login;
    const Initiator::Random random{{1, 2, 3, 4, 5, 6, 7, 8}, ntlm::Key(ntlm::Message(16, 0x77))};

    void setup() override
    {
        login.user = "J\xc3\xb6rg";
        login.domain = "CORP";
        login.workstation = "PC12";
        login.nt_hash = ntlm::nt_hash("Password").value();
        login.target = "HTTP/proxy.corp.example";
    }

    std::optional<ntlm::Message> type3(Initiator & initiator)
    {
        const auto type1 = initiator.negotiate();
        return initiator.authenticate(server.acceptor.challenge(type1, TestServer::nonce, TestServer::now).value(), random, 0);
    }
};

TEST(ntlm_initiator, is_let_in)
{
    server.protection = {ntlm::Protection::Policy::require, ntlm::binding_hash("data"), {"HTTP/proxy.corp.example"}};
    login.binding = ntlm::binding_hash("data");
    for (const std::uint32_t wish : {Initiator::windows_flags, Initiator::windows_flags & ~flags::key_exchange, 0xa2088207u})
        for (const bool named : {false, true}) {
            login.flags = wish;
            login.names_in_negotiate = named;
            Initiator initiator(login);
            LET_IN(server.login(type3(initiator).value()));
            CHECK_TRUE(server.acceptor.carried_mic() && server.acceptor.channel_bound() && initiator.carried_mic());
            CHECK_TRUE(initiator.session().sign(ntlm::Side::server, random.client_challenge) ==
                       server.acceptor.session().sign(ntlm::Side::server, random.client_challenge));
        }
}

TEST(ntlm_initiator, is_refused_for_what_it_should_not_have)
{
    login.nt_hash = ntlm::nt_hash("password").value();
    Initiator wrong(login);
    REFUSED(ntlm::Refusal::wrong_password, server.login(type3(wrong).value()));
}

TEST(ntlm_initiator, negotiate_with_and_without_names)
{
    Initiator silent(login);
    const auto type1 = silent.negotiate();
    LONGS_EQUAL(40, type1.size());
    UNSIGNED_LONGS_EQUAL(0xe2088297, ntlm::Negotiate::parse(type1).value().flags);

    login.names_in_negotiate = true;
    login.workstation = "B\xc3\x9cRO"; // no OEM text
    Initiator named(login);
    const auto with_names = named.negotiate();
    const auto read = ntlm::Negotiate::parse(with_names).value();
    UNSIGNED_LONGS_EQUAL(0xe2089297, read.flags);
    STRCMP_EQUAL("434f5250", vectors::hex(read.domain).c_str());
    CHECK_TRUE(read.workstation.empty());
}

TEST(ntlm_initiator, pairs_are_in_windows_order)
{
    Initiator initiator(login);
    const auto message = type3(initiator).value();
    const auto read = ntlm::Authenticate::parse(message).value();
    const auto pairs = ntlm::parse_av_pairs(read.nt.subspan(16 + 28)).value();
    std::vector<AvId> order;
    for (const ntlm::AvPair& pair : pairs)
        order.push_back(pair.id);
    const std::vector<AvId> windows{AvId::nb_domain_name, AvId::nb_computer_name, AvId::dns_domain_name, AvId::dns_computer_name,
                                    AvId::timestamp, AvId::flags, AvId::channel_bindings, AvId::target_name};
    CHECK_TRUE(windows == order);
    STRCMP_EQUAL("02000000", vectors::hex(find(pairs, AvId::flags)->value).c_str());
    // The time is the server's, there is no LM response, the names come first and the responses behind.
    STRCMP_EQUAL(vectors::hex(find(pairs, AvId::timestamp)->value).c_str(), vectors::hex(read.nt.subspan(24, 8)).c_str());
    STRCMP_EQUAL(std::string(48, '0').c_str(), vectors::hex(read.lm).c_str());
    STRCMP_EQUAL("43004f0052005000", vectors::hex(base::Bytes(message).subspan(88, 8)).c_str());
}

TEST(ntlm_initiator, a_server_that_tells_no_time)
{
    // Or nothing at all. With MsvAvFlags, as gss-ntlmssp has it, the client's take the place of the server's.
    const std::array<std::uint8_t, 4> zero{};
    const std::vector<ntlm::AvPair> named{{AvId::nb_domain_name, base::bytes_of("C\0O\0")}, {AvId::flags, zero}};
    for (const auto& pairs : {named, std::vector<ntlm::AvPair>()}) {
        const auto info = pairs.empty() ? ntlm::Message() : ntlm::build_av_pairs(pairs);
        const ntlm::Challenge challenge{0xe28a8215, {}, TestServer::nonce, info};
        Initiator initiator(login);
        initiator.negotiate();
        const auto message = initiator.authenticate(challenge.build(), random, 0x0102030405060708).value();
        CHECK_FALSE(initiator.carried_mic());
        const auto read = ntlm::Authenticate::parse(message).value();
        STRCMP_EQUAL("0807060504030201", vectors::hex(read.nt.subspan(24, 8)).c_str());
        STRCMP_EQUAL("0102030405060708", vectors::hex(read.lm.subspan(16)).c_str());
        const auto theirs = ntlm::parse_av_pairs(read.nt.subspan(16 + 28)).value();
        POINTERS_EQUAL(nullptr, find(theirs, AvId::flags));
        STRCMP_EQUAL(std::string(32, '0').c_str(), vectors::hex(base::Bytes(message).subspan(72, 16)).c_str());
    }
}

TEST(ntlm_initiator, malformed_challenges)
{
    const std::array<std::uint8_t, 7> short_time{};
    const std::vector<ntlm::AvPair> pairs{{AvId::timestamp, short_time}};
    const auto info = ntlm::build_av_pairs(pairs);
    const auto unended = ntlm::Message{2, 0, 0, 0};
    const ntlm::Message rows[] = {
        {},
        ntlm::Challenge{0xe28a8214, {}, TestServer::nonce, {}}.build(), // no Unicode
        ntlm::Challenge{0xe28a8215, {}, TestServer::nonce, info}.build(),
        ntlm::Challenge{0xe28a8215, {}, TestServer::nonce, unended}.build(),
        Initiator(login).negotiate(),
    };
    for (const ntlm::Message& row : rows) {
        Initiator initiator(login);
        initiator.negotiate();
        CHECK_FALSE(initiator.authenticate(row, random, 0).has_value());
    }
    login.user = "\xff";
    Initiator initiator(login);
    CHECK_FALSE(type3(initiator).has_value());
}
