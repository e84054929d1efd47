#include "rpch/cookie.h"

#include <CppUTest/TestHarness.h>

TEST_GROUP(Cookie) {
};

TEST(Cookie, onlyAllZeroIsZero)
{
    CHECK_TRUE(rpch::Cookie{}.zero());
    rpch::Cookie cookie;
    cookie.bytes[15] = 1;
    CHECK_FALSE(cookie.zero());
}

TEST(Cookie, prefixIsTheFirstFourBytes)
{
    STRCMP_EQUAL("10ab0000", (rpch::Cookie{{0x10, 0xab, 0, 0, 0xff}}.prefix().c_str()));
}

TEST(Cookie, randomOnesDiffer)
{
    const auto a = rpch::Cookie::random(), b = rpch::Cookie::random();
    CHECK_FALSE(a == b);
    CHECK_FALSE(a.zero());
}

TEST(Cookie, everyByteEntersTheHash)
{
    const rpch::Cookie zero;
    LONGS_EQUAL(zero.hash(), rpch::Cookie{}.hash());
    for (std::size_t i = 0; i < 16; ++i) {
        rpch::Cookie other;
        other.bytes[i] = 1;
        CHECK_FALSE(other.hash() == zero.hash());
    }
}
