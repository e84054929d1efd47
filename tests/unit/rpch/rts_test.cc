#include "rpch/rts.h"

#include "rpch/rts_fields.h"
#include "rpch/rts_table.h"
#include "vectors.h"

#include <random>

#include <CppUTest/TestHarness.h>

using Buffer = std::vector<std::uint8_t>;

namespace {

std::string decode_error(base::Bytes pdu)
{
    rpch::Rts rts;
    const auto result = rpch::decode(pdu, rts);
    return result.ok() ? "ok" : result.error;
}

/// The same PDU with its length field put right.
Buffer with_length(Buffer pdu)
{
    pdu[8] = static_cast<std::uint8_t>(pdu.size());
    pdu[9] = static_cast<std::uint8_t>(pdu.size() >> 8);
    return pdu;
}

/// A PDU of `count` commands, given in hex.
Buffer pdu_of(unsigned count, std::string_view commands)
{
    Buffer pdu = vectors::unhex("0500140310000000000000000000000000000000");
    pdu[18] = static_cast<std::uint8_t>(count);
    pdu[19] = static_cast<std::uint8_t>(count >> 8);
    const Buffer body = vectors::unhex(commands);
    pdu.insert(pdu.end(), body.begin(), body.end());
    return with_length(pdu);
}

} // namespace

TEST_GROUP(Rts) {
};

TEST(Rts, refusesEveryTruncation)
{
    for (const auto& v : vectors::load())
        for (std::size_t n = 0; n < v.bytes.size(); ++n) {
            const base::Bytes cut = base::Bytes(v.bytes).first(n);
            CHECK_FALSE(decode_error(cut) == "ok");
            if (n >= 10)
                CHECK_FALSE(decode_error(with_length(Buffer(cut.begin(), cut.end()))) == "ok");
        }
}

TEST(Rts, refusesATrailingByte)
{
    for (const auto& v : vectors::load()) {
        Buffer longer = v.bytes;
        longer.push_back(0);
        STRCMP_EQUAL("RTS fragment length is not the size of the PDU", decode_error(longer).c_str());
        STRCMP_EQUAL("bytes after the last RTS command", decode_error(with_length(longer)).c_str());
    }
}

TEST(Rts, refusesEveryOtherValueInTheFixedHeaderBytes)
{
    const struct {
        std::size_t from, to;
        const char* error;
    } rows[] = {
        {0, 2, "RTS version is not 5.0"},
        {2, 3, "not an RTS PDU"},
        {3, 4, "RTS PDU is not one fragment"},
        {4, 8, "RTS PDU is not in the byte order 10 00 00 00"},
        {8, 10, "RTS fragment length is not the size of the PDU"},
        {10, 12, "RTS PDU with authentication"},
        {12, 16, "RTS PDU with a call id"},
    };
    for (const auto& r : rows)
        for (std::size_t i = r.from; i < r.to; ++i)
            for (int value = 1; value < 256; ++value) {
                Buffer pdu = vectors::bytes("CONN/A1");
                pdu[i] = static_cast<std::uint8_t>(pdu[i] ^ value);
                STRCMP_EQUAL(r.error, decode_error(pdu).c_str());
            }
}

