#include "net/address.h"

#include <netinet/in.h>

#include <CppUTest/TestHarness.h>

using net::Address;

TEST_GROUP(Address) {};

TEST(Address, parsesAndFormats)
{
    const struct {
        const char* text;
        const char* printed; // null: refused
    } rows[] = {
        {"127.0.0.1:80", "127.0.0.1:80"},
        {"0.0.0.0:0", "0.0.0.0:0"},
        {"[::1]:443", "[::1]:443"},
        {"[2001:DB8::0009]:6001", "[2001:db8::9]:6001"},
        {"[::ffff:192.0.2.9]:6001", "192.0.2.9:6001"},
        {"[fe80::1%1]:80", "[fe80::1%1]:80"},
        {"127.0.0.1", nullptr},
        {"127.0.0.1:", nullptr},
        {"127.0.0.1:65536", nullptr},
        {"127.0.0.1:+1", nullptr},
        {"[127.0.0.1]:80", nullptr},
        {"127.1:80", nullptr},
        {"::1:80", nullptr},
        {"[::1]", nullptr},
        {"[::1:80", nullptr},
        {"[fe80::1%nosuchif]:80", nullptr},
        {"host:80", nullptr},
        {"", nullptr},
        {":", nullptr},
    };
    for (const auto& row : rows) {
        const auto address = Address::parse(row.text);
        if (!row.printed)
            CHECK_FALSE_TEXT(address.has_value(), row.text);
        else
            STRCMP_EQUAL_TEXT(row.printed, address ? address->text().c_str() : "(refused)", row.text);
    }
}

TEST(Address, hostAloneWithOrWithoutBrackets)
{
    STRCMP_EQUAL("::1", Address::from_host("[::1]", 1)->host_text().c_str());
    STRCMP_EQUAL("::1", Address::from_host("::1", 1)->host_text().c_str());
    STRCMP_EQUAL("192.0.2.1", Address::from_host("192.0.2.1", 1)->host_text().c_str());
    CHECK_FALSE(Address::from_host("localhost", 1).has_value());
    CHECK_FALSE(Address::from_host(std::string_view("::1\0x", 5), 1).has_value());
}

TEST(Address, roundTripThroughTheSystem)
{
    for (const char* text : {"192.0.2.9:6001", "[2001:db8::9]:593"}) {
        const Address address = *Address::parse(text);
        sockaddr_storage storage;
        const socklen_t size = address.to_sockaddr(storage);
        const auto* const raw = reinterpret_cast<const sockaddr*>(&storage);
        CHECK_TRUE(Address::from_sockaddr(raw, size) == address);
        CHECK_FALSE(Address::from_sockaddr(raw, size - 1).has_value());
    }
    const sockaddr other{AF_UNIX, {}};
    CHECK_FALSE(Address::from_sockaddr(&other, sizeof other).has_value());
}

TEST(Address, bytesInNetworkOrder)
{
    const Address ipv4 = *Address::parse("192.0.2.9:1");
    const std::uint8_t expected[] = {192, 0, 2, 9};
    LONGS_EQUAL(4, ipv4.bytes().size());
    MEMCMP_EQUAL(expected, ipv4.bytes().data(), 4);
    LONGS_EQUAL(16, Address::parse("[::1]:1")->bytes().size());
}

TEST(Address, loopback)
{
    CHECK_TRUE(Address::parse("127.9.9.9:1")->loopback());
    CHECK_TRUE(Address::parse("[::1]:1")->loopback());
    CHECK_FALSE(Address::parse("[::2]:1")->loopback());
    CHECK_FALSE(Address::parse("128.0.0.1:1")->loopback());
}
