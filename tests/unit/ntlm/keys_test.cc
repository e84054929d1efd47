#include "ntlm/keys.h"

#include "ntlm/av_pairs.h"
#include "ntlm/flags.h"
#include "ntlm/text.h"
#include "unit/rpch/vectors.h"

#include <nettle/arcfour.h>

#include <CppUTest/TestHarness.h>

using vectors::hex;
using vectors::unhex;

namespace {

// MS-NLMP 4.2.1 and 4.2.4: user, domain and password are "User", "Domain" and "Password", the time is 0.
const ntlm::Nonce server_challenge{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
const ntlm::Nonce client_challenge{0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa};
const ntlm::Key random_session_key(std::vector<std::uint8_t>(16, 0x55));
constexpr std::uint32_t spec_flags = 0xe28a8233;
const std::vector<std::uint8_t> spec_blob = unhex("01010000000000000000000000000000aaaaaaaaaaaaaaaa00000000"
                                                  "02000c0044006f006d00610069006e00"
                                                  "01000c00530065007200760065007200"
                                                  "0000000000000000");

ntlm::Key spec_ntowf(const char* user = "User", const char* domain = "Domain")
{
    return ntlm::ntowf_v2(ntlm::nt_hash("Password").value(), ntlm::to_utf16(user).value(), ntlm::to_utf16(domain).value());
}

} // namespace

TEST_GROUP(ntlm_keys) {};

TEST(ntlm_keys, nt_hash_4_2_2_1_2)
{
    STRCMP_EQUAL("a4f49c406510bdcab6824ee7c30fd852", hex(ntlm::nt_hash("Password").value()).c_str());
    STRCMP_EQUAL("31d6cfe0d16ae931b73c59d7e0c089c0", hex(ntlm::nt_hash("").value()).c_str());
    CHECK_FALSE(ntlm::nt_hash("\xff").has_value());
}

TEST(ntlm_keys, ntowf_v2_4_2_4_1_1)
{
    STRCMP_EQUAL("0c868a403bfd7a93a3001ef22ef02e3f", hex(spec_ntowf()).c_str());
    STRCMP_EQUAL("0c868a403bfd7a93a3001ef22ef02e3f", hex(spec_ntowf("uSER")).c_str());
    CHECK_FALSE(ntlm::equal(spec_ntowf(), spec_ntowf("User", "DOMAIN")));
}

TEST(ntlm_keys, session_base_key_4_2_4_1_2)
{
    const ntlm::Key proof = ntlm::nt_proof(spec_ntowf(), server_challenge, spec_blob);
    STRCMP_EQUAL("8de40ccadbc14a82f15cb0ad0de95ca3", hex(ntlm::session_base_key(spec_ntowf(), proof)).c_str());
}

TEST(ntlm_keys, lm_response_4_2_4_2_1)
{
    STRCMP_EQUAL("86c35097ac9cec102554764a57cccc19", hex(ntlm::lm_proof(spec_ntowf(), server_challenge, client_challenge)).c_str());
}

TEST(ntlm_keys, nt_response_4_2_4_2_2)
{
    STRCMP_EQUAL("68cd0ab851e51c96aabc927bebef6a1c", hex(ntlm::nt_proof(spec_ntowf(), server_challenge, spec_blob)).c_str());
}

TEST(ntlm_keys, encrypted_session_key_4_2_4_2_3)
{
    const ntlm::Key base(unhex("8de40ccadbc14a82f15cb0ad0de95ca3"));
    STRCMP_EQUAL("c5dad2544fc9799094ce1ce90bc9d03e", hex(ntlm::rc4(base, random_session_key)).c_str());
    CHECK_TRUE(ntlm::equal(random_session_key, ntlm::rc4(base, unhex("c5dad2544fc9799094ce1ce90bc9d03e"))));
}

TEST(ntlm_keys, signature_4_2_4_4)
{
    // The specification signs after it has sealed the 18 bytes of "Plaintext" with the same RC4 stream; here the stream
    // begins with the signature.
    const ntlm::Session session{random_session_key, spec_flags};
    const auto signature = session.sign(ntlm::Side::client, ntlm::to_utf16("Plaintext").value()).value();
    STRCMP_EQUAL("01000000", hex(base::Bytes(signature).first(4)).c_str());
    STRCMP_EQUAL("00000000", hex(base::Bytes(signature).subspan(12)).c_str());

    arcfour_ctx stream;
    arcfour_set_key(&stream, 16, unhex("59f600973cc4960a25480a7c196e4c58").data()); // the client's sealing key
    std::vector<std::uint8_t> keys(18 + 8);
    arcfour_crypt(&stream, keys.size(), keys.data(), keys.data());
    std::vector<std::uint8_t> moved;
    for (std::size_t i = 0; i < 8; ++i)
        moved.push_back(static_cast<std::uint8_t>(signature[4 + i] ^ keys[i] ^ keys[18 + i]));
    STRCMP_EQUAL("7fb38ec5c55d4976", hex(moved).c_str());
}

TEST(ntlm_keys, signatures_differ_by_side_and_strength)
{
    const auto message = unhex("300c060a2b06010401823702020a");
    std::vector<std::string> seen;
    using namespace ntlm::flags;
    for (const std::uint32_t without : {0u, key_128, key_128 | key_56, key_exchange})
        for (const ntlm::Side side : {ntlm::Side::client, ntlm::Side::server}) {
            const ntlm::Session session{random_session_key, spec_flags & ~without};
            seen.push_back(hex(session.sign(side, message).value()));
            STRCMP_EQUAL(seen.back().c_str(), hex(session.sign(side, message).value()).c_str());
        }
    for (std::size_t i = 0; i < seen.size(); ++i)
        for (std::size_t k = 0; k < i; ++k)
            CHECK(seen[i] != seen[k]);
    const ntlm::Session unable{random_session_key, spec_flags & ~extended_security};
    CHECK_FALSE(unable.sign(ntlm::Side::client, message).has_value());
}

TEST(ntlm_keys, equal_compares_all)
{
    const auto a = unhex("00112233445566778899aabbccddeeff");
    CHECK_TRUE(ntlm::equal(a, a));
    CHECK_FALSE(ntlm::equal(a, base::Bytes(a).first(15)));
    for (std::size_t i = 0; i < a.size(); ++i) {
        auto b = a;
        b[i] ^= 0x80;
        CHECK_FALSE(ntlm::equal(a, b));
    }
}

TEST(ntlm_keys, binding_hash_of_the_structure)
{
    // MD5 of 16 zero bytes, the length 24 in four, and the text, by another program.
    STRCMP_EQUAL("feb0fffbc725957540b287e8c838dfd9", hex(ntlm::binding_hash("tls-server-end-point:abc")).c_str());
}

TEST_GROUP(ntlm_av_pairs) {};

TEST(ntlm_av_pairs, both_ways)
{
    const auto list = unhex("02000c0044006f006d00610069006e00"
                            "01000c00530065007200760065007200"
                            "00000000");
    const auto pairs = ntlm::parse_av_pairs(list).value();
    LONGS_EQUAL(2, pairs.size());
    STRCMP_EQUAL("530065007200760065007200", hex(find(pairs, ntlm::AvId::nb_computer_name)->value).c_str());
    POINTERS_EQUAL(nullptr, find(pairs, ntlm::AvId::timestamp));
    STRCMP_EQUAL(hex(list).c_str(), hex(ntlm::build_av_pairs(pairs)).c_str());
    CHECK_TRUE(ntlm::parse_av_pairs(unhex("0000000001020304")).has_value());
}

TEST(ntlm_av_pairs, malformed)
{
    const char* const rows[] = {
        "", "0000", "000000", "02000000", "0200040044000000", "02000400440000000000", "00000100",
        "020000000200000000000000",                 // twice
        "0600040002000000060004000000000000000000", // twice, and different
    };
    for (const char* list : rows)
        CHECK_FALSE_TEXT(ntlm::parse_av_pairs(unhex(list)).has_value(), list);
}
