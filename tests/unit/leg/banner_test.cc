#include "leg/banner.h"

#include <string_view>

#include <CppUTest/TestHarness.h>

using leg::Banner;

TEST_GROUP(Banner) {
    static base::Bytes bytes(std::string_view text)
    {
        return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
    }
};

TEST(Banner, wholeGluedToTheFirstPdu)
{
    Banner banner;
    banner.expect();
    base::Bytes input = bytes(std::string_view("ncacn_http/1.0\x05\x00", 16));
    CHECK(banner.take(input) == Banner::Result::complete);
    LONGS_EQUAL(5, input[0]);
    CHECK(banner.take(input) == Banner::Result::absent);
}

TEST(Banner, splitAnywhere)
{
    for (std::size_t at = 1; at < 14; ++at) {
        Banner banner;
        banner.expect();
        base::Bytes first = bytes("ncacn_http/1.0").first(at);
        base::Bytes second = bytes("ncacn_http/1.0").subspan(at);
        CHECK(banner.take(first) == Banner::Result::partial);
        CHECK(banner.take(second) == Banner::Result::complete);
        CHECK_TRUE(second.empty());
    }
}

TEST(Banner, absenceIsNoErrorAndANearMissIs)
{
    Banner none;
    none.expect();
    base::Bytes pdu = bytes(std::string_view("\x05\x00\x14", 3));
    CHECK(none.take(pdu) == Banner::Result::absent);
    LONGS_EQUAL(3, pdu.size());

    Banner other;
    other.expect();
    base::Bytes text = bytes("ncacn_http/1.1");
    CHECK(other.take(text) == Banner::Result::wrong);

    Banner unexpected;
    base::Bytes early = bytes("ncacn_http/1.0");
    CHECK(unexpected.take(early) == Banner::Result::absent);
    LONGS_EQUAL(14, early.size());
}
