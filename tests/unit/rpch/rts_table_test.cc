#include "rpch/rts_table.h"

#include "role_fixture.h"
#include "vectors.h"

#include <algorithm>

#include <CppUTest/TestHarness.h>

using rpch::RtsId;

TEST_GROUP(RtsTable) {
};

TEST(RtsTable, hasOneRowForEachSection)
{
    unsigned section = 2; // 2.2.4.1 is the introduction
    for (const rpch::RtsRow& r : rpch::rts_rows())
        STRCMP_EQUAL(("2.2.4." + std::to_string(section++)).c_str(), r.section);
    LONGS_EQUAL(52, section);
}

TEST(RtsTable, hasTheSizesThatTheHttpLayerReliesOn)
{
    LONGS_EQUAL(76, rpch::row(RtsId::conn_a1).size);
    LONGS_EQUAL(120, rpch::row(RtsId::out_r1_a3).size + rpch::row(RtsId::out_r1_a11).size);
    LONGS_EQUAL(120, rpch::row(RtsId::out_r2_a3).size + rpch::row(RtsId::out_r2_c1).size);
    LONGS_EQUAL(20, rpch::row(RtsId::echo).size);
}

TEST(RtsTable, isKnowsItsOwnVectorAndItsLookAlikesOnly)
{
    for (const auto& v : vectors::load())
        for (const rpch::RtsRow& r : rpch::rts_rows()) {
            if (v.name != r.name)
                continue;
            rpch::Rts rts;
            CHECK_TRUE_TEXT(rpch::decode(v.bytes, rts).ok(), v.name.c_str());
            CHECK_TRUE_TEXT(v.bytes.size() == r.size || v.bytes.size() == r.max_size, r.name);
            for (const rpch::RtsRow& other : rpch::rts_rows()) {
                const bool alike = rpch::look_alike(r.id, other.id) && rts.count >= other.required &&
                                   rts.count <= other.count;
                CHECK_EQUAL_TEXT(alike, rts.is(other.id), (v.name + " as " + other.name).c_str());
            }
        }
}

TEST(RtsTable, listsLookAlikes)
{
    const std::vector<RtsId> cookie{RtsId::in_r1_a5, RtsId::in_r1_a6, RtsId::in_r2_a2, RtsId::in_r2_a5};
    CHECK_TRUE(rpch::look_alikes(RtsId::out_r2_a4) == cookie);
    const std::vector<RtsId> ance{RtsId::out_r1_a9, RtsId::out_r1_a10, RtsId::out_r1_a11};
    CHECK_TRUE(rpch::look_alikes(RtsId::out_r2_b1) == ance);
    const std::vector<RtsId> both_forms{RtsId::out_r1_a7, RtsId::out_r1_a8, RtsId::out_r2_a7};
    CHECK_TRUE(rpch::look_alikes(RtsId::out_r2_a8) == both_forms);
    CHECK_TRUE(rpch::look_alikes(RtsId::conn_a1).empty());
    CHECK_TRUE(rpch::look_alikes(RtsId::out_r2_b3).empty());
}

TEST(RtsTable, lookAlikeIsSymmetric)
{
    for (const rpch::RtsRow& a : rpch::rts_rows())
        for (const rpch::RtsRow& b : rpch::rts_rows())
            CHECK_EQUAL(rpch::look_alike(a.id, b.id), rpch::look_alike(b.id, a.id));
}

TEST(RtsTable, aFixedDestinationIsPartOfTheShape)
{
    auto bytes = vectors::bytes("OUT_R1/A7");
    bytes[24] = 0; // to the client instead of the server
    rpch::Rts rts;
    CHECK_TRUE(rpch::decode(bytes, rts).ok());
    CHECK_FALSE(rts.is(RtsId::out_r1_a7));
}

// Each command counts, wherever it stands.
TEST(RtsTable, anotherCommandInAnyPlaceIsAnotherPdu)
{
    for (const rpch::RtsRow& row : rpch::rts_rows()) {
        const rpch::Rts pdu = role_test::make(row.id);
        CHECK_TRUE_TEXT(pdu.is(row.id), row.name);
        for (std::size_t place = 0; place < pdu.count; ++place) {
            rpch::Rts other = pdu;
            other.list[place].type = rpch::CommandType::padding;
            CHECK_FALSE_TEXT(other.is(row.id), row.name);
        }
    }
}
