#include "leg/outlet.h"
#include "rpch/pdu.h"
#include "rpch/rts_builder.h"

#include <sys/socket.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

#include <CppUTest/TestHarness.h>

using leg::Outlet;

namespace {

std::vector<std::uint8_t> rpc_pdu(std::size_t size, std::uint8_t fill)
{
    std::vector<std::uint8_t> pdu(size, fill);
    rpch::PduHeader header;
    header.frag_length = static_cast<std::uint16_t>(size);
    base::Writer out(pdu);
    header.encode(out);
    return pdu;
}

struct Gate final : Outlet::Gate {
    std::uint32_t room = 1u << 31;
    bool admits(std::uint32_t size) const override { return size <= room; }
    void sent(std::uint32_t size) override { room -= size; }
};

} // namespace

TEST_GROUP(Outlet) {
    int fds[2];
    net::Stream stream;
    Gate gate;
    Outlet* outlet = nullptr;
    rpch::Framer framer;
    std::vector<std::uint8_t> got;

    void setup() override
    {
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);
        const int small = 4096;
        setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        stream = net::Stream(base::UniqueFd(fds[0]));
        outlet = new Outlet(stream, gate);
    }
    void teardown() override
    {
        delete outlet;
        close(fds[1]);
    }
    void put(const std::vector<std::uint8_t>& bytes)
    {
        base::Bytes input = bytes;
        for (;;) {
            const rpch::Framer::Piece piece = framer.next(input);
            if (piece.kind == rpch::Framer::Kind::more)
                break;
            outlet->put(piece);
        }
        CHECK_TRUE(outlet->flush());
    }
    bool take()
    {
        std::uint8_t buffer[3000];
        const ssize_t n = recv(fds[1], buffer, sizeof buffer, MSG_DONTWAIT);
        if (n > 0)
            got.insert(got.end(), buffer, buffer + n);
        return n > 0;
    }
    void take_all()
    {
        while (take()) {
        }
    }
    static std::vector<std::uint8_t> joined(std::initializer_list<std::vector<std::uint8_t>> parts)
    {
        std::vector<std::uint8_t> all;
        for (const auto& part : parts)
            all.insert(all.end(), part.begin(), part.end());
        return all;
    }
    /// Until the socket takes nothing more.
    void block()
    {
        while (!outlet->blocked())
            put(rpc_pdu(2000, 7));
    }
    /// What comes behind the RPC PDUs of block(), when the peer reads on.
    std::vector<std::uint8_t> behind_the_block()
    {
        do {
            take_all();
            CHECK_TRUE(outlet->flush());
        } while (!outlet->idle());
        take_all();
        std::size_t at = 0;
        while (at + 2000 <= got.size() && got[at + 2] != static_cast<std::uint8_t>(rpch::PacketType::rts))
            at += 2000;
        return {got.begin() + static_cast<std::ptrdiff_t>(at), got.end()};
    }
    static std::vector<std::uint8_t> ack(std::uint32_t received, std::uint8_t channel,
                                         std::optional<rpch::Destination> to = {})
    {
        rpch::Cookie cookie;
        cookie.bytes.fill(channel);
        const rpch::FlowControlAck figures{received, 65536, cookie};
        const rpch::RtsBytes pdu =
            to ? rpch::RtsBuilder(rpch::RtsId::flow_control_ack_with_destination).destination(*to).flow_control_ack(figures).done()
               : rpch::RtsBuilder(rpch::RtsId::flow_control_ack).flow_control_ack(figures).done();
        const base::Bytes bytes = pdu;
        return {bytes.begin(), bytes.end()};
    }
    static std::vector<std::uint8_t> ping()
    {
        const rpch::RtsBytes pdu = rpch::RtsBuilder(rpch::RtsId::ping).done();
        const base::Bytes bytes = pdu;
        return {bytes.begin(), bytes.end()};
    }
};

TEST(Outlet, whatFitsGoesOutAtOnce)
{
    put(joined({rpc_pdu(100, 1), rpc_pdu(50, 2)}));
    take_all();
    CHECK(got == joined({rpc_pdu(100, 1), rpc_pdu(50, 2)}));
    LONGS_EQUAL(150, outlet->take_consumed());
    LONGS_EQUAL(0, outlet->take_consumed());
    CHECK_TRUE(outlet->idle());
}

