#include "unit/tunnel/pairing_fixture.h"

// The successor of an OUT channel, MS-RPCH 3.2.1.5.3.4 and .5, when its predecessor or it come by TCP.

namespace {

/// Bytes. Of two MiB the last eighth is left when the server asks for a successor, so RPC goes on meanwhile.
constexpr std::uint32_t lifetime = 2 * 1024 * 1024;
constexpr std::uint32_t window = 16384;

const std::string out_r1_a4 = rts(RtsId::out_r1_a4, {vc, role_test::out, out_next});
const std::string out_r1_a5 = rts(RtsId::out_r1_a5);
const std::string out_r1_a8 = rts(RtsId::out_r1_a8, {out_next}, rpch::Destination::server); // A7 looks the same
const std::string out_r1_a9 = rts(RtsId::out_r1_a9);                                        // and so does A10

/// What a client says to replace its OUT channel.
const std::string out_r1_a3 = rts(RtsId::out_r1_a3, {vc, role_test::out, out_next});

const std::string out_r2_a7 = text_of(rpch::RtsBuilder(RtsId::out_r2_a7).destination(rpch::Destination::server)
                                          .cookie(role_test::cookie(out_next)).version().done());

} // namespace

TEST_GROUP_BASE(PairingOutRecycling, PairingGroup)
{
    static void with_a3(leg::Arrival& arrival) { arrival.content_length = 120; }

    /// The client's answer to the request for a successor, on this node: the head comes with A11.
    Peer successor_here()
    {
        return arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, out_r1_a3, with_a3);
    }
    /// The OUT channel of a client of this node, with the lifetime of `settings`, and the IN channel by TCP.
    Tunnel short_local_out_tunnel()
    {
        Tunnel t;
        t.in = join(b2());
        t.server = accept();
        t.out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1());
        expect(t.in, b3);
        until([&] {
            t.out.listen();
            return t.out.got.ends_with(rts(RtsId::conn_c2));
        });
        t.out.got.clear();
        return t;
    }
    /// The proxy of the OUT channel acknowledges for itself.
    std::uint32_t use_up(Tunnel& t, std::uint32_t received = 0)
    {
        const auto acknowledge = [&](std::uint32_t size) { t.out.say(text_of(rpch::encode(ack(size, window, role_test::out)))); };
        return use_up_lifetime(t, rts(RtsId::out_r1_a1), acknowledge, received);
    }
    /// The client of this node acknowledges by the proxy of its IN channel.
    void use_up_local(Tunnel& t)
    {
        use_up_lifetime(t, rts(RtsId::out_r1_a2), [&](std::uint32_t size) {
            t.in.say(text_of(rpch::encode(ack_to(rpch::Destination::outbound_proxy, size, 65536, role_test::out))));
        });
    }
};

TEST(PairingOutRecycling, fromProxyToProxy)
{
    start();
    for (const bool local_in : {false, true}) {
        Tunnel t = local_in ? local_in_tunnel(window, lifetime) : paired_tunnel(window, lifetime);
        use_up(t);
        Peer next = join(out_r1_a4);
        expect(t.out, out_r1_a5);
        t.server.say(rpc_pdu(60, 1));
        expect(t.out, rpc_pdu(60, 1)); // the predecessor is the default one until A8
        t.in.say(out_r1_a8);
        expect(t.out, out_r1_a9);
        t.server.say(rpc_pdu(61, 2));
        expect(next, rpc_pdu(61, 2));
        CHECK_TRUE(open(t.out)); // its proxy ends it, after A10
        t.out.fd.reset();
        until([&] { return pairing().size() == (local_in ? 1 : 2); });
        t.out = std::move(next);
        expect_traffic(t);
        t.in.fd.reset();
        until([&] { return nothing_left(); });
    }
}

TEST(PairingOutRecycling, fromAProxyToThisNode)
{
    start();
    Tunnel t = paired_tunnel(window, lifetime);
    use_up(t);
    Peer next = successor_here();
    expect(t.out, out_r1_a5);
    t.in.say(out_r1_a8);
    expect(t.out, out_r1_a9);
    t.server.say(rpc_pdu(61, 2));
    settle();
    next.listen();
    CHECK_TRUE(next.got.empty());
    next.say(rts(RtsId::out_r1_a11));
    until_got(next, success_head(lifetime).size() + 61);
    CHECK(next.got.ends_with("\r\n\r\n" + rpc_pdu(61, 2)));
    next.got.clear();
    t.out = std::move(next);
    expect_traffic(t);
    LONGS_EQUAL(1, hub->outbound_channels());
}

