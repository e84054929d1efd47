#include "hub_fixture.h"

namespace {

std::string in_a1(std::uint8_t from, std::uint8_t to)
{
    return text_of(rpch::RtsBuilder(RtsId::in_r1_a1).version().cookie(role_test::cookie(vc)).cookie(role_test::cookie(from))
                       .cookie(role_test::cookie(to)).done());
}

std::string in_a5(std::uint8_t to)
{
    return text_of(rpch::RtsBuilder(RtsId::in_r1_a5).cookie(role_test::cookie(to)).done());
}

std::string out_a3(std::uint8_t from, std::uint8_t to)
{
    return text_of(rpch::RtsBuilder(RtsId::out_r1_a3).version().cookie(role_test::cookie(vc)).cookie(role_test::cookie(from))
                       .cookie(role_test::cookie(to)).receive_window(65536).done());
}

} // namespace

TEST_GROUP_BASE(HubRecycling, HubGroup) {};

// IN_R2, 3.2.1.5.3.3, several times in a row, with RPC PDUs right before A5 and right behind it.
TEST(HubRecycling, inChannelIsReplacedOnTheSameNode)
{
    start();
    Tunnel t = plain_tunnel();
    t.server.say(rpc_pdu(40)); // before the first answer nothing else may follow C2
    until_got(t.out, 40);
    std::string expected;
    std::uint8_t from = role_test::in;
    for (std::uint8_t to = in_next; to < in_next + 5; ++to) {
        t.in.say(rpc_pdu(50, to));
        Peer next = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, in_a1(from, to));
        t.out.got.clear();
        until_got(t.out, 28); // A4
        t.in.say(rpc_pdu(60, to) + in_a5(to));
        next.say(rpc_pdu(70, to));
        until_ended(t.in);
        t.in = std::move(next);
        expected += rpc_pdu(50, to) + rpc_pdu(60, to) + rpc_pdu(70, to);
        from = to;
    }
    until_got(t.server, expected.size());
    CHECK(t.server.got == expected);
    LONGS_EQUAL(2, hub->size());
}

TEST(HubRecycling, forgedSuccessorsAreRefusedAlone)
{
    start();
    Tunnel t = plain_tunnel();
    struct Row { Method method; std::string body; std::function<void(leg::Arrival&)> change; };
    const auto as_mallory = [](leg::Arrival& arrival) { arrival.grant.party.principal = "mallory"; };
    const auto elsewhere = [](leg::Arrival& arrival) { arrival.grant.party.target = "ex2:6001"; };
    const Row rows[] = {
        {Method::in_data, in_a1(role_test::in, in_next), as_mallory},
        {Method::in_data, in_a1(role_test::in, in_next), elsewhere},
        {Method::in_data, in_a1(0x77, in_next), {}},
        {Method::in_data, in_a1(role_test::in, role_test::in), {}},
        {Method::out_data, out_a3(role_test::out, out_next), [](leg::Arrival& a) { a.content_length = 120; }}, // not asked for
        {Method::in_data, out_a3(role_test::out, out_next), {}},
    };
    for (const Row& row : rows) {
        Peer peer = arrive(row.method, directory::Transport::ncacn_ip_tcp, row.body, row.change);
        until_ended(peer);
        CHECK_TRUE(peer.got.empty());
        until([&] { return hub->size() == 2; });
    }
    t.in.say(rpc_pdu(60));
    until_got(t.server, 60);
}

// IN_R1, 3.2.1.5.3.2: this node has the successor.
TEST(HubRecycling, inSuccessorOfAChannelOnAnotherNode)
{
    start();
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_http, in_a1(role_test::in, in_next));
    Peer server = accept();
    until_got(server, 104); // IN_R1/A2
    in.say(rpc_pdu(60));    // right behind A5, which went to the other node
    settle();
    server.listen();
    LONGS_EQUAL(104, server.got.size()); // plugged until B2
    server.say(text_of(rpch::RtsBuilder(RtsId::in_r1_b2).receive_window(65536).done()));
    until_got(server, 164);
    CHECK(server.got.substr(104) == rpc_pdu(60));
}