TEST(Outlet, gatedPdusWaitWholeAndRtsPdusOvertakeThem)
{
    gate.room = 100;
    put(joined({rpc_pdu(100, 1), rpc_pdu(50, 2)}));
    CHECK_TRUE(outlet->gated());
    outlet->put_control(ping());
    CHECK_TRUE(outlet->flush());
    take_all();
    CHECK(got == joined({rpc_pdu(100, 1), ping()}));
    LONGS_EQUAL(100, outlet->take_consumed());
    gate.room = 49;
    CHECK_TRUE(outlet->flush());
    CHECK_FALSE(take());
    gate.room = 50;
    CHECK_TRUE(outlet->flush());
    take_all();
    CHECK(got == joined({rpc_pdu(100, 1), ping(), rpc_pdu(50, 2)}));
    LONGS_EQUAL(50, outlet->take_consumed());
}

TEST(Outlet, anRtsPduNeverCutsIntoAnRpcPdu)
{
    const std::vector<std::uint8_t> pdu = rpc_pdu(100, 1);
    put({pdu.begin(), pdu.begin() + 40});
    outlet->put_control(ping());
    CHECK_TRUE(outlet->flush());
    put({pdu.begin() + 40, pdu.begin() + 60});
    put(joined({{pdu.begin() + 60, pdu.end()}, rpc_pdu(30, 2)}));
    take_all();
    CHECK(got == joined({pdu, ping(), rpc_pdu(30, 2)}));
}

TEST(Outlet, aGatedPduThatIsStillComingCanBeAdmittedInTheMiddle)
{
    gate.room = 0;
    const std::vector<std::uint8_t> pdu = rpc_pdu(100, 1);
    put({pdu.begin(), pdu.begin() + 40});
    gate.room = 100;
    CHECK_TRUE(outlet->flush());
    outlet->put_control(ping());
    put(joined({{pdu.begin() + 40, pdu.end()}, rpc_pdu(30, 2)}));
    CHECK_TRUE(outlet->gated());
    take_all();
    CHECK(got == joined({pdu, ping()}));
}

// A peer that does not read costs one acknowledgement for each channel, the newest, however many there were.
TEST(Outlet, theNewestAcknowledgementReplacesTheOneThatWaits)
{
    using rpch::Destination;
    block();
    const std::size_t waiting = outlet->waiting();
    for (std::uint32_t i = 1; i <= 10'000; ++i) {
        outlet->put_control(ack(i, 1, Destination::client));
        outlet->put_control(ack(i + 1, 2, Destination::client));
        outlet->put_control(ack(i + 2, 1, Destination::outbound_proxy)); // another receiver
        outlet->put_control(ack(i + 3, 1));
        if (i == 5000)
            outlet->put_control(ping());
        CHECK_TRUE(outlet->flush());
        LONGS_EQUAL(waiting, outlet->waiting());
    }
    CHECK(behind_the_block() == joined({ack(10'000, 1, Destination::client), ack(10'001, 2, Destination::client),
                                        ack(10'002, 1, Destination::outbound_proxy), ack(10'003, 1), ping()}));
}

// What was put first leaves first, also when the socket takes nothing: CONN/C2 before the first answer.
TEST(Outlet, anRtsPduThatWaitsForTheSocketGoesBeforeTheRpcPduThatComesLater)
{
    block();
    outlet->put_control(ping());
    put(rpc_pdu(300, 9));
    outlet->put_control(ack(5, 1));
    CHECK(behind_the_block() == joined({ping(), rpc_pdu(300, 9), ack(5, 1)}));
}

// Of PDUs that are no acknowledgements a peer that reads has only a few waiting.
TEST(Outlet, aPeerThatReadsNoRtsPduIsGivenUp)
{
    block();
    std::size_t bytes = 0;
    for (; bytes + ping().size() <= Outlet::most_urgent; bytes += ping().size())
        outlet->put_control(ping());
    CHECK_TRUE(outlet->flush());
    outlet->put_control(ping());
    CHECK_FALSE(outlet->flush());
    STRCMP_CONTAINS("RTS PDUs", outlet->failure_text().c_str());
}

