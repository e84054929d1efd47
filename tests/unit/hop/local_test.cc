#include "hop/local.h"
#include "unit/tunnel/pairing_fixture.h"

namespace {

/// A channel that lets RPC PDUs go when the test says so.
struct Channel final : hop::Hop::User {
    bool connected = false, open = false;
    int closed = 0;
    std::string got;                 // RTS PDUs of the server
    std::uint32_t sent = 0, consumed = 0;
    std::size_t waiting = 0;         // in the hop, as of the last hop_consumed()
    hop::Local* hop = nullptr;

    void hop_routed(const directory::Route&) override {}
    void hop_connected() override { connected = true; }
    void hop_failed(const leg::Failure&) override { ++closed; }
    void hop_rts(const rpch::Rts& pdu) override { got += text_of(rpch::encode(pdu)); }
    void hop_rpc(const rpch::Framer::Piece&) override {}
    void hop_delivered() override {}
    void hop_closed(const std::string&) override { ++closed; }
    std::size_t hop_allowance(bool) override { return 0; }
    bool hop_recycles() const override { return true; }
    bool hop_admits(std::uint32_t) const override { return open; }
    void hop_sent(std::uint32_t size) override { sent += size; }
    void hop_consumed(std::uint32_t size) override
    {
        consumed += size;
        waiting = hop->waiting();
    }
};

} // namespace

TEST_GROUP_BASE(LocalHop, PairingGroup)
{
    leg::Visitor visitor;
    Channel channel;
    std::unique_ptr<hop::Local> hop;
    Peer out, server;

    /// An IN channel that is open, with the OUT channel by TCP.
    void setup() override
    {
        PairingGroup::setup();
        start();
        const directory::Route route{directory::Transport::ncacn_ip_tcp, "127.0.0.1", port, "EX1"};
        visitor = {1, role_test::cookie(vc), {}, hub->grants().share({{"alice", "ex1:6001"}, false, route})};
        hop = std::make_unique<hop::Local>(pairing(), leg::Side::in, visitor, false, channel);
        channel.hop = hop.get();
        hop->connect();
        server = accept();
        until([&] { return channel.connected; });
        hop->send_rts(rpch::encode(role_test::make(RtsId::conn_b2, {vc, role_test::in})));
        out = join(a2());
        expect(out, c1);
        CHECK(channel.got == b3);
    }
    void teardown() override
    {
        hop.reset();
        PairingGroup::teardown();
    }
    void put(const std::string& pdu)
    {
        rpch::Framer framer;
        base::Bytes bytes{reinterpret_cast<const std::uint8_t*>(pdu.data()), pdu.size()};
        hop->put_rpc(framer.next(bytes));
        hop->flush();
    }
};

TEST(LocalHop, rpcWaitsForTheChannelsWindow)
{
    put(rpc_pdu(40, 1));
    LONGS_EQUAL(40, hop->waiting());
    LONGS_EQUAL(0, channel.sent);
    channel.open = true;
    hop->flush();
    expect(server, rpc_pdu(40, 1));
    LONGS_EQUAL(40, channel.sent);
    LONGS_EQUAL(40, channel.consumed);
    LONGS_EQUAL(0, hop->waiting());
}

// The channel ends when nothing waits any more, and hop_consumed() is where it learns it.
TEST(LocalHop, theLastPduIsBehindTheRestAndTheChannelLearnsThatItHasGone)
{
    Peer next = join(rts(RtsId::in_r1_a2, {vc, role_test::in, in_next}));
    expect(out, rts(RtsId::in_r1_a3));
    put(rpc_pdu(40, 1));
    hop->send_rts(rpch::encode(role_test::make(RtsId::in_r1_a6, {in_next})));
    hop->send_last(rpch::encode(role_test::make(RtsId::in_r1_b1)));
    LONGS_EQUAL(41, hop->waiting());
    expect(next, "");
    channel.open = true;
    hop->flush();
    LONGS_EQUAL(40, channel.consumed);
    LONGS_EQUAL(0, channel.waiting);
    expect(next, rts(RtsId::in_r1_b2));
    expect(server, rpc_pdu(40, 1));
    LONGS_EQUAL(0, channel.closed);
}
