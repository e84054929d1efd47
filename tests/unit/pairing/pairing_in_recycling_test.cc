#include "unit/tunnel/pairing_fixture.h"

// The successor of an IN channel, MS-RPCH 3.2.1.5.3.2 and .3, when its predecessor or it come by TCP.

namespace {

const std::string in_r1_a2 = rts(RtsId::in_r1_a2, {vc, role_test::in, in_next});
const std::string in_r1_b2 = rts(RtsId::in_r1_b2);
const std::string a5_a6 = rts(RtsId::in_r1_a6, {in_next}); // A5 and A6 look alike

/// What a client says to replace its IN channel.
const std::string in_r1_a1 = rts(RtsId::in_r1_a1, {vc, role_test::in, in_next});

} // namespace

TEST_GROUP_BASE(PairingInRecycling, PairingGroup)
{
    /// A4 on its way to the client, whether its proxy is here or not.
    void expect_a4(Tunnel& t)
    {
        expect(t.out, rts(RtsId::in_r1_a3));
    }
};

TEST(PairingInRecycling, fromProxyToProxy)
{
    start();
    Tunnel t = paired_tunnel();
    expect_traffic(t);
    Peer next = join(in_r1_a2);
    expect_a4(t);
    t.in.say(rpc_pdu(60, 1) + a5_a6 + rpc_pdu(61, 2) + rts(RtsId::in_r1_b1));
    expect(next, in_r1_b2);
    until_ended(t.in);
    CHECK_TRUE(t.in.got.empty());
    next.say(rpc_pdu(62, 3));
    expect(t.server, rpc_pdu(60, 1) + rpc_pdu(61, 2) + rpc_pdu(62, 3));
    t.in = std::move(next);
    LONGS_EQUAL(2, pairing().size());
    expect_traffic(t);
}

// The window of the successor is a new one: it is acknowledged for its own bytes alone.
TEST(PairingInRecycling, theSuccessorIsAcknowledgedForItself)
{
    start();
    Tunnel t = paired_tunnel();
    t.in.say(rpc_pdu(30000, 1));
    expect(t.server, rpc_pdu(30000, 1));
    Peer next = join(in_r1_a2);
    expect_a4(t);
    t.in.say(a5_a6 + rpc_pdu(2000, 2) + rts(RtsId::in_r1_b1));
    expect(next, in_r1_b2);
    expect(t.server, rpc_pdu(2000, 2));
    next.say(rpc_pdu(33000, 3));
    expect(t.server, rpc_pdu(33000, 3));
    expect(next, text_of(rpch::encode(ack(33000, 65536, in_next))));
}

TEST(PairingInRecycling, fromAProxyToThisNode)
{
    start();
    Tunnel t = paired_tunnel();
    Peer next = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, in_r1_a1);
    expect_a4(t);
    next.say(rpc_pdu(62, 3)); // the client may, right behind A5 on the other node
    settle();
    t.in.say(rpc_pdu(60, 1) + a5_a6 + rpc_pdu(61, 2) + rts(RtsId::in_r1_b1));
    until_ended(t.in);
    expect(t.server, rpc_pdu(60, 1) + rpc_pdu(61, 2) + rpc_pdu(62, 3));
    t.in = std::move(next);
    LONGS_EQUAL(1, pairing().size());
    expect_traffic(t);
}

TEST(PairingInRecycling, fromThisNodeToAProxy)
{
    start();
    Tunnel t = local_in_tunnel();
    expect_traffic(t);
    Peer next = join(in_r1_a2);
    expect_a4(t);
    t.in.say(rpc_pdu(60, 1) + a5_a6);
    expect(next, in_r1_b2);
    until_ended(t.in);
    next.say(rpc_pdu(62, 3));
    expect(t.server, rpc_pdu(60, 1) + rpc_pdu(62, 3));
    t.in = std::move(next);
    until([&] { return hub->size() == 0; });
    expect_traffic(t);
}

// 3.2.1.5.3.3: the leg stays, whoever is behind it.
TEST(PairingInRecycling, behindOneProxy)
{
    start();
    Tunnel t = paired_tunnel();
    t.in.say(rpc_pdu(60, 1) + rts(RtsId::in_r2_a2, {in_next}) + rpc_pdu(61, 2));
    expect(t.out, rts(RtsId::in_r2_a3));
    expect(t.server, rpc_pdu(60, 1) + rpc_pdu(61, 2));
    // The next one is known by its new name, or by the old one: the proxy may have lost the successor.
    for (const std::uint8_t name : {in_next, role_test::in}) {
        Peer next = join(rts(RtsId::in_r1_a2, {vc, name, 0x35}));
        expect_a4(t);
        next.fd.reset();
        until([&] { return pairing().size() == 2; });
    }
    expect_traffic(t);
}