TEST(Rts, refusesBadCommands)
{
    const struct {
        const char* what;
        unsigned count;
        const char* commands;
        const char* error;
    } rows[] = {
        {"unknown command 0xf", 1, "0f000000", "unknown command"},
        {"unknown command 0x10000", 1, "00000100", "unknown command"},
        {"big-endian type", 1, "00000007", "unknown command"},
        {"count too high", 2, "07000000", "RTS commands go beyond the PDU"},
        {"count too low", 0, "07000000", "bytes after the last RTS command"},
        {"count too low for two", 1, "0700000007000000", "bytes after the last RTS command"},
        {"nine commands", 9, "070000000700000007000000070000000700000007000000070000000700000007000000",
         "RTS PDU with more than 8 commands"},
        {"65535 commands", 65535, "07000000", "RTS PDU with more than 8 commands"},
        {"half a type", 1, "0700", "RTS commands go beyond the PDU"},
        {"half a value", 1, "060000000100", "RTS commands go beyond the PDU"},
        {"Padding one past the end", 1, "080000000500000000000000", "RTS commands go beyond the PDU"},
        {"Padding of 4 GB", 1, "08000000ffffffff", "RTS commands go beyond the PDU"},
        {"Padding that leaves bytes", 1, "08000000040000000000000000", "bytes after the last RTS command"},
        {"AddressType 2", 1, "0b00000002000000c000020a000000000000000000000000", "ClientAddress of unknown type"},
        {"IPv6 of IPv4 size", 1, "0b00000001000000c000020a000000000000000000000000", "RTS commands go beyond the PDU"},
        {"IPv4 of IPv6 size", 1, "0b0000000000000020010db8000000000000000000000001000000000000000000000000",
         "bytes after the last RTS command"},
        {"Destination 4", 1, "0d00000004000000", "unknown Destination"},
        {"Destination 0x01000000", 1, "0d00000000000001", "unknown Destination"},
        {"window 8191", 1, "00000000ff1f0000", "ReceiveWindowSize out of range"},
        {"window 262145", 1, "0000000001000400", "ReceiveWindowSize out of range"},
        {"lifetime 131071", 1, "04000000ffff0100", "ChannelLifetime out of range"},
        {"lifetime 2 GB + 1", 1, "0400000001000080", "ChannelLifetime out of range"},
    };
    for (const auto& r : rows)
        STRCMP_EQUAL_TEXT(r.error, decode_error(pdu_of(r.count, r.commands)).c_str(), r.what);
}

TEST(Rts, takesTheEdgesAndTheLenientValues)
{
    const struct {
        const char* what;
        unsigned count;
        const char* commands;
    } rows[] = {
        {"window 8192", 1, "0000000000200000"},
        {"window 262144", 1, "0000000000000400"},
        {"lifetime 131072", 1, "0400000000000200"},
        {"lifetime 2 GB", 1, "0400000000000080"},
        {"timeout 0", 1, "0200000000000000"},
        {"timeout 2^32-1", 1, "02000000ffffffff"},
        {"keepalive 1", 1, "0500000001000000"},
        {"version 2^32-1", 1, "06000000ffffffff"},
        {"Destination 3", 1, "0d00000003000000"},
        {"Padding of 0 bytes", 1, "0800000000000000"},
        {"Padding that is not zero", 1, "0800000002000000ffff"},
        {"ClientAddress with padding that is not zero", 1, "0b00000000000000c000020affffffffffffffffffffffff"},
        {"eight commands", 8, "0700000007000000070000000700000007000000070000000700000007000000"},
    };
    for (const auto& r : rows)
        STRCMP_EQUAL_TEXT("ok", decode_error(pdu_of(r.count, r.commands)).c_str(), r.what);
}

TEST(Rts, takesAnyLifetimeInConnB1Only)
{
    Buffer b1 = vectors::bytes("CONN/B1"), a2 = vectors::bytes("CONN/A2");
    const std::size_t lifetime = 20 + 8 + 20 + 20 + 4;
    for (std::size_t i = 0; i < 4; ++i)
        b1[lifetime + i] = a2[lifetime + i] = 0;
    STRCMP_EQUAL("ok", decode_error(b1).c_str());
    STRCMP_EQUAL("ChannelLifetime out of range", decode_error(a2).c_str());
}

TEST(Rts, refusesMoreThan256Bytes)
{
    const std::string zeros(2 * (256 - 28), '0');
    STRCMP_EQUAL("ok", decode_error(pdu_of(1, "08000000e4000000" + zeros)).c_str());
    STRCMP_EQUAL("RTS PDU above 256 bytes", decode_error(pdu_of(1, "08000000e5000000" + zeros + "00")).c_str());
}

