#include "pairing_fixture.h"

// The ends of channels, at any time.

TEST_GROUP_BASE(HubEnd, PairingGroup)
{
    /// Both channels of an ncacn_http server, which are open.
    struct TrueTunnel {
        Peer in, out, in_server, out_server;
    };
    TrueTunnel true_tunnel(std::uint32_t client_window = 65536)
    {
        TrueTunnel t;
        t.out = arrive(Method::out_data, directory::Transport::ncacn_http, a1(vc, client_window));
        t.out_server = accept();
        t.in = arrive(Method::in_data, directory::Transport::ncacn_http, b1());
        t.in_server = accept();
        until_got(t.in_server, 128);
        until_got(t.out_server, 84);
        t.in_server.got.clear();
        t.out_server.got.clear();
        t.in_server.say(b3);
        t.out_server.say(c1 + rpc_pdu(60));
        until_got(t.out, established + 60);
        t.out.got.clear();
        return t;
    }
    /// How a peer learns of the end: 0 as a clean one, else errno.
    int end_of(Peer& peer)
    {
        int error = 0;
        until([&] {
            char byte[256];
            const ssize_t n = ::recv(peer.fd.get(), byte, sizeof byte, MSG_DONTWAIT);
            error = n < 0 ? errno : 0;
            return n == 0 || (n < 0 && errno != EAGAIN);
        });
        return error;
    }
};

// The two channels of a true tunnel have nothing in common but this node: whichever ends, and by whomever, the other one
// follows.
TEST(HubEnd, oneChannelTakesTheOtherAlong)
{
    start();
    for (int who = 0; who < 4; ++who) {
        TrueTunnel t = true_tunnel();
        Peer* const ends[] = {&t.in, &t.out, &t.in_server, &t.out_server};
        ends[who]->fd.reset();
        if (ends[who] == &t.in || ends[who] == &t.in_server) {
            // The end of OUT is for its server to decide, which has some time for that.
            until_ended(ends[who] == &t.in ? t.in_server : t.in);
            settle();
            CHECK_TRUE(open(t.out));
            t.out_server.say(rpc_pdu(70));
            until_got(t.out, 70);
            t.out_server.fd.reset();
        }
        for (int other = 0; other < 4; ++other)
            if (other != who && ends[other]->fd)
                until_ended(*ends[other]);
        until([&] { return nothing_left(); });
    }
}

// Before the virtual connection stands there is nothing to wait for.
TEST(HubEnd, beforeItStandsOneEndsWithTheOther)
{
    start();
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_http, a1());
    Peer out_server = accept();
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_http, b1());
    Peer in_server = accept();
    until_got(out, head.size() + 28);
    in.fd.reset();
    until_ended(out);
    until_ended(out_server);
    until_ended(in_server);
    until([&] { return nothing_left(); });
}

// What the client says while the server is being looked for is taken.
TEST(HubEnd, aPingBeforeTheServerIsReached)
{
    start();
    for (const auto transport : {directory::Transport::ncacn_http, directory::Transport::ncacn_ip_tcp}) {
        Peer in = arrive(Method::in_data, transport, {}, [](leg::Arrival& arrival) {
            const std::string words = b1() + rts(RtsId::ping) + rts(RtsId::ping);
            arrival.early.assign(words.begin(), words.end());
        });
        Peer server = accept();
        if (transport == directory::Transport::ncacn_http)
            until_got(server, 128);
        CHECK_TRUE(open(in));
        in.fd.reset();
        until_ended(server);
    }
}

// The server is gone when the client's PDU is written to it, before anybody has seen its end.
TEST(HubEnd, aServerThatIsGoneWhenItIsWrittenTo)
{
    start();
    TrueTunnel t = true_tunnel();
    t.in.say(rpc_pdu(50)); // is read first
    t.in_server.abort();
    until_ended(t.in);
    t.out_server.fd.reset();
    until_ended(t.out);
    until([&] { return nothing_left(); });
}

// What comes behind the Content-Length is no part of the channel.
TEST(HubEnd, theContentLengthOfTheInChannelEndsIt)
{
    start();
    for (const std::size_t behind : {0, 1, 30, 5000}) {
        Peer in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1(),
                         [](leg::Arrival& arrival) { arrival.content_length = 104 + 60 + 40; });
        Peer out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1());
        Peer server = accept();
        until_got(out, established);
        in.say(rpc_pdu(60, 1) + rpc_pdu(40, 2).substr(0, 20));
        until_got(server, 80);
        CHECK_TRUE(open(in));
        in.say(rpc_pdu(40, 2).substr(20) + (behind > 15 ? rpc_pdu(behind) : std::string(behind, 'x')));
        until_ended(server);
        CHECK(server.got == rpc_pdu(60, 1) + rpc_pdu(40, 2));
        until_ended(in);
        until([&] { return nothing_left(); });
    }
}