TEST(Outlet, aDeadStreamIsReported)
{
    shutdown(fds[1], SHUT_RDWR);
    base::Bytes input;
    const std::vector<std::uint8_t> pdu = rpc_pdu(100, 1);
    input = pdu;
    outlet->put(framer.next(input));
    CHECK_FALSE(outlet->flush());
    CHECK_FALSE(outlet->flush());
    STRCMP_CONTAINS("roken pipe", outlet->failure_text().c_str());
}

// A slow reader, a gate that opens now and then, RTS PDUs at any time, reads cut anywhere: RPC PDUs stay
// in order and unbroken, every RTS PDU comes once and between two of them, and the count comes out even.
TEST(Outlet, randomTrafficStaysWholeAndInOrder)
{
    std::mt19937 random(7);
    std::vector<std::uint8_t> source;
    std::size_t pdus = 0;
    while (source.size() < 300'000) {
        const auto pdu = rpc_pdu(16 + random() % 3000, static_cast<std::uint8_t>(pdus++));
        source.insert(source.end(), pdu.begin(), pdu.end());
    }
    std::size_t pings = 0, consumed = 0, at = 0;
    gate.room = 0;
    while (at < source.size() || !outlet->idle()) {
        if (at < source.size()) {
            // As a leg does: never fewer than ten bytes of a PDU's begin.
            std::size_t n = std::min<std::size_t>(source.size() - at, 1 + random() % 5000);
            base::Bytes input{source.data() + at, n};
            while (!(framer.at_boundary() && input.size() < rpch::framing_size)) {
                const rpch::Framer::Piece piece = framer.next(input);
                if (piece.kind == rpch::Framer::Kind::more)
                    break;
                outlet->put(piece);
            }
            at += n - input.size();
        }
        if (random() % 4 == 0 && at < source.size()) {
            outlet->put_control(ping());
            ++pings;
        }
        if (random() % 3 == 0)
            gate.room += random() % 9000;
        if (at == source.size())
            gate.room = 1u << 31;
        CHECK_TRUE(outlet->flush());
        consumed += outlet->take_consumed();
        if (random() % 2)
            take();
    }
    take_all();
    LONGS_EQUAL(source.size(), consumed);

    rpch::Framer check;
    std::vector<std::uint8_t> rpc;
    std::size_t seen = 0;
    for (base::Bytes input = got;;) {
        const rpch::Framer::Piece piece = check.next(input);
        if (piece.kind == rpch::Framer::Kind::more)
            break;
        CHECK(piece.kind != rpch::Framer::Kind::bad);
        if (piece.kind == rpch::Framer::Kind::rts)
            ++seen;
        else
            rpc.insert(rpc.end(), piece.bytes.begin(), piece.bytes.end());
    }
    LONGS_EQUAL(pings, seen);
    CHECK(rpc == source);
}

// The last PDU is behind all that was put and all that is still coming of it, whatever holds it back.
TEST(Outlet, theLastPduIsBehindEverything)
{
    const std::vector<std::uint8_t> pdu = rpc_pdu(100, 1);
    const auto part = [&](std::size_t from, std::size_t to) {
        return std::vector<std::uint8_t>(pdu.begin() + static_cast<std::ptrdiff_t>(from), pdu.begin() + static_cast<std::ptrdiff_t>(to));
    };
    for (const std::uint32_t room : {1u << 20, 100u, 0u}) {
        for (const std::size_t cut : {10, 50, 99, 100}) {
            gate.room = room;
            got.clear();
            put(part(0, cut));
            outlet->put_last(ping());
            CHECK_FALSE(outlet->idle() && cut < 100);
            if (cut + 1 < 100)
                put(part(cut, cut + 1));
            if (cut < 100)
                put(part(std::min<std::size_t>(cut + 1, 99), 100));
            if (room == 0) {
                CHECK_FALSE(take());
                CHECK_TRUE(outlet->held_back());
                gate.room = 100;
            }
            CHECK_TRUE(outlet->flush());
            take_all();
            CHECK(got == joined({pdu, ping()}));
            CHECK_TRUE(outlet->idle());
        }
    }
}
