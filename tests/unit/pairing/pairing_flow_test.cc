#include "unit/tunnel/pairing_fixture.h"

TEST_GROUP_BASE(PairingFlow, PairingGroup)
{
    /// Says whole RPC PDUs until the other side takes no more, or `limit` bytes went. How many bytes went.
    std::size_t say_until_stopped(const Peer& peer, std::size_t limit, Peer* reader = nullptr)
    {
        const std::string pdu = rpc_pdu(4000);
        std::size_t sent = 0, at = 0;
        for (int idle = 0; idle < 40 && sent < limit;) {
            const ssize_t n = ::send(peer.fd.get(), pdu.data() + at, pdu.size() - at, MSG_NOSIGNAL | MSG_DONTWAIT);
            idle = n > 0 ? 0 : idle + 1;
            sent += n > 0 ? static_cast<std::size_t>(n) : 0;
            at = sent % pdu.size();
            loop->run_once(net::Millis(n > 0 ? 0 : 1));
            if (reader)
                reader->listen();
        }
        return sent;
    }
};

// The proxy's window holds RPC PDUs; RTS PDUs pass them, whole, and an acknowledgement opens it again.
TEST(PairingFlow, theOutboundProxysWindowHoldsRpcAndNotRts)
{
    start();
    for (const bool local_in : {false, true}) {
        Tunnel t = local_in ? local_in_tunnel(8192) : paired_tunnel(8192);
        for (std::uint8_t i = 0; i < 8; ++i)
            t.server.say(rpc_pdu(2048, i));
        std::string expected = rpc_pdu(2048, 0) + rpc_pdu(2048, 1) + rpc_pdu(2048, 2) + rpc_pdu(2048, 3);
        expect(t.out, expected);
        const std::string of_client = text_of(rpch::encode(ack_to(rpch::Destination::outbound_proxy, 2048, 65536, role_test::out)));
        t.in.say(of_client);
        expect(t.out, of_client);
        t.out.say(text_of(rpch::encode(ack(4096, 8192, role_test::out))));
        expect(t.out, rpc_pdu(2048, 4) + rpc_pdu(2048, 5));
        t.out.say(text_of(rpch::encode(ack(12288, 8192, role_test::out))));
        expect(t.out, rpc_pdu(2048, 6) + rpc_pdu(2048, 7));
        t.in.fd.reset();
        until([&] { return nothing_left(); });
    }
}

// A PDU that is larger than what is open waits whole, or its end would keep RTS PDUs waiting.
TEST(PairingFlow, aPduThatDoesNotFitWaitsWhole)
{
    start();
    Tunnel t = paired_tunnel(8192);
    t.server.say(rpc_pdu(5000, 1) + rpc_pdu(5000, 2));
    expect(t.out, rpc_pdu(5000, 1));
    const std::string of_client = text_of(rpch::encode(ack_to(rpch::Destination::outbound_proxy, 5000, 65536, role_test::out)));
    t.in.say(of_client);
    expect(t.out, of_client);
    t.out.say(text_of(rpch::encode(ack(5000, 8192, role_test::out))));
    expect(t.out, rpc_pdu(5000, 2));
}

// The window of the inbound proxy: acknowledged as the service takes it, 3.2.1.4.1.
TEST(PairingFlow, theInboundProxyIsAcknowledged)
{
    start();
    Tunnel t = paired_tunnel();
    t.in.say(rpc_pdu(20000, 1));
    expect(t.server, rpc_pdu(20000, 1));
    expect(t.in, "");
    t.in.say(rpc_pdu(20000, 2));
    expect(t.server, rpc_pdu(20000, 2));
    expect(t.in, text_of(rpch::encode(ack(40000, 65536, role_test::in))));
}

TEST(PairingFlow, aServiceThatReadsNothingStopsTheProxy)
{
    start();
    Tunnel t = paired_tunnel();
    const std::size_t sent = say_until_stopped(t.in, 40'000'000);
    CHECK(sent < 40'000'000);
    std::size_t got = 0;
    until([&] {
        t.server.listen();
        got += t.server.got.size();
        t.server.got.clear();
        return got == sent;
    });
    t.in.listen();
    CHECK(t.in.got.size() >= 56); // it was told
}

// The window of a proxy that never acknowledges is as open as it says; then only its TCP stops the service.
TEST(PairingFlow, aProxyThatReadsNothingStopsTheService)
{
    start();
    Tunnel t = paired_tunnel(262144);
    const std::size_t sent = say_until_stopped(t.server, 40'000'000);
    CHECK(sent < 40'000'000);
    std::size_t got = 0;
    until([&] {
        t.out.listen();
        got += t.out.got.size();
        t.out.got.clear();
        if (got % 4000 == 0)
            t.out.say(text_of(rpch::encode(ack(static_cast<std::uint32_t>(got), 262144, role_test::out))));
        return got >= sent - sent % 4000;
    });
}

// The two ends in this process and the two proxies: a MiB each way, at the same time, in pieces of any size.
TEST(PairingFlow, muchDataBothWaysAtOnce)
{
    start();
    Tunnel t = paired_tunnel(16384);
    std::string up, down;
    for (std::size_t i = 0; up.size() < 1'000'000; ++i)
        up += rpc_pdu(16 + i * 7919 % 5800, static_cast<std::uint8_t>(i));
    for (std::size_t i = 0; down.size() < 1'000'000; ++i)
        down += rpc_pdu(16 + i * 6007 % 5800, static_cast<std::uint8_t>(i));
    std::size_t up_sent = 0, down_sent = 0, rpc_got = 0, acknowledged = 0;
    const auto push = [](const Peer& peer, const std::string& text, std::size_t& sent, std::size_t most) {
        const ssize_t n = sent < text.size() ? ::send(peer.fd.get(), text.data() + sent, std::min(most, text.size() - sent),
                                                      MSG_NOSIGNAL | MSG_DONTWAIT)
                                             : 0;
        sent += n > 0 ? static_cast<std::size_t>(n) : 0;
    };
    until([&] {
        push(t.in, up, up_sent, 7001);
        push(t.server, down, down_sent, 9001);
        t.server.listen();
        t.out.listen();
        // A proxy acknowledges whole PDUs.
        while (rpc_got + 16 <= t.out.got.size()) {
            const auto* const data = reinterpret_cast<const std::uint8_t*>(t.out.got.data()) + rpc_got;
            const std::size_t size = rpch::frag_length(std::span<const std::uint8_t, 10>(data, 10));
            if (rpc_got + size > t.out.got.size())
                break;
            rpc_got += size;
        }
        if (rpc_got - acknowledged > 4000) {
            acknowledged = rpc_got;
            t.out.say(text_of(rpch::encode(ack(static_cast<std::uint32_t>(rpc_got), 16384, role_test::out))));
        }
        return t.server.got.size() == up.size() && t.out.got.size() == down.size();
    });
    CHECK(t.server.got == up);
    CHECK(t.out.got == down);
}
