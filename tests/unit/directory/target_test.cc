#include "directory/target.h"

#include <string>

#include <CppUTest/TestHarness.h>

using directory::parse_target;

TEST_GROUP(Target) {};

static const char guid_target[] = "AD44B1E0-e44f-4a16-9396-3a437f594f88@Tailspintoys.com:6001";

TEST(Target, accepted)
{
    struct Row { const char* text; const char* host; int port; bool ipv6; };
    static constexpr Row rows[] = {
        {"EXCH01:6001", "EXCH01", 6001, false},
        {"exch01.corp.example:6004", "exch01.corp.example", 6004, false},
        {"192.0.2.9:593", "192.0.2.9", 593, false},
        {"[2001:db8::9]:6001", "2001:db8::9", 6001, true},
        {"2001:db8::1:6001", "2001:db8::1", 6001, true},
        {"::1:6001", "::1", 6001, true},
        {"[::ffff:192.0.2.9]:1", "::ffff:192.0.2.9", 1, true},
        {"localhost:3388", "localhost", 3388, false},
        {"a_b-c.d:65535", "a_b-c.d", 65535, false},
    };
    for (const Row& row : rows) {
        const auto parsed = parse_target(row.text);
        CHECK_TRUE_TEXT(parsed.target.has_value(), row.text);
        STRCMP_EQUAL(row.text, parsed.target->text.c_str());
        STRCMP_EQUAL(row.host, parsed.target->host.c_str());
        LONGS_EQUAL(row.port, parsed.target->port);
        CHECK_EQUAL_TEXT(row.ipv6, parsed.target->ipv6_literal, row.text);
        CHECK_FALSE_TEXT(parsed.target->mailbox.has_value(), row.text);
    }
}

TEST(Target, mailboxNamesAreFoldedAndTheTextIsKept)
{
    const auto parsed = parse_target(guid_target);
    CHECK(parsed.target && parsed.target->mailbox);
    STRCMP_EQUAL("ad44b1e0-e44f-4a16-9396-3a437f594f88@tailspintoys.com", parsed.target->mailbox->text().c_str());
    STRCMP_EQUAL(guid_target, parsed.target->text.c_str());
    LONGS_EQUAL(6001, parsed.target->port);
}

TEST(Target, refused)
{
    static constexpr const char* rows[] = {
        "", ":", "srv", "srv:", ":6001", "srv:0", "srv:06001", "srv:6001x", "srv:70000", "srv:65536", "srv:+1", "srv:-1",
        "srv:600 1", " srv:6001", "srv:6001 ", "s rv:6001", "srv:0x1771", "srv:999999", "srv:9999999",
        "srv%2e:6001", "srv&x:6001", "srv/x:6001", "srv\\x:6001", "srv\r\n:6001", "srv\t:6001", "srv\x7f:6001", "srv\xc3\xa9:6001",
        "a@b@c:6001", "a@b:6001", "@:6001", "ad44b1e0-e44f-4a16-9396-3a437f594f88@:6001", "@tailspintoys.com:6001",
        "{ad44b1e0-e44f-4a16-9396-3a437f594f88}@tailspintoys.com:6001",
        "ad44b1e0-e44f-4a16-9396-3a437f594f8@tailspintoys.com:6001", "ad44b1e0-e44f-4a16-9396-3a437f594f88@a@b.com:6001",
        "ad44b1e0xe44f-4a16-9396-3a437f594f88@tailspintoys.com:6001", "gd44b1e0-e44f-4a16-9396-3a437f594f88@x.com:6001",
        "ad44b1e0-e44f-4a16-9396-3a437f594f88@-x.com:6001", "srv:6001:6002", "a:b:6001", "2001:db8::1", "[2001:db8::9]6001",
        "[2001:db8::9:6001", "[srv]:6001", "[]:6001", "[:6001", "]:6001", "[::1%25eth0]:6001", ".srv:6001", "srv.:6001",
        "a..b:6001", "-srv:6001", "s*v:6001", "srv?x:6001", "srv#x:6001", "srv;x:6001", "srv\"x:6001",
    };
    for (const char* row : rows) {
        const auto parsed = parse_target(row);
        CHECK_FALSE_TEXT(parsed.target.has_value(), row);
        CHECK_FALSE_TEXT(parsed.error.empty(), row);
    }
    CHECK_FALSE(parse_target(std::string_view("srv\0x:6001", 10)).target.has_value());
    CHECK_FALSE(parse_target(std::string_view("[::1\0]:6001", 11)).target.has_value());
}

TEST(Target, theErrorNamesTheByteOrTheFault)
{
    struct Row { const char* text; const char* error; };
    static constexpr Row rows[] = {
        {"srv:6001\r", "the target has byte 0x0d (carriage return) at position 9, which no target has"},
        {"\"srv:6001\"", "the target has byte 0x22 (double quote) at position 1, which no target has"},
        {"srv%2e:6001", "the target has byte 0x25 (%) at position 4, which no target has"},
        {"srv\xc2\xa0:6001", "the target has byte 0xc2 (no-break space) at position 4, which no target has"},
        {"a..b:6001", "the server is not a host name or address: a label between dots, or at an end, is empty"},
        {"-srv:6001", "the server is not a host name or address: a label begins with -"},
    };
    for (const Row& row : rows)
        STRCMP_EQUAL(row.error, parse_target(row.text).error.c_str());
    STRCMP_EQUAL("byte 0x09 (tab) at position 4", directory::host_name_fault("srv\t").c_str());
    STRCMP_EQUAL("it is empty", directory::host_name_fault("").c_str());
    STRCMP_EQUAL("", directory::host_name_fault("srv.example").c_str());
}

TEST(Target, lengthIsBounded)
{
    const std::string label(63, 'a');
    const std::string name = label + '.' + label + '.' + label + '.' + std::string(58, 'a'); // 250
    CHECK(parse_target(name + ":6001").target.has_value());        // 255
    CHECK_FALSE(parse_target(name + ":60011").target.has_value()); // 256
    CHECK_FALSE(parse_target(label + "a:6001").target.has_value());
}
