#include "rpch/framer.h"

#include "vectors.h"

#include <random>

#include <CppUTest/TestHarness.h>

#include <CppUTest/MemoryLeakDetector.h>
#include <CppUTest/MemoryLeakWarningPlugin.h>

using rpch::Framer;
using Kind = rpch::Framer::Kind;
using Buffer = std::vector<std::uint8_t>;

namespace {

/// Puts pieces together again and checks what a piece must be.
struct Collector {
    Framer framer;
    std::vector<Buffer> pdus;
    const char* error = nullptr;
    bool open = false;

    void feed(base::Bytes input)
    {
        for (;;) {
            const Framer::Piece piece = framer.next(input);
            if (piece.kind == Kind::more)
                return;
            if (piece.kind == Kind::bad) {
                error = piece.error;
                return;
            }
            CHECK_EQUAL(!open, piece.first);
            if (piece.first) {
                CHECK_TRUE(piece.bytes.size() >= rpch::framing_size);
                pdus.emplace_back();
            }
            pdus.back().insert(pdus.back().end(), piece.bytes.begin(), piece.bytes.end());
            open = !piece.last;
            LONGS_EQUAL(pdus.back()[2], static_cast<int>(piece.type));
            CHECK_EQUAL(piece.type == rpch::PacketType::rts, piece.kind == Kind::rts);
            CHECK_EQUAL(piece.last, pdus.back().size() == piece.frag_length);
            CHECK_TRUE(piece.kind == Kind::rpc || (piece.first && piece.last));
            CHECK_EQUAL(!open, framer.at_boundary());
        }
    }
};

/// Every vector, with RPC PDUs of many sizes and both byte orders between them.
std::vector<Buffer> mixture()
{
    std::vector<Buffer> pdus;
    std::uint8_t n = 0;
    for (const auto& v : vectors::load()) {
        pdus.push_back(v.bytes);
        pdus.push_back(vectors::rpc_pdu(16u + n * 37u, n % 20, n % 2 == 0, n));
        ++n;
    }
    pdus.push_back(vectors::rpc_pdu(65535, 2, true, 1));
    pdus.push_back(vectors::rpc_pdu(65535, 2, false, 1));
    return pdus;
}

Buffer joined(const std::vector<Buffer>& pdus)
{
    Buffer all;
    for (const Buffer& pdu : pdus)
        all.insert(all.end(), pdu.begin(), pdu.end());
    return all;
}

std::size_t live_allocations()
{
    return MemoryLeakWarningPlugin::getGlobalDetector()->totalMemoryLeaks(mem_leak_period_checking);
}

} // namespace

TEST_GROUP(Framer) {
};

TEST(Framer, cutsAWholeBuffer)
{
    const auto pdus = mixture();
    Collector c;
    c.feed(joined(pdus));
    CHECK_TRUE(c.pdus == pdus);
    CHECK_TRUE(c.framer.at_boundary());
}

TEST(Framer, cutsByteByByte)
{
    const auto pdus = mixture();
    Collector c;
    for (const std::uint8_t byte : joined(pdus))
        c.feed({&byte, 1});
    CHECK_TRUE(c.pdus == pdus);
    CHECK_TRUE(c.framer.at_boundary());
}

TEST(Framer, cutsRandomSplits)
{
    const auto pdus = mixture();
    const Buffer all = joined(pdus);
    std::mt19937 random(1);
    for (int round = 0; round < 50; ++round) {
        Collector c;
        const std::size_t longest = round % 2 ? 40 : 3000;
        for (base::Bytes rest = all; !rest.empty();) {
            const std::size_t n = std::min<std::size_t>(rest.size(), 1 + random() % longest);
            c.feed(rest.first(n));
            rest = rest.subspan(n);
        }
        CHECK_TRUE(c.pdus == pdus);
    }
}

TEST(Framer, deliversAnRtsPduWholeWhereverItIsSplit)
{
    const Buffer pdu = vectors::bytes("CONN/B2-IPv6");
    for (std::size_t split = 0; split <= pdu.size(); ++split) {
        Collector c;
        c.feed(base::Bytes(pdu).first(split));
        CHECK_EQUAL(split == pdu.size(), !c.pdus.empty());
        c.feed(base::Bytes(pdu).subspan(split));
        CHECK_TRUE(c.pdus == std::vector<Buffer>{pdu});
    }
}

TEST(Framer, pointsIntoTheInputInsteadOfCopying)
{
    const Buffer pdu = vectors::rpc_pdu(100, 0, true, 0);
    base::Bytes input = base::Bytes(pdu).first(60);
    Framer framer;
    const auto piece = framer.next(input);
    POINTERS_EQUAL(pdu.data(), piece.bytes.data());
    LONGS_EQUAL(60, piece.bytes.size());
    LONGS_EQUAL(100, piece.frag_length);
    CHECK_FALSE(framer.at_boundary());
}