TEST(PairingInRecycling, behindThisNode)
{
    start();
    Tunnel t = local_in_tunnel();
    Peer next = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, in_r1_a1);
    expect(t.out, rts(RtsId::in_r2_a3));
    t.in.say(rpc_pdu(60, 1) + rts(RtsId::in_r2_a5, {in_next}));
    next.say(rpc_pdu(61, 2));
    until_ended(t.in);
    expect(t.server, rpc_pdu(60, 1) + rpc_pdu(61, 2));
    t.in = std::move(next);
    expect_traffic(t);
}

// What the service does not take yet is in front of what the successor brings, and B1 waits behind it: for the window
// of the server, or for the service alone.
TEST(PairingInRecycling, theRestOfAPredecessorOfThisNodeComesFirst)
{
    start();
    for (const std::uint32_t window : {8192u, 16384u, 65536u}) {
        settings.receive_window = window;
        Tunnel t = local_in_tunnel();
        const std::string pdu = rpc_pdu(5000, 7);
        std::string words;
        while (words.size() < 20'000'000)
            words += pdu;
        std::size_t sent = 0;
        const auto say = [&](const std::string& text) {
            const ssize_t n = ::send(t.in.fd.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
            sent += n > 0 ? static_cast<std::size_t>(n) : 0;
            return n > 0;
        };
        for (int idle = 0; idle < 40;) {
            idle = say(words) ? 0 : idle + 1;
            loop->run_once(net::Millis(idle == 0 ? 0 : 1));
        }
        CHECK(sent < words.size());
        words.resize(sent + (pdu.size() - sent % pdu.size()) % pdu.size());
        const std::size_t total = words.size();
        words += a5_a6;
        Peer next = join(in_r1_a2);
        until([&] { // behind acknowledgements for the client
            t.out.listen();
            return t.out.got.ends_with(rts(RtsId::in_r1_a3));
        });
        std::size_t got = 0;
        until([&] {
            if (sent < words.size())
                say(words);
            t.server.listen();
            got += t.server.got.size();
            t.server.got.clear();
            next.listen();
            CHECK(next.got.empty() || sent == words.size());
            return got == total && next.got.size() == in_r1_b2.size();
        });
        CHECK(next.got == text_of(rpch::RtsBuilder(RtsId::in_r1_b2).receive_window(window).done()));
        until_ended(t.in);
        until([&] { return hub->size() == 0; });
        next.say(rpc_pdu(62, 3));
        expect(t.server, rpc_pdu(62, 3));
        next.fd.reset();
        until([&] { return nothing_left(); });
    }
}

TEST(PairingInRecycling, aSuccessorThatIsNotCompletedIsDroppedAlone)
{
    settings.setup_timeout = 150;
    start();
    Tunnel t = paired_tunnel();
    Peer next = join(in_r1_a2);
    expect_a4(t);
    until_ended(next);
    CHECK_TRUE(next.got.empty());
    expect_traffic(t);

    Peer client = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, in_r1_a1);
    expect_a4(t);
    until_ended(client);
    until([&] { return hub->size() == 0; });
    expect_traffic(t);

    next = join(in_r1_a2);
    expect_a4(t);
    next.fd.reset(); // it goes by itself
    until([&] { return pairing().size() == 2; });
    expect_traffic(t);
}

// After A6 the client is committed: a predecessor or a successor that goes now takes the virtual connection along.
TEST(PairingInRecycling, aChannelThatIsLostOnTheWayIsTheEnd)
{
    settings.setup_timeout = 150;
    start();
    enum class Lost { predecessor, successor, b1 };
    for (const Lost lost : {Lost::predecessor, Lost::successor, Lost::b1}) {
        Tunnel t = paired_tunnel();
        Peer next = join(in_r1_a2);
        expect_a4(t);
        t.in.say(a5_a6);
        settle();
        if (lost == Lost::predecessor)
            t.in.fd.reset();
        else if (lost == Lost::successor)
            next.fd.reset();
        until_ended(t.out);
        until_ended(t.server);
        until([&] { return nothing_left(); });
    }
}

TEST(PairingInRecycling, whatASuccessorMayNotSayBeforeItsTurn)
{
    start();
    for (const std::string& words : {rpc_pdu(40), rts(RtsId::in_r1_b1), rts(RtsId::in_r1_a6, {in_next})}) {
        Tunnel t = paired_tunnel();
        Peer next = join(in_r1_a2);
        expect_a4(t);
        next.say(words);
        until_ended(next);
        until_ended(t.in);
        until_ended(t.out);
        until([&] { return nothing_left(); });
    }
}