// IN_R1: this node has the predecessor. A6 at once, then what waited for the server's window, then B1, then the end.
TEST(HubRecycling, inPredecessorOfAChannelOnAnotherNode)
{
    start();
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_http, b1());
    Peer server = accept();
    until_got(server, 128);
    server.say(text_of(rpch::encode(conn_b3(8192))));
    settle();
    in.say(rpc_pdu(8000, 1) + rpc_pdu(5000, 2) + in_a5(in_next));
    until_got(server, 128 + 8000 + 40);
    settle();
    server.listen();
    CHECK(server.got.substr(128) == rpc_pdu(8000, 1) + text_of(rpch::RtsBuilder(RtsId::in_r1_a6).cookie(role_test::cookie(in_next)).done()));
    CHECK_FALSE(server.ended);
    server.say(text_of(rpch::encode(ack(8000, 8192, role_test::in))));
    until_ended(server);
    CHECK(server.got.substr(128 + 8000 + 40) == rpc_pdu(5000, 2) + text_of(rpch::RtsBuilder(RtsId::in_r1_b1).empty().done()));
    until([&] { return hub->size() == 0; });
}

// OUT_R1, 3.2.1.5.3.4: this node has the successor. Nothing is answered before A11, then the head and what waited.
TEST(HubRecycling, outSuccessorOfAChannelOnAnotherNode)
{
    start();
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_http, out_a3(role_test::out, out_next),
                      [](leg::Arrival& a) { a.content_length = 120; });
    Peer server = accept();
    until_got(server, 112); // OUT_R1/A4
    server.say(rpc_pdu(60));
    settle();
    out.listen();
    CHECK_TRUE(out.got.empty());
    out.say(text_of(rpch::RtsBuilder(RtsId::out_r1_a11).ance().done()));
    until_got(out, head.size() + 60);
    CHECK(out.got == head + rpc_pdu(60));
}

// The channel that a successor was to replace is on another node and goes on, and with it the other half, which is here.
TEST(HubRecycling, aSuccessorThatFailsDoesNotTakeTheOtherHalfAlong)
{
    start();
    for (const bool in : {true, false}) {
        Peer half = in ? arrive(Method::out_data, directory::Transport::ncacn_http, a1())
                       : arrive(Method::in_data, directory::Transport::ncacn_http, b1());
        Peer server = accept();
        until_got(server, in ? 84 : 100);
        server.say(text_of(rpch::encode(in ? conn_c1() : conn_b3())));
        settle();
        Peer successor = in ? arrive(Method::in_data, directory::Transport::ncacn_http, in_a1(role_test::in, in_next))
                            : arrive(Method::out_data, directory::Transport::ncacn_http, out_a3(role_test::out, out_next),
                                     [](leg::Arrival& a) { a.content_length = 120; });
        Peer refuses = accept();
        until_got(refuses, in ? 104 : 112);
        refuses.fd.reset();
        until_ended(successor);
        settle();
        LONGS_EQUAL(1, hub->size());
        half.listen();
        CHECK_FALSE(half.ended);
        half.fd.reset();
        until_ended(server);
    }
}

