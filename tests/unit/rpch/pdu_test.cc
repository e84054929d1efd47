#include "rpch/pdu.h"

#include "vectors.h"

#include <algorithm>

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

TEST(PduHeader, everyByteHasItsPlaceInBothOrders)
{
    for (const bool is_little : {true, false}) {
        for (unsigned place = 0; place < 4; ++place) {
            std::vector<std::uint8_t> bytes = is_little ? little : big;
            std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
            bytes[8 + place] = 0xff; // frag_length and auth_length
            bytes[12 + place] = 0xff;
            const auto header = rpch::PduHeader::decode(bytes);
            CHECK_TRUE(header.has_value());
            const unsigned low_first = is_little ? place : 3 - place;
            LONGS_EQUAL(place < 2 ? 0xff << 8 * (low_first % 2) : 0, header->frag_length);
            LONGS_EQUAL(place < 2 ? 0 : 0xff << 8 * (low_first % 2), header->auth_length);
            UNSIGNED_LONGS_EQUAL(0xffu << 8 * low_first, header->call_id);
            std::array<std::uint8_t, rpch::header_size> out{};
            base::Writer writer(out);
            header->encode(writer);
            STRCMP_EQUAL(vectors::hex(bytes).c_str(), vectors::hex(writer.written()).c_str());
        }
    }
}
