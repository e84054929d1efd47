#include "directory/valid_ports.h"

#include <string>

#include <CppUTest/TestHarness.h>

using directory::Origin;
using directory::parse_port_list;
using directory::ValidPorts;

TEST_GROUP(ValidPorts)
{
    static ValidPorts list(const char* text) { return ValidPorts(parse_port_list(text).entries); }
};

TEST(ValidPorts, fieldValuesParseAndPrint)
{
    struct Row { const char* text; const char* printed; };
    static constexpr Row rows[] = {
        {"Rosco:593;Rosco:2000-8000;Data*:4000-8000", "Rosco:593;Rosco:2000-8000;Data*:4000-8000"},
        {"mbx1:6001-6002;mbx1:6004;;", "mbx1:6001-6002;mbx1:6004"},
        {"EX2010:6001-6002;EX2010:6004;EX2010.test.lab:6001-6002; EX2010.test.lab:6004;ex2k3:6001-6002;",
         "EX2010:6001-6002;EX2010:6004;EX2010.test.lab:6001-6002;EX2010.test.lab:6004;ex2k3:6001-6002"},
        {"NAME:593;NAME:49152-65535", "NAME:593;NAME:49152-65535"},
        {"NAME:100-5000", "NAME:100-5000"},
        {"SRV:6001-6002;SRV:6004;srv.corp.example:6001-6002;srv.corp.example:6004;",
         "SRV:6001-6002;SRV:6004;srv.corp.example:6001-6002;srv.corp.example:6004"},
        {"gc1:6004;gc1.corp.example:6004", "gc1:6004;gc1.corp.example:6004"},
        {"", ""}, {";", ""}, {"  ;\t; ", ""}, {"\ta:1 ", "a:1"}, {"a:1-1", "a:1"}, {"192.0.2.9:1-65535", "192.0.2.9:1-65535"},
        {"\"a:1;b:2\"", "a:1;b:2"}, {"'a:1'", "a:1"}, {"a:1\r\n", "a:1"}, {"\n\ta:1;b:2;\t\r", "a:1;b:2"},
        {" \"\t a:1 ; b:2\r\n\" \r\n", "a:1;b:2"}, {"\"\"", ""}, {"\r\n", ""},
        {"[2001:DB8::9]:6001-6002", "[2001:DB8::9]:6001-6002"}, {"mail.*:6001", "mail.*:6001"}, {"x-*:6001", "x-*:6001"},
    };
    for (const Row& row : rows) {
        const auto parsed = parse_port_list(row.text);
        CHECK_FALSE_TEXT(parsed.error.has_value(), row.text);
        STRCMP_EQUAL(row.printed, directory::port_list_text(parsed.entries).c_str());
        CHECK_TRUE_TEXT(parse_port_list(row.printed).entries == parsed.entries, row.text);
    }
}

TEST(ValidPorts, errorsNameEntryAndPosition)
{
    struct Row { const char* text; std::size_t entry, position; const char* part; };
    static constexpr Row rows[] = {
        {"a:1;b:0", 2, 7, "b:0"}, {"a:1;; b:70000 ;c:1", 3, 9, "b:70000"}, {"a", 1, 2, "a"}, {":6001", 1, 1, ":6001"},
        {"a:", 1, 3, "a:"}, {"a:06001", 1, 3, "a:06001"}, {"a:5-4", 1, 3, "a:5-4"}, {"a:5-", 1, 5, "a:5-"}, {"a:-5", 1, 3, "a:-5"},
        {"a:1-2-3", 1, 6, "a:1-2-3"}, {"a:1 -2", 1, 4, "a:1 -2"}, {"*:6001", 1, 1, "*:6001"}, {"a*b:1", 1, 2, "a*b:1"},
        {"a**:1", 1, 2, "a**:1"}, {"*a:1", 1, 1, "*a:1"}, {"2001:db8::9:6001", 1, 5, "2001:db8::9:6001"},
        {"[srv]:1", 1, 1, "[srv]:1"}, {"[::1]*:1", 1, 1, "[::1]*:1"}, {"a b:1", 1, 2, "a b:1"}, {"a/b:1", 1, 2, "a/b:1"},
        {"a:1,b:2", 1, 4, "a:1,b:2"}, {"\"a:1;b:0\"", 2, 8, "b:0"}, {"\r\n a:1;b:0", 2, 10, "b:0"}, {"x@y.z:6001", 1, 2, "x@y.z:6001"}, {"a:65536", 1, 3, "a:65536"}, {".*:1", 1, 1, ".*:1"},
    };
    for (const Row& row : rows) {
        const auto parsed = parse_port_list(row.text);
        CHECK_TRUE_TEXT(parsed.error.has_value(), row.text);
        CHECK_TRUE_TEXT(parsed.entries.empty(), row.text);
        CHECK_EQUAL_TEXT(row.entry, parsed.error->entry, row.text);
        CHECK_EQUAL_TEXT(row.position, parsed.error->position, row.text);
        STRCMP_EQUAL_TEXT(row.part, parsed.error->text.c_str(), row.text);
    }
    STRCMP_EQUAL("entry 2 at position 7, \"b:0\": the port is not a number of 1 to 65535 without leading zeros",
                 parse_port_list("a:1;b:0").error->message().c_str());
}