TEST(Rts, survivesRandomDamage)
{
    std::mt19937 random(2);
    const auto all = vectors::load();
    std::size_t good = 0;
    for (int round = 0; round < 40000; ++round) {
        Buffer pdu = all[random() % all.size()].bytes;
        for (auto n = random() % 3 + 1; n != 0; --n)
            pdu[random() % pdu.size()] = static_cast<std::uint8_t>(random());
        rpch::Rts rts;
        if (!rpch::decode(pdu, rts).ok())
            continue;
        ++good;
        CHECK_TRUE(rts.count <= rpch::Rts::max_commands);
        const rpch::RtsBytes again = rpch::encode(rts);
        LONGS_EQUAL(pdu.size(), again.size);
        rpch::Rts twice;
        CHECK_TRUE(rpch::decode(again, twice).ok() && twice.list == rts.list);
    }
    CHECK_TRUE(good > 1000);
}

TEST(Rts, clampsWhatItDoesNotRefuse)
{
    LONGS_EQUAL(120000, rpch::clamp_connection_timeout(0));
    LONGS_EQUAL(120000, rpch::clamp_connection_timeout(120000));
    LONGS_EQUAL(14400000, rpch::clamp_connection_timeout(0xffffffff));
    LONGS_EQUAL(300000, rpch::clamp_client_keepalive(0));
    LONGS_EQUAL(60000, rpch::clamp_client_keepalive(1));
    UNSIGNED_LONGS_EQUAL(0xffffffff, rpch::clamp_client_keepalive(0xffffffff));
    LONGS_EQUAL(8192, rpch::clamp_receive_window(0));
    LONGS_EQUAL(262144, rpch::clamp_receive_window(1u << 30));
}

TEST(Rts, describesItselfWithoutCookies)
{
    rpch::Rts rts;
    CHECK_TRUE(rpch::decode(vectors::bytes("OUT_R1/A7"), rts).ok());
    STRCMP_EQUAL("flags=0x0010 Destination Cookie", rpch::describe(rts).c_str());
}

TEST(Rts, fieldsFailOnAnotherTypeAndStayFailed)
{
    rpch::Rts rts;
    CHECK_TRUE(rpch::decode(vectors::bytes("CONN/A1"), rts).ok());
    rpch::RtsFields fields(rts);
    LONGS_EQUAL(1, fields.version());
    LONGS_EQUAL(0, fields.receive_window());
    CHECK_FALSE(fields.ok());
    CHECK_TRUE(fields.cookie().zero());
    CHECK_FALSE(fields.done());
}

TEST(Rts, fieldsAreDoneAfterTheLastOnly)
{
    rpch::Rts rts;
    CHECK_TRUE(rpch::decode(vectors::bytes("CONN/C1"), rts).ok());
    rpch::RtsFields fields(rts);
    LONGS_EQUAL(1, fields.version());
    LONGS_EQUAL(65536, fields.receive_window());
    CHECK_FALSE(fields.done());
    LONGS_EQUAL(120000, fields.connection_timeout());
    CHECK_TRUE(fields.done());
    LONGS_EQUAL(0, fields.version());
    CHECK_FALSE(fields.ok());
}

TEST(Rts, everyCommandHasAName)
{
    static constexpr const char* names[] = {"ReceiveWindowSize", "FlowControlAck", "ConnectionTimeout", "Cookie",
                                            "ChannelLifetime", "ClientKeepalive", "Version", "Empty", "Padding",
                                            "NegativeANCE", "ANCE", "ClientAddress", "AssociationGroupId", "Destination",
                                            "PingTrafficSentNotify", "unknown"};
    std::uint32_t type = 0;
    for (const char* const name : names) {
        rpch::Rts rts;
        rts.add({.type = static_cast<rpch::CommandType>(type++)});
        STRCMP_EQUAL((std::string("flags=0x0000 ") + name).c_str(), rpch::describe(rts).c_str());
    }
}
