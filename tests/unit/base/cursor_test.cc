#include "base/cursor.h"

#include <array>

#include <CppUTest/TestHarness.h>

TEST_GROUP(Cursor) {
    const std::array<std::uint8_t, 7> input{0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07};
};

TEST(Cursor, readsLittleEndianToTheEnd)
{
    base::Cursor c(input);
    LONGS_EQUAL(0x01, c.u8());
    LONGS_EQUAL(0x0302, c.u16());
    LONGS_EQUAL(0x07060504, c.u32());
    CHECK_TRUE(c.done());
}

TEST(Cursor, shortReadFailsConsumesNothingAndSticks)
{
    base::Cursor c(base::Bytes(input).first(3));
    LONGS_EQUAL(0, c.u32());
    CHECK_FALSE(c.ok());
    LONGS_EQUAL(3, c.left());
    LONGS_EQUAL(0, c.u8());
    CHECK_FALSE(c.done());
}

TEST(Cursor, itsUserMayFailIt)
{
    base::Cursor c(input);
    c.fail();
    CHECK_FALSE(c.ok());
    LONGS_EQUAL(0, c.u8());
}

TEST(Cursor, leftOverBytesAreNotDone)
{
    base::Cursor c(input);
    c.skip(6);
    CHECK_TRUE(c.ok());
    CHECK_FALSE(c.done());
}

TEST(Cursor, failedCopyZeroFills)
{
    std::array<std::uint8_t, 4> out{9, 9, 9, 9};
    base::Cursor c(base::Bytes(input).first(2));
    c.copy(out);
    const std::array<std::uint8_t, 4> zeros{};
    MEMCMP_EQUAL(zeros.data(), out.data(), out.size());
}

TEST(Cursor, writerMirrorsTheReader)
{
    std::array<std::uint8_t, 7> out{};
    base::Writer w(out);
    w.u8(0x01);
    w.u16(0x0302);
    w.u32(0x07060504);
    LONGS_EQUAL(7, w.size());
    MEMCMP_EQUAL(input.data(), out.data(), out.size());
}
