#include "rpch/mgmt.h"

#include "unit/rpch/vectors.h"

#include <CppUTest/TestHarness.h>

using vectors::unhex;
using Buffer = std::vector<std::uint8_t>;

namespace {

// What Samba's endpoint mapper answers.
constexpr const char* samba =
    "0000020002000000020000000400020008000200"
    "0883afe11f5dc91191a408002b14a0fa0300000080bda8af8a7dc911bef408002b1029890100000000000000";

} // namespace

TEST_GROUP(Mgmt){};

TEST(Mgmt, readsInterfaces)
{
    const auto ids = rpch::mgmt::decode_inq_if_ids(unhex(samba), true);
    CHECK(ids.has_value());
    UNSIGNED_LONGS_EQUAL(0, ids->status);
    LONGS_EQUAL(2, ids->interfaces.size());
    STRCMP_EQUAL("e1af8308-5d1f-11c9-91a4-08002b14a0fa v3.0", ids->interfaces[0].text().c_str());
    CHECK(ids->interfaces[1] == rpch::mgmt::interface);
    STRCMP_EQUAL("endpoint mapper", rpch::mgmt::interface_name(ids->interfaces[0].uuid));
    POINTERS_EQUAL(nullptr, rpch::mgmt::interface_name(rpch::Guid{}));
}

TEST(Mgmt, readsInterfacesBigEndian)
{
    const auto ids = rpch::mgmt::decode_inq_if_ids(
        unhex("00020000000000010000000100020004e1af83085d1f11c991a408002b14a0fa0003000000000000"), false);
    CHECK(ids.has_value());
    STRCMP_EQUAL("e1af8308-5d1f-11c9-91a4-08002b14a0fa v3.0", ids->interfaces.at(0).text().c_str());
}

TEST(Mgmt, readsNoInterfaces)
{
    const auto none = rpch::mgmt::decode_inq_if_ids(unhex("0000000005000000"), true);
    CHECK(none.has_value() && none->interfaces.empty());
    UNSIGNED_LONGS_EQUAL(5, none->status);
    const auto null_entry = rpch::mgmt::decode_inq_if_ids(unhex("000002000100000001000000"
                                                                "00000000"
                                                                "00000000"),
                                                          true);
    CHECK(null_entry.has_value() && null_entry->interfaces.empty());
}

TEST(Mgmt, refusesLyingCounts)
{
    for (const char* bad : {"00000200ffffffffffffffff", "00000200020000000100000004000200",
                            "0000020001000000010000000400020000000000", "0000020000000040000000400400020004000200"})
        CHECK_FALSE_TEXT(rpch::mgmt::decode_inq_if_ids(unhex(bad), true).has_value(), bad);
}

TEST(Mgmt, refusesEveryTruncation)
{
    const Buffer whole = unhex(samba);
    for (std::size_t n = 0; n < whole.size(); ++n)
        CHECK_FALSE(rpch::mgmt::decode_inq_if_ids(base::Bytes(whole).first(n), true).has_value());
}

TEST(Mgmt, readsListening)
{
    const auto yes = rpch::mgmt::decode_is_server_listening(unhex("0000000001000000"), true);
    CHECK(yes && yes->listening && yes->status == 0);
    const auto no = rpch::mgmt::decode_is_server_listening(unhex("0000000500000000"), false);
    CHECK(no && !no->listening && no->status == 5);
    CHECK_FALSE(rpch::mgmt::decode_is_server_listening(unhex("00000000010000"), true).has_value());
}
