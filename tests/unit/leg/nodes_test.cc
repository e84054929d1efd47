#include "leg/nodes.h"

#include <string>
#include <vector>

#include <CppUTest/TestHarness.h>

using leg::Nodes;

namespace {

std::vector<net::Address> addresses(std::initializer_list<const char*> texts)
{
    std::vector<net::Address> list;
    for (const char* const text : texts)
        list.push_back(*net::Address::parse(text));
    return list;
}

} // namespace

TEST_GROUP(Nodes) {};

TEST(Nodes, everyNodeRanksAlike)
{
    const Nodes a(addresses({"10.0.0.1:6010", "10.0.0.2:6010", "[2001:db8::3]:6010"}), 0);
    const Nodes b(addresses({"[2001:db8::3]:6010", "10.0.0.1:6010", "10.0.0.2:6010"}), 2);
    for (int i = 0; i < 100; ++i) {
        const rpch::Cookie cookie = rpch::Cookie::random();
        const auto by_a = a.rank(cookie);
        const auto by_b = b.rank(cookie);
        LONGS_EQUAL(3, by_a.size());
        for (std::size_t place = 0; place < 3; ++place)
            CHECK(a.at(by_a[place]) == b.at(by_b[place]));
    }
}

// Other programs and versions must agree: the function is fixed.
TEST(Nodes, theRankingIsFixedForEver)
{
    const Nodes nodes(addresses({"10.0.0.1:6010", "10.0.0.2:6010", "10.0.0.3:6010"}), 0);
    std::string firsts;
    for (int i = 0; i < 16; ++i) {
        rpch::Cookie cookie;
        cookie.bytes[15] = static_cast<std::uint8_t>(i);
        firsts += static_cast<char>('1' + nodes.rank(cookie)[0]);
    }
    STRCMP_EQUAL("2222123113332331", firsts.c_str());
}

TEST(Nodes, theWorkIsSharedEvenlyAndOnlyALostNodesPartMoves)
{
    const Nodes three(addresses({"10.0.0.1:6010", "10.0.0.2:6010", "10.0.0.3:6010"}), 0);
    const Nodes two(addresses({"10.0.0.1:6010", "10.0.0.2:6010"}), 0);
    std::size_t share[3] = {};
    for (int i = 0; i < 3000; ++i) {
        const rpch::Cookie cookie = rpch::Cookie::random();
        const auto order = three.rank(cookie);
        ++share[order[0]];
        const std::size_t next = order[0] == 2 ? order[1] : order[0];
        CHECK(three.at(next) == two.at(two.rank(cookie)[0]));
    }
    for (const std::size_t part : share)
        CHECK(part > 850 && part < 1150); // 6 standard deviations
}

TEST(Nodes, trustsHostsNotPorts)
{
    const Nodes nodes(addresses({"10.0.0.1:6010", "[2001:db8::3]:6010"}), 0);
    CHECK_TRUE(nodes.trusts(*net::Address::parse("10.0.0.1:50000")));
    CHECK_TRUE(nodes.trusts(*net::Address::parse("[2001:db8::3]:1")));
    CHECK_FALSE(nodes.trusts(*net::Address::parse("10.0.0.2:6010")));
    CHECK_FALSE(nodes.trusts(*net::Address::parse("[2001:db8::4]:6010")));
    CHECK_FALSE(nodes.alone());
    CHECK_TRUE(Nodes().alone());
}
