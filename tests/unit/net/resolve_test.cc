#include "net/resolve.h"

#include <CppUTest/TestHarness.h>

TEST_GROUP(Resolve){};

TEST(Resolve, numericHosts)
{
    const auto ipv4 = net::resolve("127.0.0.1", 80);
    LONGS_EQUAL(1, ipv4.addresses.size());
    STRCMP_EQUAL("127.0.0.1:80", ipv4.addresses[0].text().c_str());
    STRCMP_EQUAL("", ipv4.error.c_str());
    STRCMP_EQUAL("[::1]:443", net::resolve("::1", 443).addresses.at(0).text().c_str());
}

TEST(Resolve, whatIsNoNameHasAReason)
{
    for (const std::string& host : {std::string("no such host"), std::string("127.0.0.1\0x", 11)}) {
        const auto none = net::resolve(host, 80);
        CHECK(none.addresses.empty());
        CHECK_FALSE(none.error.empty());
    }
}
