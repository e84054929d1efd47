#include "rpch/rpc.h"

#include "rpch/mgmt.h"
#include "unit/rpch/vectors.h"

#include <CppUTest/TestHarness.h>

using rpch::RpcReader;
using vectors::hex;
using vectors::unhex;
using Buffer = std::vector<std::uint8_t>;

namespace {

// C706 12.6.4; tshark reads them without error. And a bind_ack of Samba 4.17.
constexpr const char* bind_mgmt =
    "05000b03100000004800000001000000f80ff80f00000000010000000000010080bda8af8a7dc911bef408002b102989"
    "01000000045d888aeb1cc9119fe808002b10486002000000";
constexpr const char* bind_ack =
    "05000c03100000003c00000001000000f80ff80f7856341205003630303100000100000000000000045d888aeb1cc911"
    "9fe808002b10486002000000";
constexpr const char* samba_bind_ack =
    "05000c03100000003800000001000000f80ff80f68610000000000000100000000000000045d888aeb1cc9119fe80800"
    "2b10486002000000";
constexpr const char* response = "0500020310000000200000000200000008000000000000000000000001000000";
constexpr const char* fault = "0500030310000000200000000200000000000000000000000300011c00000000";

/// A response fragment of call 2 with `flags` and a stub in hex.
Buffer fragment(std::uint8_t flags, std::string_view stub)
{
    Buffer pdu = unhex("050002001000000000000000020000000000000000000000");
    pdu[3] = flags;
    const Buffer body = unhex(stub);
    pdu.insert(pdu.end(), body.begin(), body.end());
    pdu[8] = static_cast<std::uint8_t>(pdu.size());
    return pdu;
}

} // namespace

TEST_GROUP(Rpc)
{
    RpcReader reader{64};

    bool answers(const Buffer& pdu, std::uint32_t call_id)
    {
        return reader.take(pdu, call_id) == RpcReader::Kind::answer;
    }
    bool bad(const Buffer& pdu, std::uint32_t call_id)
    {
        return reader.take(pdu, call_id) == RpcReader::Kind::bad;
    }
};

TEST(Rpc, writesBindAndRequest)
{
    STRCMP_EQUAL(bind_mgmt, hex(rpch::bind_pdu(1, rpch::mgmt::interface)).c_str());
    STRCMP_EQUAL("050000031000000018000000020000000000000000000200",
                 hex(rpch::request_pdu(2, rpch::mgmt::op_is_server_listening, {})).c_str());
    const Buffer stub = unhex("0102");
    STRCMP_EQUAL("05000003100000001a0000000300000002000000000000000102", hex(rpch::request_pdu(3, 0, stub)).c_str());
}

TEST(Rpc, readsBindAck)
{
    CHECK(answers(unhex(bind_ack), 1));
    CHECK(reader.answer().type == rpch::PacketType::bind_ack);
    STRCMP_EQUAL("6001", reader.answer().secondary_address.c_str());
    UNSIGNED_LONGS_EQUAL(0x12345678, reader.answer().association_group);
    LONGS_EQUAL(0, reader.answer().result);
    CHECK(answers(unhex(samba_bind_ack), 1));
    STRCMP_EQUAL("", reader.answer().secondary_address.c_str());
}

TEST(Rpc, readsRejectionInBindAck)
{
    CHECK(answers(
        unhex("05000c03100000003800000001000000f80ff80f6861000000000000010000000200010000000000000000000000000000000000"
              "00000000"),
        1));
    LONGS_EQUAL(2, reader.answer().result);
    LONGS_EQUAL(1, reader.answer().reason);
}

TEST(Rpc, readsBindNak)
{
    CHECK(answers(unhex("05000d03100000001500000001000000080001050000"), 1) == false); // length is 21, 22 bytes came
    CHECK(answers(unhex("05000d031000000015000000010000000800010500"), 1));
    CHECK(reader.answer().type == rpch::PacketType::bind_nak);
    LONGS_EQUAL(8, reader.answer().reason);
}

TEST(Rpc, readsResponseAndFault)
{
    CHECK(answers(unhex(response), 2));
    STRCMP_EQUAL("0000000001000000", hex(reader.answer().stub).c_str());
    CHECK(answers(unhex(fault), 2));
    CHECK(reader.answer().type == rpch::PacketType::fault);
    UNSIGNED_LONGS_EQUAL(0x1c010003, reader.answer().status);
}

