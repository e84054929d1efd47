#include "rpch/pdu.h"

#include "vectors.h"

#include <CppUTest/TestHarness.h>

TEST_GROUP(PduHeader) {
    // A bind in each byte order: fragment 72 bytes, authentication 16 bytes, call 0x01020304.
    const std::vector<std::uint8_t> little = vectors::unhex("05000b03100000004800100004030201");
    const std::vector<std::uint8_t> big = vectors::unhex("05000b03000000000048001001020304");
};

TEST(PduHeader, readsAndWritesBothByteOrders)
{
    for (const auto& bytes : {little, big}) {
        const auto header = rpch::PduHeader::decode(bytes);
        CHECK_TRUE(header.has_value());
        CHECK_TRUE(header->type == rpch::PacketType::bind);
        LONGS_EQUAL(72, header->frag_length);
        LONGS_EQUAL(16, header->auth_length);
        LONGS_EQUAL(0x01020304, header->call_id);
        std::array<std::uint8_t, rpch::header_size> out{};
        base::Writer writer(out);
        header->encode(writer);
        STRCMP_EQUAL(vectors::hex(bytes).c_str(), vectors::hex(writer.written()).c_str());
    }
}

TEST(PduHeader, needsSixteenBytes)
{
    for (std::size_t n = 0; n < rpch::header_size; ++n)
        CHECK_FALSE(rpch::PduHeader::decode(base::Bytes(little).first(n)).has_value());
}