// OUT_R1: this node has the predecessor. A5 is forwarded as A6; on A9 what waits, A10, and the end.
TEST(HubRecycling, outPredecessorOfAChannelOnAnotherNode)
{
    start();
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_http, a1());
    Peer server = accept();
    until_got(server, 84);
    const std::string recycle = text_of(rpch::RtsBuilder(RtsId::out_r1_a1).destination(rpch::Destination::client).done());
    const std::string a5 = text_of(
        rpch::RtsBuilder(RtsId::out_r1_a5).destination(rpch::Destination::client).version().connection_timeout(120'000).done());
    const std::string a9 = text_of(rpch::RtsBuilder(RtsId::out_r1_a9).ance().done());
    server.say(text_of(rpch::encode(conn_c1())) + rpc_pdu(60) + recycle + a5 + rpc_pdu(70) + a9);
    until_ended(out);
    CHECK(out.got.substr(established) == rpc_pdu(60) + recycle + a5 + rpc_pdu(70) + a9);
    until_ended(server);
    until([&] { return hub->size() == 0; });
}

// OUT_R2, 3.2.1.5.3.5, with channels of 128 KiB: a MiB crosses a dozen of them, nothing is lost or repeated.
TEST(HubRecycling, outChannelIsReplacedBeforeItsLifetimeEnds)
{
    settings.channel_lifetime = 131072;
    start();
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1());
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1());
    Peer server = accept();
    const std::string short_head = success_head(131072);
    until_got(out, short_head.size() + 72);
    std::string expected, got;
    std::size_t sent = 0, body = 72, recycled = 0;
    std::uint8_t channel = role_test::out, next_channel = out_next;
    std::uint32_t received = 0, acknowledged = 0;
    Peer next;
    std::string input = out.got.substr(short_head.size() + 72);
    out.got.clear();
    for (int i = 0; i < 250; ++i)
        expected += rpc_pdu(4200, static_cast<std::uint8_t>(i));
    until([&] {
        if (sent < expected.size()) {
            const ssize_t n = ::send(server.fd.get(), expected.data() + sent, std::min<std::size_t>(30000, expected.size() - sent),
                                     MSG_NOSIGNAL | MSG_DONTWAIT);
            sent += n > 0 ? static_cast<std::size_t>(n) : 0;
        }
        out.listen();
        input += out.got;
        body += out.got.size();
        out.got.clear();
        for (base::Bytes bytes; input.size() >= 16; input.erase(0, bytes.size())) {
            const auto* const data = reinterpret_cast<const std::uint8_t*>(input.data());
            const std::size_t size = rpch::frag_length(std::span<const std::uint8_t, 10>(data, 10));
            if (input.size() < size)
                break;
            bytes = {data, size};
            if (data[2] != 20) {
                got += text_of(bytes);
                received += static_cast<std::uint32_t>(size);
                if (received - acknowledged > 32768) {
                    acknowledged = received;
                    in.say(text_of(rpch::encode(ack_to(rpch::Destination::outbound_proxy, received, 65536, channel))));
                }
                continue;
            }
            rpch::Rts pdu;
            CHECK_TRUE(rpch::decode(bytes, pdu).ok());
            if (pdu.is(RtsId::out_r1_a2)) {
                next = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, out_a3(channel, next_channel),
                              [](leg::Arrival& a) { a.content_length = 120; });
            } else if (pdu.is(RtsId::out_r2_a6)) {
                next.say(text_of(rpch::RtsBuilder(RtsId::out_r2_c1).empty().done()));
                in.say(text_of(rpch::RtsBuilder(RtsId::out_r2_a7).destination(rpch::Destination::server)
                                   .cookie(role_test::cookie(next_channel)).version().done()));
            } else if (pdu.is(RtsId::out_r2_b3)) {
                LONGS_EQUAL(size, input.size()); // nothing follows
                CHECK(body <= 131072);
                until_ended(out);
                until_got(next, short_head.size());
                CHECK(next.got.starts_with(short_head));
                out = std::move(next);
                input = out.got.substr(short_head.size()).insert(0, size, ' ');
                body = input.size() - size;
                out.got.clear();
                channel = next_channel++;
                received = acknowledged = 0;
                ++recycled;
                bytes = {reinterpret_cast<const std::uint8_t*>(input.data()), size};
            } else {
                FAIL("an RTS PDU that has no place here");
            }
        }
        return got.size() >= expected.size();
    });
    CHECK(got == expected);
    CHECK(recycled >= 8);
    LONGS_EQUAL(2, hub->size());
}

// A server in this process can answer OUT_R2/A8 while a PDU of the service is half through: it ends where it began.
TEST(HubRecycling, anRpcPduThatHasBegunEndsOnThePredecessor)
{
    settings.channel_lifetime = 2 * 1024 * 1024;
    start();
    Tunnel t;
    t.in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1());
    t.out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1());
    t.server = accept();
    until_got(t.out, established - 3); // three digits less in the Content-Length
    t.out.got.clear();
    const std::string pdu = rpc_pdu(4200);
    std::uint32_t received = 0;
    while (t.out.got.size() <= received) {
        CHECK(received < settings.channel_lifetime);
        t.server.say(pdu);
        received += 4200;
        until_got(t.out, received);
        t.in.say(text_of(rpch::encode(ack_to(rpch::Destination::outbound_proxy, received, 65536, role_test::out))));
        for (int i = 0; i < 4; ++i)
            loop->run_once(net::Millis(0));
        t.out.listen();
    }
    LONGS_EQUAL(received + 28, t.out.got.size()); // A2
    Peer next = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, out_a3(role_test::out, out_next),
                       [](leg::Arrival& a) { a.content_length = 120; });
    until_got(t.out, received + 28 + 32); // A6
    t.out.got.clear();
    t.server.say(pdu.substr(0, 2000));
    until_got(t.out, 2000);
    next.say(text_of(rpch::RtsBuilder(RtsId::out_r2_c1).empty().done()));
    t.in.say(text_of(rpch::RtsBuilder(RtsId::out_r2_a7).destination(rpch::Destination::server)
                         .cookie(role_test::cookie(out_next)).version().done()));
    settle();
    t.server.say(pdu.substr(2000) + rpc_pdu(100));
    until_ended(t.out);
    CHECK(t.out.got == pdu + text_of(rpch::RtsBuilder(RtsId::out_r2_b3).ance().done()));
    settle();
    next.listen();
    CHECK(next.got.ends_with("\r\n\r\n" + rpc_pdu(100)));
}
