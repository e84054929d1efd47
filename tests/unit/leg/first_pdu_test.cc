#include "leg/first_pdu.h"
#include "rpch/pdu.h"
#include "unit/rpch/role_fixture.h"

#include <string>
#include <vector>

#include <CppUTest/TestHarness.h>

using role_test::make;
using rpch::RtsId;
using leg::FirstPdu;

namespace {

std::string text_of(base::Bytes bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

base::Bytes bytes_of(const std::string& text)
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string rts(RtsId id, std::initializer_list<std::uint8_t> cookies)
{
    return text_of(rpch::encode(make(id, cookies)));
}

/// The first bytes of an RTS PDU of this frag_length.
std::string rts_of(std::uint16_t size)
{
    std::string pdu("\x05\x00\x14\x03\x10\x00\x00\x00", 8);
    pdu += {static_cast<char>(size & 0xff), static_cast<char>(size >> 8)};
    return pdu;
}

} // namespace

TEST_GROUP(FirstPdu) {};

// Every one that can come first, of a client or of a proxy, begins with the version and the virtual connection.
TEST(FirstPdu, thoseThatOpenOrReplaceAChannel)
{
    constexpr std::uint8_t v = 0x10, a = 0x20, b = 0x30;
    const std::string rows[] = {
        rts(RtsId::conn_a1, {v, a}),         rts(RtsId::conn_a2, {v, a}),         rts(RtsId::conn_b1, {v, a}),
        rts(RtsId::conn_b2, {v, a}),         rts(RtsId::in_r1_a1, {v, a, b}),     rts(RtsId::in_r1_a2, {v, a, b}),
        rts(RtsId::out_r1_a3, {v, a, b}),    rts(RtsId::out_r1_a4, {v, a, b}),
    };
    for (const std::string& row : rows) {
        for (std::size_t size = 0; size < row.size(); ++size)
            CHECK(FirstPdu::Kind::partial == leg::read_first_pdu(bytes_of(row).first(size)).kind);
        for (const std::string& behind : {std::string(), std::string("\x05\x00\x00", 3), row}) {
            const FirstPdu first = leg::read_first_pdu(bytes_of(row + behind));
            CHECK(FirstPdu::Kind::rts == first.kind);
            LONGS_EQUAL(row.size(), first.size);
            CHECK(role_test::cookie(v) == first.virtual_connection);
            CHECK(row == text_of(rpch::encode(first.pdu)));
        }
    }
}

TEST(FirstPdu, allElse)
{
    const std::string a2 = rts(RtsId::conn_a2, {0x10, 0x20});
    const struct {
        const char* what;
        std::string bytes;
        FirstPdu::Kind kind;
        const char* error;
    } rows[] = {
        {"nothing", "", FirstPdu::Kind::partial, ""},
        {"less than a length", std::string("\x05\x00\x14\x03\x10\x00\x00\x00\x4c", 9), FirstPdu::Kind::partial, ""},
        {"one byte of text", "G", FirstPdu::Kind::bad, "the first PDU is no RTS PDU and no RPC PDU"},
        {"less than a length, of no PDU", "550 no!\r\n", FirstPdu::Kind::bad, "the first PDU is no RTS PDU and no RPC PDU"},
        {"a byte order that does not exist", std::string("\x05\x00\x0b\x03\x20", 5), FirstPdu::Kind::bad,
         "the first PDU is no RTS PDU and no RPC PDU"},
        {"an RPC PDU: version 1", std::string("\x05\x00\x0b\x03\x10\x00\x00\x00\x48\x00", 10), FirstPdu::Kind::rpc, ""},
        {"text", "GET / HTTP/1.1", FirstPdu::Kind::bad, "the first PDU is no RTS PDU and no RPC PDU"},
        {"version 4 of RPC", std::string("\x04\x00\x0b\x03\x10\x00\x00\x00\x48\x00", 10), FirstPdu::Kind::bad,
         "the first PDU is no RTS PDU and no RPC PDU"},
        {"no length", rts_of(0), FirstPdu::Kind::bad, "the first PDU has an illegal length"},
        {"shorter than its header", rts_of(19), FirstPdu::Kind::bad, "the first PDU has an illegal length"},
        {"longer than any", rts_of(rpch::max_rts_size + 1), FirstPdu::Kind::bad, "the first PDU has an illegal length"},
        {"the longest", rts_of(rpch::max_rts_size), FirstPdu::Kind::partial, ""},
        {"a command beyond the end", rts_of(24) + a2.substr(10, 14), FirstPdu::Kind::bad, nullptr},
        {"an unknown command", a2.substr(0, 20) + "\x77" + a2.substr(21), FirstPdu::Kind::bad, nullptr},
        {"no cookie", rts(RtsId::ping, {}), FirstPdu::Kind::bad, "the first PDU names no virtual connection"},
        {"no version in front", rts(RtsId::in_r1_a5, {0x10}), FirstPdu::Kind::bad,
         "the first PDU names no virtual connection"},
        {"the version alone", rts(RtsId::conn_c1, {}), FirstPdu::Kind::bad, "the first PDU names no virtual connection"},
        {"an all-zero cookie", rts(RtsId::conn_a2, {0, 0x20}), FirstPdu::Kind::bad,
         "the first PDU names no virtual connection"},
    };
    for (const auto& row : rows) {
        const FirstPdu first = leg::read_first_pdu(bytes_of(row.bytes));
        CHECK_TRUE_TEXT(row.kind == first.kind, row.what);
        if (row.error)
            STRCMP_EQUAL_TEXT(row.error, first.error.c_str(), row.what);
        else
            STRCMP_CONTAINS_TEXT("malformed first PDU: ", first.error.c_str(), row.what);
    }
}