// The request that was replaced ends without a reset, whatever else its client says on it.
TEST(HubEnd, aReplacedRequestEndsSoftly)
{
    start();
    Tunnel t = plain_tunnel();
    t.server.say(rpc_pdu(40)); // before the first answer nothing else may follow C2
    until_got(t.out, 40);
    Peer next = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, rts(RtsId::in_r1_a1, {vc, role_test::in, in_next}));
    until_got(t.out, 40 + 28);
    t.in.say(rts(RtsId::in_r2_a5, {in_next}));
    next.say(rpc_pdu(60));
    until_got(t.server, 60);
    t.in.say("0\r\n\r\n");
    settle();
    LONGS_EQUAL(0, end_of(t.in));
}

// A predecessor that waits for its server is not listened to any more.
TEST(HubEnd, aPredecessorIsNotReadAfterItsLastWord)
{
    start();
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_http, b1());
    Peer server = accept();
    until_got(server, 128);
    server.say(text_of(rpch::encode(conn_b3(8192))));
    settle();
    in.say(rpc_pdu(8000, 1) + rpc_pdu(5000, 2) + rts(RtsId::in_r1_a5, {in_next}));
    until_got(server, 128 + 8000 + 40);
    in.say(rpc_pdu(100, 3));
    CHECK_TRUE(open(in));
    server.say(text_of(rpch::encode(ack(8000, 8192, role_test::in))));
    until_ended(server);
    CHECK(server.got.substr(128 + 8000 + 40) == rpc_pdu(5000, 2) + rts(RtsId::in_r1_b1));
}

// A successor must complete within the time limit, or it goes and its predecessor goes on.
TEST(HubEnd, aSuccessorThatIsNotCompleted)
{
    settings.setup_timeout = 150;
    start();
    TrueTunnel t = true_tunnel();
    for (int i = 0; i < 2; ++i) {
        Peer next = arrive(Method::in_data, directory::Transport::ncacn_http,
                           rts(RtsId::in_r1_a1, {vc, role_test::in, std::uint8_t(in_next + i)}));
        until_got(t.in_server, 40);
        t.in_server.got.clear();
        until_ended(next);
        CHECK_TRUE(next.got.empty());
    }
    t.in.say(rpc_pdu(60));
    until_got(t.in_server, 60);

    t.out_server.say(rts(RtsId::out_r1_a1));
    expect(t.out, rts(RtsId::out_r1_a2));
    Peer next = arrive(Method::out_data, directory::Transport::ncacn_http, rts(RtsId::out_r2_a3, {vc, role_test::out, out_next}),
                       [](leg::Arrival& arrival) { arrival.content_length = 120; });
    until_got(t.out_server, 40);
    until_ended(next);
    CHECK_TRUE(next.got.empty());
    t.out_server.say(rts(RtsId::out_r2_b2) + rpc_pdu(70));
    expect(t.out, rpc_pdu(70));
}