TEST(ValidPorts, anOddByteIsNamed)
{
    struct Row { std::string_view text; const char* message; };
    static constexpr Row rows[] = {
        {"a:1;srv.example:6\r001", "entry 2 at position 18, \"srv.example:6\r001\": byte 0x0d (carriage return) at position 18 is no part of a port"},
        {"a:1\nb:2", "entry 1 at position 4, \"a:1\nb:2\": byte 0x0a (line feed) at position 4 is no part of a host"},
        {"\"a:1\";\"b:2\"", "entry 1 at position 5, \"a:1\"\": byte 0x22 (double quote) at position 5 is no part of a port"},
        {"\"a:1", "entry 1 at position 1, \"\"a:1\": byte 0x22 (double quote) at position 1 is no part of a host"},
        {"a:1\xe2\x80\x93" "2", "entry 1 at position 4, \"a:1\xe2\x80\x93" "2\": byte 0xe2 (en dash) at position 4 is no part of a port"},
        {"\xe2\x80\x9c" "a:1\xe2\x80\x9d", "entry 1 at position 1, \"\xe2\x80\x9c" "a:1\xe2\x80\x9d\": byte 0xe2 (left double quotation mark) at position 1 is no part of a host"},
        {"a\xc2\xa0:1", "entry 1 at position 2, \"a\xc2\xa0:1\": byte 0xc2 (no-break space) at position 2 is no part of a host"},
        {"a:1;b\xef\xbc\x9a" "2", "entry 2 at position 6, \"b\xef\xbc\x9a" "2\": byte 0xef (character beyond ASCII) at position 6 is no part of a host"},
        {"[::1 ]:1", "entry 1 at position 5, \"[::1 ]:1\": byte 0x20 (blank) at position 5 is no part of an address"},
        {"a:1, b:2", "entry 1 at position 4, \"a:1, b:2\": byte 0x2c (,) at position 4 is no part of a host"},
        {{"a:1\0b", 5}, nullptr},
    };
    for (const Row& row : rows) {
        const auto parsed = parse_port_list(row.text);
        CHECK_TRUE(parsed.error.has_value());
        if (row.message)
            STRCMP_EQUAL(row.message, parsed.error->message().c_str());
        else
            CHECK(parsed.error->message().find("byte 0x00 (NUL) at position 4") != std::string::npos);
    }
}

TEST(ValidPorts, matching)
{
    const ValidPorts ports = list("Rosco:593;Rosco:2000-8000;Data*:4000-8000;ex.lab:6001;[2001:db8::9]:6001;192.0.2.9:6001");
    struct Row { const char* host; std::uint16_t port; const char* entry; };
    static constexpr Row rows[] = {
        {"rosco", 593, "Rosco:593"}, {"ROSCO", 2000, "Rosco:2000-8000"}, {"rosco", 8000, "Rosco:2000-8000"}, {"rosco", 1999, nullptr},
        {"rosco", 8001, nullptr}, {"rosco.example.com", 593, nullptr}, {"rosc", 593, nullptr}, {"dataserver", 4000, "Data*:4000-8000"},
        {"DATA", 8000, "Data*:4000-8000"}, {"dat", 5000, nullptr}, {"xdata", 5000, nullptr}, {"data1", 3999, nullptr},
        {"ex.lab", 6001, "ex.lab:6001"}, {"ex", 6001, nullptr}, {"2001:DB8::9", 6001, "[2001:db8::9]:6001"},
        {"2001:db8:0::9", 6001, nullptr}, {"192.0.2.9", 6001, "192.0.2.9:6001"}, {"192.0.2.90", 6001, nullptr}, {"", 593, nullptr},
    };
    for (const Row& row : rows) {
        const auto match = ports.match(row.host, row.port);
        CHECK_EQUAL_TEXT(row.entry != nullptr, match.has_value(), row.host);
        if (row.entry)
            STRCMP_EQUAL(row.entry, match->entry.c_str());
    }
}

TEST(ValidPorts, theEmptyListAllowsNothing)
{
    CHECK_FALSE(ValidPorts().match("a", 1).has_value());
    CHECK_FALSE(list(";;").match("localhost", 593).has_value());
}

TEST(ValidPorts, theOperatorIsNamedFirst)
{
    auto entries = parse_port_list("a:6001", Origin::generated).entries;
    entries.push_back(parse_port_list("A:6000-6009").entries.at(0));
    entries.push_back(parse_port_list("a*:1-9").entries.at(0));
    const ValidPorts ports(entries);
    CHECK(ports.match("a", 6001)->origin == Origin::administrator);
    STRCMP_EQUAL("A:6000-6009", ports.match("a", 6001)->entry.c_str());
    STRCMP_EQUAL("a:6001", ports.text(Origin::generated).c_str());
    STRCMP_EQUAL("A:6000-6009;a*:1-9", ports.text(Origin::administrator).c_str());
}
