#include "unit/ntlm/windows_client.h"
#include "unit/rpch/vectors.h"

#include <CppUTest/TestHarness.h>

namespace flags = ntlm::flags;
using vectors::hex;
using vectors::unhex;

TEST_GROUP(ntlm_challenge)
{
    TestServer server;

    ntlm::Message challenge(std::uint32_t type1_flags)
    {
        WindowsClient client;
        client.flags = type1_flags;
        return server.acceptor.challenge(client.type1(), TestServer::nonce, TestServer::now).value();
    }
    std::uint32_t flags_of(std::uint32_t type1_flags)
    {
        const ntlm::Message message = challenge(type1_flags);
        return ntlm::Challenge::parse(message).value().flags;
    }
};

TEST(ntlm_challenge, is_that_of_samba_to_windows)
{
    const ntlm::Message message = challenge(0xe2088297);
    STRCMP_EQUAL("4e544c4d53535000"
                 "02000000"
                 "0a000a0038000000"           // TargetName
                 "15828ae2"                   // as Samba 4.17 answers a Windows client
                 "0123456789abcdef"           // ServerChallenge
                 "0000000000000000"           //
                 "6e006e0042000000"           // TargetInfo
                 "060100000000000f"           // VERSION
                 "500052004f0058005900"       // PROXY
                 "0200080043004f0052005000"   // MsvAvNbDomainName
                 "01000a00500052004f0058005900" // MsvAvNbComputerName
                 "0400180063006f00720070002e006500780061006d0070006c006500" // MsvAvDnsDomainName
                 "03002400700072006f00780079002e0063006f00720070002e006500780061006d0070006c006500" // MsvAvDnsComputerName
                 "07000800e21b9b5b757ed901"   // MsvAvTimestamp
                 "00000000",
                 hex(message).c_str());
}

TEST(ntlm_challenge, grants_what_is_asked_for)
{
    const std::uint32_t least = flags::ntlm | flags::target_info | flags::unicode;
    const struct {
        std::uint32_t asked, granted;
    } rows[] = {
        {flags::unicode, least},
        {flags::unicode | flags::oem, least},
        {flags::oem, (least & ~flags::unicode) | flags::oem},
        {flags::unicode | flags::request_target, least | flags::request_target | flags::target_type_server},
        {flags::unicode | flags::sign | flags::seal | flags::always_sign, least | flags::sign | flags::seal | flags::always_sign},
        {flags::unicode | flags::extended_security | flags::lm_key, least | flags::extended_security},
        {flags::unicode | flags::lm_key, least},
        {flags::unicode | flags::version | flags::key_128 | flags::key_exchange | flags::key_56,
         least | flags::version | flags::key_128 | flags::key_exchange | flags::key_56},
        {flags::unicode | 0x0d774d48, least}, // all that has no meaning here
    };
    for (const auto& row : rows)
        UNSIGNED_LONGS_EQUAL(row.granted, flags_of(row.asked));
}

TEST(ntlm_challenge, eight_bytes_of_version_are_always_there)
{
    const ntlm::Message message = challenge(flags::unicode);
    STRCMP_EQUAL("0000000000000000", hex(base::Bytes(message).subspan(48, 8)).c_str());
    LONGS_EQUAL(56, message[44]);
}

TEST(ntlm_challenge, in_oem)
{
    const ntlm::Message message = challenge(flags::oem | flags::request_target);
    const auto read = ntlm::Challenge::parse(message).value();
    STRCMP_EQUAL(hex(base::bytes_of("PROXY")).c_str(), hex(read.target_name).c_str());
    // AV pairs are Unicode always.
    STRCMP_EQUAL("0200080043004f0052005000", hex(read.target_info.first(12)).c_str());
}

TEST(ntlm_challenge, of_a_domain_member)
{
    server.identity.domain_member = true;
    const ntlm::Message message = challenge(flags::unicode | flags::request_target);
    const auto read = ntlm::Challenge::parse(message).value();
    STRCMP_EQUAL("43004f0052005000", hex(read.target_name).c_str());
    CHECK_TRUE(read.flags & flags::target_type_domain);
    CHECK_FALSE(read.flags & flags::target_type_server);
}

TEST(ntlm_challenge, of_whom_no_target_was_asked)
{
    const ntlm::Message message = challenge(flags::unicode);
    CHECK_TRUE(ntlm::Challenge::parse(message).value().target_name.empty());
}

TEST(ntlm_challenge, is_not_for_a_malformed_message_or_one_without_encoding)
{
    const char* const rows[] = {
        "",
        "4e544c4d53535000",
        "4e544c4d5353500001000000",
        "4e544c4d535350000100000000020000", // neither Unicode nor OEM
        "4e544c4d535350000300000001020000", // another type
        "4e544c4d535350000100000001120000", // a domain that is not there
    };
    for (const char* bytes : rows)
        CHECK_FALSE_TEXT(server.acceptor.challenge(unhex(bytes), TestServer::nonce, TestServer::now).has_value(), bytes);
}

TEST(ntlm_challenge, file_time)
{
    CHECK_EQUAL(116444736000000000u, ntlm::file_time(0, 0));
    CHECK_EQUAL(116444736000000000u + 15000001, ntlm::file_time(1, 500000100));
}
