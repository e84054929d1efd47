#include "net/proxy_header.h"

#include <string>
#include <vector>

#include <CppUTest/TestHarness.h>

using net::ProxyHeader;
using Result = net::ProxyHeader::Result;

namespace {

const std::string signature("\r\n\r\n\0\r\nQUIT\n", 12);

base::Bytes bytes_of(const std::string& text)
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string header(std::string_view tail)
{
    return signature + std::string(tail);
}

} // namespace

TEST_GROUP(ProxyHeader) {};

TEST(ProxyHeader, comesBackAsItWent)
{
    const struct {
        const char* source;
        const char* destination;
    } rows[] = {
        {"192.0.2.7:50000", "198.51.100.1:443"},
        {"[2001:db8::7]:50000", "[2001:db8::1]:443"},
        {"192.0.2.7:50000", "[2001:db8::1]:443"}, // two families: no addresses
    };
    for (const auto& row : rows) {
        ProxyHeader sent;
        sent.source = *net::Address::parse(row.source);
        sent.destination = *net::Address::parse(row.destination);
        sent.authority = "ex1.example.com:6001";
        sent.user = "EXAMPLE\\alice";
        std::vector<std::uint8_t> bytes = sent.encode();
        bytes.push_back(0x05);
        base::Bytes input(bytes);
        ProxyHeader got;
        CHECK(Result::taken == got.decode(input));
        LONGS_EQUAL(1, input.size());
        STRCMP_EQUAL("ex1.example.com:6001", got.authority.c_str());
        STRCMP_EQUAL("EXAMPLE\\alice", got.user.c_str());
        const bool addressed = sent.source.ipv6() == sent.destination.ipv6();
        CHECK((addressed ? sent.source : net::Address()) == got.source);
        CHECK((addressed ? sent.destination : net::Address()) == got.destination);
        for (std::size_t size = 0; size + 1 < bytes.size(); ++size) {
            base::Bytes part(bytes.data(), size);
            CHECK(Result::partial == ProxyHeader().decode(part));
            LONGS_EQUAL(size, part.size());
        }
    }
}

TEST(ProxyHeader, theProtocolsOwnBytes)
{
    using namespace std::string_literals;
    ProxyHeader sent;
    sent.source = *net::Address::parse("127.0.0.1:258");
    sent.destination = *net::Address::parse("127.0.0.2:772");
    sent.authority = "a:1";
    const std::vector<std::uint8_t> bytes = sent.encode();
    const std::string expected = header("\x21\x11\x00\x12\x7f\0\0\1\x7f\0\0\2\1\2\3\4\x02\0\3a:1"s);
    CHECK(expected == std::string(bytes.begin(), bytes.end()));
}

TEST(ProxyHeader, whatIsTakenAndWhatIsNot)
{
    using namespace std::string_literals;
    const struct {
        const char* what;
        std::string bytes;
        Result result;
    } rows[] = {
        {"an RPC PDU", "\x05\x00\x14\x03"s, Result::absent},
        {"a signature with another end", "\r\n\r\n\0\r\nQUIX\n\x21\x11\0\0"s, Result::absent},
        {"version 1", header("\x11\x11\0\0"s), Result::bad},
        {"an unknown command", header("\x22\x11\0\0"s), Result::bad},
        {"a datagram family", header("\x21\x12\0\x0c"s + std::string(12, 'x')), Result::bad},
        {"addresses that are too short", header("\x21\x11\0\x0b"s + std::string(11, 'x')), Result::bad},
        {"longer than we take", header("\x21\x00\x10\x00"s), Result::bad},
        {"a field beyond the end", header("\x21\x00\0\x04\x02\0\x02x"s), Result::bad},
        {"half a field", header("\x21\x00\0\x02\x02\0"s), Result::bad},
        {"a field of a type we do not know", header("\x21\x00\0\x05\x03\0\x02xy"s), Result::taken},
        {"LOCAL", header("\x20\x00\0\0"s), Result::taken},
        {"LOCAL with addresses", header("\x20\x11\0\x0c"s + std::string(12, 'x')), Result::taken},
        {"nothing yet", "", Result::partial},
    };
    for (const auto& row : rows) {
        base::Bytes input = bytes_of(row.bytes);
        ProxyHeader got;
        CHECK_TRUE_TEXT(row.result == got.decode(input), row.what);
        CHECK_TRUE_TEXT(got.source == net::Address(), row.what);
        LONGS_EQUAL_TEXT(row.result == Result::taken ? 0 : row.bytes.size(), input.size(), row.what);
    }
}