TEST(Rpc, readsBigEndianAnswers)
{
    CHECK(answers(unhex("0500030300000000002000000000000200000000000000001c01000300000000"), 2));
    UNSIGNED_LONGS_EQUAL(0x1c010003, reader.answer().status);
    CHECK_FALSE(reader.answer().little_endian);
    CHECK(answers(unhex("05000c0300000000003c0000000000010ff80ff8123456780005363030310000010000000000"
                        "00008a885d041ceb11c99fe808002b10486000020000"),
                  1));
    STRCMP_EQUAL("6001", reader.answer().secondary_address.c_str());
}

TEST(Rpc, joinsFragments)
{
    CHECK(reader.take(fragment(1, "0102"), 2) == RpcReader::Kind::more);
    CHECK(reader.take(fragment(0, "0304"), 2) == RpcReader::Kind::more);
    CHECK(answers(fragment(2, "05"), 2));
    STRCMP_EQUAL("0102030405", hex(reader.answer().stub).c_str());
    CHECK(answers(unhex(response), 2));
    STRCMP_EQUAL("0000000001000000", hex(reader.answer().stub).c_str());
}

TEST(Rpc, faultEndsAnUnfinishedResponse)
{
    CHECK(reader.take(fragment(1, "0102"), 2) == RpcReader::Kind::more);
    CHECK(answers(unhex(fault), 2));
    CHECK(answers(unhex(response), 2));
}

TEST(Rpc, refusesFragmentsInDisorder)
{
    CHECK(bad(fragment(0, "01"), 2));
    CHECK(bad(fragment(2, "01"), 2));
    RpcReader second(64);
    CHECK(second.take(fragment(1, "01"), 2) == RpcReader::Kind::more);
    CHECK(second.take(fragment(3, "01"), 2) == RpcReader::Kind::bad);
    RpcReader third(64);
    CHECK(third.take(fragment(1, "01"), 2) == RpcReader::Kind::more);
    Buffer big = fragment(2, "01");
    big[4] = 0;
    big[8] = 0, big[9] = 25, big[12] = 0, big[15] = 2;
    CHECK(third.take(big, 2) == RpcReader::Kind::bad);
}

TEST(Rpc, boundsTheStub)
{
    const std::string forty(80, '0');
    CHECK(reader.take(fragment(1, forty), 2) == RpcReader::Kind::more);
    CHECK(bad(fragment(2, forty), 2));
    STRCMP_EQUAL("response too long", reader.error());
}

TEST(Rpc, refusesWhatIsNoAnswerToUs)
{
    struct Row {
        const char* why;
        std::size_t at;
        std::uint8_t value;
    };
    static constexpr Row rows[] = {
        {"another call", 12, 3}, {"version 4", 0, 4},       {"a request", 2, 0},        {"a bind", 2, 11},
        {"unknown type", 2, 99}, {"authentication", 10, 8}, {"another context", 20, 1}, {"a longer length", 8, 33},
    };
    for (const Row& row : rows) {
        RpcReader fresh(64);
        Buffer pdu = unhex(response);
        pdu[row.at] = row.value;
        CHECK_TEXT(fresh.take(pdu, 2) == RpcReader::Kind::bad, row.why);
    }
    Buffer shutdown = unhex("05001103100000001000000000000000");
    CHECK(reader.take(shutdown, 2) == RpcReader::Kind::more);
}

TEST(Rpc, refusesEveryTruncation)
{
    struct Row {
        const char* pdu;
        std::uint32_t call_id;
        std::size_t needed;
    };
    static constexpr Row rows[] = {{bind_ack, 1, 60}, {samba_bind_ack, 1, 56}, {response, 2, 24}, {fault, 2, 28}};
    for (const Row& row : rows) {
        const Buffer whole = unhex(row.pdu);
        for (std::size_t n = 0; n < whole.size(); ++n) {
            Buffer cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
            RpcReader fresh(64);
            CHECK(fresh.take(cut, row.call_id) == RpcReader::Kind::bad);
            if (n < 16)
                continue;
            cut[8] = static_cast<std::uint8_t>(n);
            CHECK_EQUAL(n >= row.needed, fresh.take(cut, row.call_id) == RpcReader::Kind::answer);
        }
    }
}