// What waits for the client on the predecessor is acknowledged to the server as it leaves, so that the server goes on.
TEST(HubEnd, theServerIsAcknowledgedForWhatLeavesOnThePredecessor)
{
    start();
    TrueTunnel t = true_tunnel(8192);
    const std::string pdus = rpc_pdu(8000, 1) + rpc_pdu(8000, 2) + rpc_pdu(8000, 3) + rpc_pdu(8000, 4);
    t.out_server.say(pdus + rts(RtsId::out_r1_a1));
    expect(t.out, pdus.substr(0, 8000) + rts(RtsId::out_r1_a2));
    Peer next = arrive(Method::out_data, directory::Transport::ncacn_http, rts(RtsId::out_r2_a3, {vc, role_test::out, out_next}),
                       [](leg::Arrival& arrival) { arrival.content_length = 120; });
    expect(t.out_server, rts(RtsId::out_r2_a4, {out_next}));
    t.out_server.say(rts(RtsId::out_r2_a5) + rts(RtsId::out_r2_b1));
    expect(t.out, rts(RtsId::out_r2_a6));
    next.say(rts(RtsId::out_r2_c1));
    until_got(next, head.size());
    for (std::uint8_t i = 1; i < 4; ++i) {
        t.out_server.say(text_of(rpch::encode(ack_to(rpch::Destination::outbound_proxy, 60 + i * 8000u, 8192, role_test::out))));
        expect(t.out, rpc_pdu(8000, i + 1) + (i == 3 ? rts(RtsId::out_r2_b3) : ""));
    }
    until_ended(t.out);
    expect(t.out_server, ""); // half of the window is open
    t.out_server.say(rpc_pdu(8000, 5));
    expect(t.out_server, text_of(rpch::encode(ack(40'060, 65536, out_next))));
    next.listen();
    CHECK(next.got == head + rpc_pdu(8000, 5));
}

// Nothing is due, but a server whose next PDU does not fit into what it believes to be open would wait for ever: it is told
// after a second of silence, whichever request the bytes have left on.
TEST(HubEnd, aServerThatMayWaitIsToldOfWhatHasLeftOnThePredecessor)
{
    start();
    TrueTunnel t = true_tunnel(8192);
    const std::string pdus = rpc_pdu(8000, 1) + rpc_pdu(8000, 2);
    t.out_server.say(pdus + rts(RtsId::out_r1_a1));
    until_got(t.out, 8000);
    loop->skip(leg::Silence::patience);
    const std::string told = text_of(rpch::encode(ack(16'060, 65536 - 8000, role_test::out)));
    until_got(t.out_server, told.size());
    CHECK(t.out_server.got == told);
    t.out_server.got.clear();
    Peer next = arrive(Method::out_data, directory::Transport::ncacn_http, rts(RtsId::out_r2_a3, {vc, role_test::out, out_next}),
                       [](leg::Arrival& arrival) { arrival.content_length = 120; });
    until_got(t.out_server, 40);
    t.out_server.got.clear();
    t.out_server.say(rts(RtsId::out_r2_a5) + rts(RtsId::out_r2_b1));
    next.say(rts(RtsId::out_r2_c1));
    until_got(next, head.size());
    t.out_server.say(text_of(rpch::encode(ack_to(rpch::Destination::outbound_proxy, 8'060, 8192, role_test::out))));
    until_ended(t.out);
    const std::string told_again = text_of(rpch::encode(ack(16'060, 65536, out_next)));
    until_got(t.out_server, told_again.size());
    CHECK(t.out_server.got == told_again);
}

// A successor that its client gives up is lost: when the server has gone on with it, the channel cannot be saved.
TEST(HubEnd, aSuccessorThatIsLost)
{
    start();
    for (const bool goes_on : {true, false}) {
        TrueTunnel t = true_tunnel();
        t.out_server.say(rts(RtsId::out_r1_a1));
        expect(t.out, rts(RtsId::out_r1_a2));
        Peer next = arrive(Method::out_data, directory::Transport::ncacn_http, rts(RtsId::out_r2_a3, {vc, role_test::out, out_next}),
                           [](leg::Arrival& arrival) { arrival.content_length = 120; });
        expect(t.out_server, rts(RtsId::out_r2_a4, {out_next}));
        next.fd.reset();
        settle();
        t.out_server.say(rts(goes_on ? RtsId::out_r2_b1 : RtsId::out_r2_b2));
        if (!goes_on) {
            t.out_server.say(rpc_pdu(70));
            expect(t.out, rpc_pdu(70));
            t.out.fd.reset();
        }
        until_ended(t.out_server);
        until_ended(t.in);
        until([&] { return nothing_left(); });
    }
}

// The predecessor's client has gone, and not all has been read: it will never have the rest.
TEST(HubEnd, aPredecessorThatBreaks)
{
    start();
    TrueTunnel t = true_tunnel(8192);
    t.out_server.say(rpc_pdu(8000, 1) + rpc_pdu(8000, 2) + rts(RtsId::out_r1_a1));
    expect(t.out, rpc_pdu(8000, 1) + rts(RtsId::out_r1_a2));
    Peer next = arrive(Method::out_data, directory::Transport::ncacn_http, rts(RtsId::out_r2_a3, {vc, role_test::out, out_next}),
                       [](leg::Arrival& arrival) { arrival.content_length = 120; });
    expect(t.out_server, rts(RtsId::out_r2_a4, {out_next}));
    t.out_server.say(rts(RtsId::out_r2_a5) + rts(RtsId::out_r2_b1));
    expect(t.out, rts(RtsId::out_r2_a6));
    next.say(rts(RtsId::out_r2_c1));
    until_got(next, head.size());
    // The acknowledgement lets the rest go, to nobody.
    t.out.fd.reset();
    t.out_server.say(text_of(rpch::encode(ack_to(rpch::Destination::outbound_proxy, 8060, 8192, role_test::out))));
    until_ended(next);
    until_ended(t.out_server);
    until_ended(t.in);
    until([&] { return nothing_left(); });
}

// The client is acknowledged for whole PDUs once, in however many pieces they come.
TEST(HubEnd, aPduInPiecesIsCountedOnce)
{
    start();
    Tunnel t = plain_tunnel();
    t.server.say(rpc_pdu(40)); // before the first answer nothing else may follow C2
    until_got(t.out, 40);
    t.out.got.clear();
    const std::string pdu = rpc_pdu(33'000);
    for (std::size_t at = 0; at < pdu.size(); at += 3000) {
        t.in.say(pdu.substr(at, 3000));
        until_got(t.server, at + 3000);
    }
    // Told as soon as the first piece has left: less than half of the window was open, and now more is.
    expect(t.out, text_of(rpch::encode(ack_to(rpch::Destination::client, 33'000, 65536 - 30'000, role_test::in))));
}

// B1 comes before C1: the predecessor is told at once.
TEST(HubEnd, aPredecessorDoesNotWaitForTheSuccessor)
{
    start();
    TrueTunnel t = true_tunnel();
    t.out_server.say(rts(RtsId::out_r1_a1));
    expect(t.out, rts(RtsId::out_r1_a2));
    Peer next = arrive(Method::out_data, directory::Transport::ncacn_http, rts(RtsId::out_r2_a3, {vc, role_test::out, out_next}),
                       [](leg::Arrival& arrival) { arrival.content_length = 120; });
    expect(t.out_server, rts(RtsId::out_r2_a4, {out_next}));
    t.out_server.say(rts(RtsId::out_r2_a5) + rts(RtsId::out_r2_b1));
    until_ended(t.out);
    CHECK(t.out.got == rts(RtsId::out_r2_a6) + rts(RtsId::out_r2_b3));
    next.say(rts(RtsId::out_r2_c1));
    t.out_server.say(rpc_pdu(60));
    until_got(next, head.size() + 60);
    CHECK(next.got == head + rpc_pdu(60));
}

// The IN channel goes while the OUT channel waits for its server's banner: there is nothing to wait for any more.
TEST(HubEnd, beforeTheServerHasAnsweredOneEndsWithTheOther)
{
    settings.require_banner = true;
    start();
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_http, a1());
    Peer out_server = accept();
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_http, b1());
    Peer in_server = accept();
    settle();
    in.fd.reset();
    until_ended(out);
    CHECK(out.got.starts_with("HTTP/1.0 503 RPC Error: 6ba\r\n"));
    until_ended(out_server);
    until([&] { return nothing_left(); });
}

// A client behind HTTP/1.0 that announces the largest window may take no part in flow control: it is not acknowledged
// before it has been silent for a while where its window is used up. Any other client is.
TEST(HubEnd, clientsThatMayTakeNoPartInFlowControl)
{
    start();
    struct Row { bool http10; std::uint32_t window; bool acknowledged; };
    static constexpr Row rows[] = {{true, 262144, false}, {true, 65536, true}, {false, 262144, true}};
    for (const Row& row : rows) {
        const auto old = [&](leg::Arrival& arrival) { arrival.http10 = row.http10; };
        Peer out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1(vc, row.window), old);
        Peer server = accept();
        Peer in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1(), old);
        until_got(out, established);
        server.say(rpc_pdu(40)); // before the first answer nothing else may follow C2
        until_got(out, established + 40);
        out.got.clear();
        in.say(rpc_pdu(33'000));
        until_got(server, 33'000);
        const std::string acknowledgement = text_of(rpch::encode(ack_to(rpch::Destination::client, 33'000, 65536, role_test::in)));
        expect(out, row.acknowledged ? acknowledgement : "");
        if (!row.acknowledged) {
            loop->skip(leg::Silence::patience);
            expect(out, acknowledgement);
        }
        in.fd.reset();
        until([&] { return nothing_left(); });
    }
}

// A predecessor has had its last word; what a server says behind it is not for the client.
TEST(HubEnd, whatComesBehindTheLastWordIsDropped)
{
    start();
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_http, a1(vc, 8192));
    Peer server = accept();
    server.say(c1 + rpc_pdu(8000, 1) + rpc_pdu(5000, 2) + rts(RtsId::out_r1_a1) + rts(RtsId::out_r1_a5) +
               rts(RtsId::out_r1_a9) + rpc_pdu(30, 3));
    until_got(out, established + 8000);
    settle();
    server.say(rpc_pdu(40, 4));
    settle();
    out.listen();
    CHECK_FALSE(out.ended);
    out.got.clear();
    server.say(text_of(rpch::encode(ack_to(rpch::Destination::outbound_proxy, 8000, 8192, role_test::out))));
    until_ended(out);
    CHECK(out.got == rpc_pdu(5000, 2) + rts(RtsId::out_r1_a10));
}
