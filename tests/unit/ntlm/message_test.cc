#include "ntlm/message.h"

#include "ntlm/flags.h"
#include "unit/rpch/vectors.h"

#include <CppUTest/TestHarness.h>

using vectors::hex;
using vectors::unhex;

namespace {

// MS-NLMP 4.2.4.3.
const auto spec_challenge = unhex("4e544c4d53535000020000000c000c003800000033828ae20123456789abcdef"
                                  "00000000000000002400240044000000060070170000000f530065007200760065007200"
                                  "02000c0044006f006d00610069006e0001000c0053006500720076006500720000000000");
const auto spec_authenticate = unhex("4e544c4d5353500003000000180018006c00000054005400840000000c000c00"
                                     "480000000800080054000000100010005c00000010001000d8000000358288e2"
                                     "0501280a0000000f44006f006d00610069006e005500730065007200"
                                     "43004f004d0050005500540045005200"
                                     "86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa"
                                     "68cd0ab851e51c96aabc927bebef6a1c01010000000000000000000000000000aaaaaaaaaaaaaaaa00000000"
                                     "02000c0044006f006d00610069006e0001000c005300650072007600650072000000000000000000"
                                     "c5dad2544fc9799094ce1ce90bc9d03e");

/// `message` with four bytes at `at` set.
ntlm::Message with(ntlm::Message message, std::size_t at, std::uint32_t value)
{
    base::Writer writer(std::span<std::uint8_t>(message).subspan(at));
    writer.u32(value);
    return message;
}

} // namespace

TEST_GROUP(ntlm_message) {};

TEST(ntlm_message, challenge_4_2_4_3)
{
    const auto challenge = ntlm::Challenge::parse(spec_challenge).value();
    UNSIGNED_LONGS_EQUAL(0xe28a8233, challenge.flags);
    STRCMP_EQUAL("0123456789abcdef", hex(challenge.nonce).c_str());
    STRCMP_EQUAL("530065007200760065007200", hex(challenge.target_name).c_str());
    LONGS_EQUAL(36, challenge.target_info.size());
    // But for VERSION, and the server's.
    ntlm::Message expected = spec_challenge;
    std::copy(ntlm::server_version.begin(), ntlm::server_version.end(), expected.begin() + 48);
    STRCMP_EQUAL(hex(expected).c_str(), hex(challenge.build()).c_str());
}

TEST(ntlm_message, authenticate_4_2_4_3)
{
    auto authenticate = ntlm::Authenticate::parse(spec_authenticate).value();
    UNSIGNED_LONGS_EQUAL(0xe2888235, authenticate.flags);
    LONGS_EQUAL(24, authenticate.lm.size());
    LONGS_EQUAL(84, authenticate.nt.size());
    STRCMP_EQUAL("44006f006d00610069006e00", hex(authenticate.domain).c_str());
    STRCMP_EQUAL("5500730065007200", hex(authenticate.user).c_str());
    STRCMP_EQUAL("43004f004d0050005500540045005200", hex(authenticate.workstation).c_str());
    STRCMP_EQUAL("c5dad2544fc9799094ce1ce90bc9d03e", hex(authenticate.session_key).c_str());
    LONGS_EQUAL(0, authenticate.mic_offset);

    // Ours has the MIC behind VERSION, and is the same else.
    const ntlm::Message ours = authenticate.build();
    LONGS_EQUAL(72, authenticate.mic_offset);
    LONGS_EQUAL(spec_authenticate.size() + 16, ours.size());
    STRCMP_EQUAL(hex(base::Bytes(spec_authenticate).subspan(72)).c_str(), hex(base::Bytes(ours).subspan(88)).c_str());
    const auto again = ntlm::Authenticate::parse(ours).value();
    LONGS_EQUAL(72, again.mic_offset);
    STRCMP_EQUAL(hex(authenticate.nt).c_str(), hex(again.nt).c_str());
    STRCMP_EQUAL(hex(authenticate.workstation).c_str(), hex(again.workstation).c_str());
}

TEST(ntlm_message, where_the_mic_is)
{
    const struct {
        std::uint32_t payload;
        std::size_t mic;
    } rows[] = {{64, 0}, {72, 0}, {79, 0}, {80, 64}, {87, 64}, {88, 72}, {120, 72}};
    for (const auto& row : rows) {
        // One byte of a user name, at the end of nothing but zeros.
        ntlm::Message message(row.payload + 1);
        std::copy_n(spec_authenticate.begin(), 12, message.begin());
        message = with(message, 36, 1);
        message = with(message, 40, row.payload);
        LONGS_EQUAL(row.mic, ntlm::Authenticate::parse(message).value().mic_offset);
    }
}