TEST(Framer, holdsMemoryOnlyWhileAnRtsPduIsPartial)
{
    const Buffer rts = vectors::bytes("CONN/A1");
    const Buffer rpc = vectors::rpc_pdu(5000, 0, true, 0);
    Framer framer;
    const auto feed = [&](base::Bytes input) {
        while (framer.next(input).kind != Kind::more)
            ;
    };
    const std::size_t before = live_allocations();
    const Buffer probe = rts;
    const std::size_t at_rest = live_allocations();
    const std::size_t one = at_rest - before; // 0 in a build whose allocations CppUTest does not count
    CHECK_TRUE(probe == rts);
    feed(base::Bytes(rpc).first(4000));
    LONGS_EQUAL(at_rest, live_allocations());
    feed(base::Bytes(rpc).subspan(4000));
    feed(base::Bytes(rts).first(50));
    LONGS_EQUAL(at_rest + one, live_allocations());
    feed(base::Bytes(rts).subspan(50));
    LONGS_EQUAL(at_rest, live_allocations());
}

TEST(Framer, anUnfinishedPduIsNoBoundary)
{
    for (const Buffer& pdu : {vectors::bytes("CONN/A1"), vectors::rpc_pdu(30, 0, true, 0)})
        for (std::size_t n = 1; n < pdu.size(); ++n) {
            Collector c;
            c.feed(base::Bytes(pdu).first(n));
            CHECK_FALSE(c.framer.at_boundary());
        }
}

TEST(Framer, refusesABadHeader)
{
    const struct {
        const char* header;
        const char* error;
    } rows[] = {
        {"04000b03100000004800", "RPC version is not 5"},
        {"48545450", "RPC version is not 5"},
        {"05000b03200000004800", "unknown byte order"},
        {"05000b03f00000004800", "unknown byte order"},
        {"05000b03100000000000", "fragment length below 16"},
        {"05000b03100000000f00", "fragment length below 16"},
        {"05000b0300000000000f", "fragment length below 16"},
        {"05001403100000000000", "fragment length below 16"},
        {"05001403100000000f00", "fragment length below 16"},
        {"05001403100000001300", "RTS fragment length below 20"},
        {"05001403100000000101", "RTS fragment length above 256"},
        {"0500140310000000ffff", "RTS fragment length above 256"},
        {"05001403000000000014", "RTS PDU is not in the byte order 10 00 00 00"},
        {"05001403110000001400", "RTS PDU is not in the byte order 10 00 00 00"},
        {"05001403100100001400", "RTS PDU is not in the byte order 10 00 00 00"},
        {"05001403100001001400", "RTS PDU is not in the byte order 10 00 00 00"},
        {"05001403100000011400", "RTS PDU is not in the byte order 10 00 00 00"},
    };
    for (const auto& r : rows) {
        const Buffer header = vectors::unhex(r.header);
        Collector whole, bytewise;
        whole.feed(header);
        STRCMP_EQUAL(r.error, whole.error);
        for (const std::uint8_t byte : header)
            bytewise.feed({&byte, 1});
        STRCMP_EQUAL(r.error, bytewise.error);
        CHECK_TRUE(whole.pdus.empty() && bytewise.pdus.empty());
    }
}

// A peer that speaks something else may fall silent after a byte; and nothing that can become a PDU is refused.
TEST(Framer, objectsToTheFirstWrongByte)
{
    const struct {
        const char* begin;
        std::size_t wrong; // which byte
        const char* error;
    } rows[] = {
        {"353530206e6f210d0a", 1, "RPC version is not 5"},
        {"05000b032000000048", 5, "unknown byte order"},
        {"050014030000000014", 5, "RTS PDU is not in the byte order 10 00 00 00"},
        {"050014031000000114", 8, "RTS PDU is not in the byte order 10 00 00 00"},
    };
    for (const auto& r : rows) {
        const Buffer begin = vectors::unhex(r.begin);
        for (std::size_t size = 0; size <= begin.size(); ++size) {
            const char* const expected = size < r.wrong ? nullptr : r.error;
            STRCMP_EQUAL(expected, Framer::objection(base::Bytes(begin).first(size)));
            Collector c;
            c.feed(base::Bytes(begin).first(size));
            STRCMP_EQUAL(expected, c.error);
        }
    }
    for (const Buffer& pdu : mixture())
        for (std::size_t size = 0; size < rpch::framing_size; ++size)
            STRCMP_EQUAL(nullptr, Framer::objection(base::Bytes(pdu).first(size)));
}

TEST(Framer, staysBad)
{
    const Buffer good = vectors::bytes("CONN/A1");
    Collector c;
    c.feed(vectors::unhex("05000b03100000000f00"));
    c.feed(good);
    STRCMP_EQUAL("fragment length below 16", c.error);
    CHECK_TRUE(c.pdus.empty());
    CHECK_FALSE(c.framer.at_boundary());
}

TEST(Framer, takesTheExtremesOfTheLength)
{
    for (const char* header :
         {"05000b03100000001000", "05000b0300000000ffff", "05001403100000001400", "05001403100000000001"}) {
        Collector c;
        c.feed(vectors::unhex(header));
        POINTERS_EQUAL(nullptr, c.error);
    }
}

TEST(Framer, movesWithItsPartialPdu)
{
    const Buffer pdu = vectors::bytes("CONN/B1");
    Collector a;
    a.feed(base::Bytes(pdu).first(33));
    Collector b{.framer = std::move(a.framer), .pdus = {}};
    b.feed(base::Bytes(pdu).subspan(33));
    CHECK_TRUE(b.pdus == std::vector<Buffer>{pdu});
}