TEST(PairingOutRecycling, fromThisNodeToAProxy)
{
    settings.channel_lifetime = lifetime;
    start();
    Tunnel t = short_local_out_tunnel();
    use_up_local(t);
    Peer next = join(out_r1_a4);
    expect(t.out, rts(RtsId::out_r1_a6));
    t.in.say(out_r1_a8);
    until_ended(t.out);
    CHECK(t.out.got == rts(RtsId::out_r1_a10));
    until([&] { return hub->size() == 0; });
    t.out = std::move(next);
    expect_traffic(t);
}

// The client of this node has not read everything when A8 comes: A10 is behind it.
TEST(PairingOutRecycling, theRestOfAPredecessorOfThisNodeIsDelivered)
{
    settings.channel_lifetime = lifetime;
    start();
    for (const std::size_t at : {2000, 4999}) {
        Tunnel t = short_local_out_tunnel();
        use_up_local(t);
        Peer next = join(out_r1_a4);
        expect(t.out, rts(RtsId::out_r1_a6));
        t.server.say(rpc_pdu(5000, 1).substr(0, at));
        until_got(t.out, at);
        t.in.say(out_r1_a8);
        settle();
        CHECK_TRUE(open(t.out));
        t.server.say(rpc_pdu(5000, 1).substr(at) + rpc_pdu(61, 2));
        until_ended(t.out);
        CHECK(t.out.got == rpc_pdu(5000, 1) + rts(RtsId::out_r1_a10));
        expect(next, rpc_pdu(61, 2));
        t.in.fd.reset();
        until([&] { return nothing_left(); });
    }
}

// A PDU that has begun ends where it began, and A9 is behind it.
TEST(PairingOutRecycling, inTheMiddleOfAnRpcPdu)
{
    start();
    const std::string pdu = rpc_pdu(4200, 1);
    for (const std::size_t at : {10, 16, 2000, 4199}) {
        Tunnel t = paired_tunnel(window, lifetime);
        use_up(t);
        Peer next = join(out_r1_a4);
        expect(t.out, out_r1_a5);
        t.server.say(pdu.substr(0, at));
        expect(t.out, pdu.substr(0, at));
        t.in.say(out_r1_a8);
        expect(t.out, "");
        t.server.say(pdu.substr(at) + rpc_pdu(61, 2));
        expect(t.out, pdu.substr(at) + out_r1_a9);
        expect(next, rpc_pdu(61, 2));
        t.in.fd.reset();
        until([&] { return nothing_left(); });
    }
}

// What waits for the predecessor's window goes there when its proxy has acknowledged, with A9 behind it.
TEST(PairingOutRecycling, whatWaitsForThePredecessorsWindowGoesThere)
{
    start();
    Tunnel t = paired_tunnel(window, lifetime);
    const std::uint32_t used = use_up(t);
    Peer next = join(out_r1_a4);
    expect(t.out, out_r1_a5);
    t.server.say(rpc_pdu(10000, 1) + rpc_pdu(8000, 2) + rpc_pdu(61, 3));
    expect(t.out, rpc_pdu(10000, 1));
    t.in.say(out_r1_a8);
    expect(t.out, "");
    expect(next, "");
    t.out.say(text_of(rpch::encode(ack(used + 10000, window, role_test::out))));
    expect(t.out, rpc_pdu(8000, 2) + out_r1_a9);
    expect(next, rpc_pdu(61, 3));
    t.out.fd.reset();
    t.out = std::move(next);
    expect_traffic(t);
}

