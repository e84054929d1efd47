#include "hub_fixture.h"

TEST_GROUP_BASE(HubFlow, HubGroup) {};

// The client announces 8192 and acknowledges nothing while it does not read: nothing more may come.
TEST(HubFlow, theClientsWindowHoldsAndIsGivenUpOnlyForAReader)
{
    start();
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1());
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1(vc, 8192));
    Peer server = accept();
    until_got(out, established);
    out.got.clear();
    for (int i = 0; i < 8; ++i)
        server.say(rpc_pdu(2048, static_cast<std::uint8_t>(i)));
    until_got(out, 8192);
    settle();
    out.listen();
    LONGS_EQUAL(8192, out.got.size());
    in.say(text_of(rpch::encode(ack_to(rpch::Destination::outbound_proxy, 4096, 8192, role_test::out))));
    until_got(out, 8192 + 4096);
    settle();
    out.listen();
    LONGS_EQUAL(8192 + 4096, out.got.size());
    // It has read everything and says nothing more: after 2 s its window is lifted, whatever it is told meanwhile.
    auto said = loop->now();
    until_later([&] {
        if (loop->now() - said > std::chrono::milliseconds(200)) {
            in.say(rpc_pdu(33'000)); // is acknowledged
            said = loop->now();
        }
        out.listen();
        return out.got.ends_with(rpc_pdu(2048, 7));
    });
}

TEST(HubFlow, aServerThatReadsNothingStopsTheClient)
{
    start();
    Tunnel t = plain_tunnel();
    std::size_t sent = 0;
    const std::string pdu = rpc_pdu(5000);
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
    while (std::chrono::steady_clock::now() < end) {
        const ssize_t n = ::send(t.in.fd.get(), pdu.data(), pdu.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0 && n < 5000)
            break;
        sent += n > 0 ? static_cast<std::size_t>(n) : 0;
        loop->run_once(net::Millis(0));
    }
    CHECK(sent < 40'000'000); // the kernel's buffers and one window
    std::size_t got = 0;
    until([&] {
        t.server.listen();
        got += t.server.got.size();
        t.server.got.clear();
        return got >= sent;
    });
}

// Nothing is due after the first PDU, and the second one fits the window of the hop to the virtual server but not what is
// open of it: it must come through all the same, upwards on the hop between two ends of ours.
TEST(HubFlow, aPduThatFitsTheWindowButNotWhatIsOpenOfItComesThrough)
{
    struct Row { std::size_t first, second; };
    start();
    for (const Row row : {Row{16, 65535}, Row{30000, 40000}}) {
        Tunnel t = plain_tunnel();
        t.in.say(rpc_pdu(row.first, 1));
        until_got(t.server, row.first);
        settle();
        std::string rest = rpc_pdu(row.second, 2);
        until_later([&] {
            rest.erase(0, t.in.push(rest));
            t.server.listen();
            return t.server.got.size() >= row.first + row.second;
        });
        CHECK(t.server.got == rpc_pdu(row.first, 1) + rpc_pdu(row.second, 2));
        t = {};
        until([&] { return hub->size() == 0; });
    }
}

// The client does not read OUT, and never stops sending: what it is told costs one PDU, not one for each half window.
TEST(HubFlow, acknowledgementsForAClientThatDoesNotReadDoNotPileUp)
{
    settings.receive_window = 8192;
    start();
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1());
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1(), [](leg::Arrival& arrival) {
        const int small = 4096;
        ::setsockopt(arrival.stream.fd(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    });
    Peer server = accept();
    until_got(out, established);
    server.say(rpc_pdu(16)); // the answer, before which nothing but it may follow CONN/C2
    until_got(out, established + 16);
    out.got.clear();
    const std::string pdu = rpc_pdu(5000, 3);
    for (int i = 0; i < 1000; ++i) {
        in.say(pdu);
        until_got(server, pdu.size());
        server.got.clear();
    }
    std::size_t before = 0;
    do {
        before = out.got.size();
        settle();
        out.listen();
    } while (out.got.size() > before);
    constexpr std::size_t acknowledgement = 56;
    CHECK(out.got.size() % acknowledgement == 0 && out.got.size() < 200 * acknowledgement); // 1000 were due
    rpch::Rts last;
    CHECK(rpch::decode(base::bytes_of(std::string_view(out.got).substr(out.got.size() - acknowledgement)), last).ok());
    rpch::RtsFields fields(last);
    fields.destination();
    LONGS_EQUAL(1000 * pdu.size(), fields.flow_control_ack().bytes_received);
}

TEST(HubFlow, serverThatHasGoneStillDeliversItsLastWords)
{
    start();
    Tunnel t = plain_tunnel();
    t.server.say(rpc_pdu(2000));
    t.server.fd.reset();
    until_ended(t.out);
    CHECK(t.out.got == rpc_pdu(2000));
    until_ended(t.in);
    LONGS_EQUAL(0, hub->size());
}

// An acknowledgement of the client passes the RPC PDUs that wait for the window of the server, never cut into one.
TEST(HubFlow, theServersWindowHoldsRpcAndNotRts)
{
    start();
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_http, b1());
    Peer server = accept();
    until_got(server, 128);
    server.say(text_of(rpch::encode(conn_b3(8192))));
    settle();
    server.got.clear();
    const std::string of_client = text_of(rpch::encode(ack_to(rpch::Destination::outbound_proxy, 0, 65536, role_test::out)));
    in.say(rpc_pdu(5000, 1) + rpc_pdu(5000, 2) + of_client);
    until_got(server, 5000 + of_client.size());
    settle();
    server.listen();
    CHECK(server.got == rpc_pdu(5000, 1) + of_client);
    server.got.clear();
    server.say(text_of(rpch::encode(ack(5000, 8192, role_test::in))));
    until_got(server, 5000);
    CHECK(server.got == rpc_pdu(5000, 2));
}
