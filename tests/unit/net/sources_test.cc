#include "net/sources.h"

#include <string>
#include <vector>

#include <CppUTest/TestHarness.h>

using net::Address;
using net::Sources;

namespace {

std::vector<Address> hosts(std::initializer_list<const char*> texts)
{
    std::vector<Address> list;
    for (const char* text : texts)
        list.push_back(*Address::from_host(text, 1));
    return list;
}

std::string turn(Sources& sources, const char* peer)
{
    const Sources::Turn found = sources.next(*Address::parse(peer));
    std::string text;
    for (std::size_t i = 0; i < found.size(); ++i)
        text += found[i].text() + ' ';
    return text;
}

} // namespace

TEST_GROUP(Sources) {};

TEST(Sources, withoutAddressesTheKernelChooses)
{
    Sources none;
    STRCMP_EQUAL("", turn(none, "192.0.2.9:6001").c_str());
}

TEST(Sources, eachInItsTurn)
{
    Sources sources(hosts({"192.0.2.1", "192.0.2.2", "192.0.2.3"}), 2);
    STRCMP_EQUAL("192.0.2.3:0 192.0.2.1:0 192.0.2.2:0 ", turn(sources, "192.0.2.9:6001").c_str());
    STRCMP_EQUAL("192.0.2.1:0 192.0.2.2:0 192.0.2.3:0 ", turn(sources, "192.0.2.9:6001").c_str());
    STRCMP_EQUAL("192.0.2.2:0 192.0.2.3:0 192.0.2.1:0 ", turn(sources, "192.0.2.8:6001").c_str());
}

TEST(Sources, whatIsUsedUpRestsForAMoment)
{
    using net::Millis;
    const Address one = *Address::from_host("192.0.2.1", 0), two = *Address::from_host("192.0.2.2", 0);
    const Address peer = *Address::parse("192.0.2.9:6001"), other = *Address::parse("192.0.2.9:6002");
    Sources sources;
    CHECK_FALSE(sources.used_up({}, {}, Millis(0)));
    sources.note_used_up(one, peer, Millis(1000));
    CHECK_TRUE(sources.used_up(one, peer, Millis(1099)));
    CHECK_FALSE(sources.used_up(one, peer, Millis(1100)));
    CHECK_FALSE(sources.used_up(two, peer, Millis(1001)));
    CHECK_FALSE(sources.used_up(one, other, Millis(1001)));
    for (std::uint16_t port = 1; port <= 100; ++port) // more than it remembers
        sources.note_used_up(one, *Address::from_host("192.0.2.8", port), Millis(1000));
    CHECK_FALSE(sources.used_up(one, peer, Millis(1001)));
    CHECK_TRUE(sources.used_up(one, *Address::from_host("192.0.2.8", 100), Millis(1001)));
}

TEST(Sources, ofThePeersKind)
{
    Sources sources(hosts({"192.0.2.1", "127.0.0.2", "2001:db8::1", "127.0.0.3"}));
    STRCMP_EQUAL("192.0.2.1:0 ", turn(sources, "198.51.100.1:1").c_str());
    STRCMP_EQUAL("127.0.0.2:0 127.0.0.3:0 ", turn(sources, "127.0.0.1:1").c_str());
    STRCMP_EQUAL("[2001:db8::1]:0 ", turn(sources, "[2001:db8::2]:1").c_str());
    STRCMP_EQUAL("", turn(sources, "[::1]:1").c_str());
}