TEST(ntlm_message, negotiate_is_read_as_short_as_clients_send_it)
{
    const auto whole = unhex("4e544c4d5353500001000000b78208e2"
                             "00000000000000000000000000000000"
                             "0a00614a0000000f");
    for (const std::size_t size : {16u, 24u, 32u, 38u, 40u}) {
        const auto negotiate = ntlm::Negotiate::parse(base::Bytes(whole).first(size)).value();
        UNSIGNED_LONGS_EQUAL(0xe20882b7, negotiate.flags);
        CHECK_TRUE(negotiate.domain.empty());
    }
    for (std::size_t size = 0; size < 16; ++size)
        CHECK_FALSE(ntlm::Negotiate::parse(base::Bytes(whole).first(size)).has_value());
}

TEST(ntlm_message, names_of_a_negotiate)
{
    const ntlm::Negotiate named{0xe208b207 | ntlm::flags::domain_supplied | ntlm::flags::workstation_supplied,
                                base::bytes_of("CORP"), base::bytes_of("PC12")};
    const ntlm::Message message = named.build();
    LONGS_EQUAL(48, message.size());
    const auto read = ntlm::Negotiate::parse(message).value();
    STRCMP_EQUAL(hex(named.domain).c_str(), hex(read.domain).c_str());
    STRCMP_EQUAL(hex(named.workstation).c_str(), hex(read.workstation).c_str());
    // Without the flags whatever stands there is nothing.
    const auto unnamed = ntlm::Negotiate::parse(with(message, 12, 0xe2088207)).value();
    CHECK_TRUE(unnamed.domain.empty() && unnamed.workstation.empty());
    // With them it must be there.
    for (const std::uint32_t offset : {0u, 31u, 45u, 48u, 0xfffffffeu}) {
        CHECK_FALSE(ntlm::Negotiate::parse(with(message, 20, offset)).has_value());
        CHECK_FALSE(ntlm::Negotiate::parse(with(message, 28, offset)).has_value());
    }
}

TEST(ntlm_message, each_field_is_within_the_message)
{
    const auto size = static_cast<std::uint32_t>(spec_authenticate.size());
    for (const std::size_t field : {12u, 20u, 28u, 36u, 44u, 52u}) {
        for (const std::uint32_t offset : {0u, 63u, size - 1, size, 0xffffffffu})
            CHECK_FALSE(ntlm::Authenticate::parse(with(spec_authenticate, field + 4, offset)).has_value());
        // An empty one may point anywhere, and is not the payload's begin.
        const auto empty = with(with(spec_authenticate, field, 0), field + 4, 3);
        CHECK_TRUE(ntlm::Authenticate::parse(empty).has_value());
    }
    for (const std::uint32_t offset : {0u, 47u, 100u, 0xffffffffu})
        CHECK_FALSE(ntlm::Challenge::parse(with(spec_challenge, 44, offset)).has_value());
    for (std::size_t n = 0; n < spec_authenticate.size(); ++n)
        CHECK_FALSE(ntlm::Authenticate::parse(base::Bytes(spec_authenticate).first(n)).has_value());
    for (std::size_t n = 0; n < spec_challenge.size(); ++n)
        CHECK_FALSE(ntlm::Challenge::parse(base::Bytes(spec_challenge).first(n)).has_value());
}

TEST(ntlm_message, another_type_or_too_long)
{
    CHECK_FALSE(ntlm::Authenticate::parse(spec_challenge).has_value());
    CHECK_FALSE(ntlm::Challenge::parse(spec_authenticate).has_value());
    CHECK_FALSE(ntlm::Negotiate::parse(spec_authenticate).has_value());
    LONGS_EQUAL(2, ntlm::message_type(spec_challenge));
    LONGS_EQUAL(0, ntlm::message_type(base::Bytes(spec_challenge).subspan(1)));
    LONGS_EQUAL(0, ntlm::message_type(base::Bytes(spec_challenge).first(11)));
    ntlm::Message message = spec_authenticate;
    message.resize(ntlm::max_message);
    CHECK_TRUE(ntlm::Authenticate::parse(message).has_value());
    message.resize(ntlm::max_message + 1);
    CHECK_FALSE(ntlm::Authenticate::parse(message).has_value());
}