// 3.2.1.5.3.5: the leg stays. B1, and a lifetime that begins again.
TEST(PairingOutRecycling, behindOneProxy)
{
    start();
    Tunnel t = paired_tunnel(window, lifetime);
    std::uint32_t received = 0;
    std::uint8_t name = role_test::out;
    for (int round = 0; round < 3; ++round) {
        received = use_up(t, received);
        ++name;
        t.out.say(rts(RtsId::out_r2_a4, {name}));
        expect(t.out, rts(RtsId::out_r2_a5));
        t.in.say(text_of(rpch::RtsBuilder(RtsId::out_r2_a7).destination(rpch::Destination::server)
                             .cookie(role_test::cookie(name)).version().done()));
        expect(t.out, rts(RtsId::out_r2_b1));
    }
    LONGS_EQUAL(2, pairing().size());
    expect_traffic(t);
}

TEST(PairingOutRecycling, behindThisNode)
{
    settings.channel_lifetime = lifetime;
    start();
    Tunnel t = short_local_out_tunnel();
    use_up_local(t);
    Peer next = successor_here();
    expect(t.out, rts(RtsId::out_r2_a6));
    next.say(rts(RtsId::out_r2_c1));
    t.in.say(out_r2_a7);
    until_ended(t.out);
    CHECK(t.out.got == rts(RtsId::out_r2_b3));
    t.server.say(rpc_pdu(61, 2));
    until_got(next, success_head(lifetime).size() + 61);
    CHECK(next.got.ends_with("\r\n\r\n" + rpc_pdu(61, 2)));
    next.got.clear();
    t.out = std::move(next);
    expect_traffic(t);
}

TEST(PairingOutRecycling, aSuccessorThatIsNotCompletedIsDroppedAlone)
{
    settings.setup_timeout = 200;
    start();
    for (const bool goes_by_itself : {true, false}) {
        Tunnel t = paired_tunnel(window, lifetime);
        use_up(t);
        Peer next = join(out_r1_a4);
        expect(t.out, out_r1_a5);
        if (goes_by_itself)
            next.fd.reset();
        else
            until_ended(next);
        CHECK_TRUE(next.got.empty());
        until([&] { return pairing().size() == 2; });
        expect_traffic(t);
        t.in.fd.reset();
        until([&] { return nothing_left(); });
    }
}

// R2: the proxy is told by B2, and the predecessor goes on.
TEST(PairingOutRecycling, aSuccessorBehindOneProxyThatIsNotCompleted)
{
    settings.setup_timeout = 200;
    start();
    Tunnel t = paired_tunnel(window, lifetime);
    use_up(t);
    t.out.say(rts(RtsId::out_r2_a4, {out_next}));
    expect(t.out, rts(RtsId::out_r2_a5));
    until_got(t.out, 24);
    expect(t.out, rts(RtsId::out_r2_b2));
    expect_traffic(t);
}

// While a PDU waits for the rest of its bytes, A9 has not left: that predecessor was the client's only channel.
TEST(PairingOutRecycling, aPredecessorThatClosesTooEarlyIsTheEnd)
{
    start();
    for (const bool before_a8 : {true, false}) {
        Tunnel t = paired_tunnel(window, lifetime);
        use_up(t);
        Peer next = join(out_r1_a4);
        expect(t.out, out_r1_a5);
        t.server.say(rpc_pdu(4200, 1).substr(0, 2000));
        expect(t.out, rpc_pdu(4200, 1).substr(0, 2000));
        if (!before_a8)
            t.in.say(out_r1_a8);
        settle();
        t.out.fd.reset();
        until_ended(next);
        until_ended(t.in);
        until_ended(t.server);
        until([&] { return nothing_left(); });
    }
}

TEST(PairingOutRecycling, anA8OfAnotherSuccessorIsTheEnd)
{
    start();
    for (const bool one_proxy : {false, true}) {
        Tunnel t = paired_tunnel(window, lifetime);
        use_up(t);
        Peer next;
        if (one_proxy)
            t.out.say(rts(RtsId::out_r2_a4, {out_next}));
        else
            next = join(out_r1_a4);
        expect(t.out, one_proxy ? rts(RtsId::out_r2_a5) : out_r1_a5);
        t.in.say(one_proxy ? rts(RtsId::out_r2_a8, {0x77}) : rts(RtsId::out_r1_a8, {0x77}, rpch::Destination::server));
        until_ended(t.out);
        CHECK(t.out.got == (one_proxy ? rts(RtsId::out_r2_b2) : ""));
        until_ended(t.in);
        until([&] { return nothing_left(); });
    }
}
