#include "unit/tunnel/pairing_fixture.h"

TEST_GROUP_BASE(NodeHop, PairingGroup)
{
    /// Another node, played by the test.
    struct Node {
        base::UniqueFd listener;
        net::Address address;
    };
    Node a, b;
    static constexpr std::size_t own = 2;

    static Node listen_on(const char* host)
    {
        Node other;
        other.listener.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        sockaddr_storage storage;
        const socklen_t size = net::Address::from_host(host, 0)->to_sockaddr(storage);
        LONGS_EQUAL(0, ::bind(other.listener.get(), reinterpret_cast<sockaddr*>(&storage), size));
        LONGS_EQUAL(0, ::listen(other.listener.get(), 16));
        other.address = net::Address::local_of(other.listener.get());
        return other;
    }
    void setup() override
    {
        PairingGroup::setup();
        a = listen_on("127.0.0.2");
        b = listen_on("127.0.0.3");
        nodes = leg::Nodes({a.address, b.address, node}, own);
        start();
    }
    /// The name of a virtual connection for which the nodes rank like this; 0 is a, 1 is b.
    std::uint8_t ranked(std::initializer_list<std::size_t> order)
    {
        for (std::uint8_t name = 1; name < 255; ++name)
            if (nodes.rank(role_test::cookie(name)) == std::vector<std::size_t>(order))
                return name;
        FAIL("no cookie for this order");
        return 0;
    }
    Peer accept_at(const Node& other)
    {
        Peer peer;
        until([&] {
            peer.fd.reset(::accept4(other.listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
            return static_cast<bool>(peer.fd);
        });
        return peer;
    }
    bool nobody_at(const Node& other)
    {
        settle();
        const base::UniqueFd fd(::accept4(other.listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        return !fd;
    }
    static void from_client(leg::Arrival& arrival) { arrival.peer = *net::Address::parse("192.0.2.7:50000"); }
    Peer client_in(const std::string& first_pdu)
    {
        return arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, first_pdu, from_client);
    }
    Peer client_out(const std::string& first_pdu)
    {
        return arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, first_pdu, [](leg::Arrival& arrival) {
            from_client(arrival);
            arrival.content_length = 120;
        });
    }
    static std::string out_a1(std::uint8_t name)
    {
        return text_of(rpch::encode(conn_a1(65536, name)));
    }
    /// PROXY protocol, version 2: 192.0.2.7:50000 to this node's 127.0.0.1:6010, authority and user.
    static inline const std::string expected_header =
        std::string("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x1f\xc0\0\x02\x07\x7f\0\0\x01\xc3\x50\x17\x7a", 28) +
        std::string("\x02\0\x08" "ex1:6001\xe0\0\x05" "alice", 19);
};

TEST(NodeHop, theFirstInRankIsAsked)
{
    const std::uint8_t name = ranked({0, 1, own});
    Peer in = client_in(b1(name));
    Peer server = accept_at(a);
    expect(server, expected_header); // and no RTS PDU before the banner
    server.say("ncacn_htt");
    expect(server, "");
    server.say("p/1.0");
    until_got(server, 128);
    CHECK(server.got.starts_with(b2(name).substr(0, 20 + 8 + 20))); // up to the virtual connection
    server.got.clear();
    server.say(b3);
    in.say(rpc_pdu(72));
    expect(server, rpc_pdu(72));
    CHECK_TRUE(nobody_at(b));
    CHECK_TRUE(nobody_connects());
    LONGS_EQUAL(0, pairing().virtual_servers());
    server.fd.reset();
    until_ended(in);
    CHECK_TRUE(nobody_at(b)); // it had answered
}

TEST(NodeHop, bothChannelsByAnotherNode)
{
    const std::uint8_t name = ranked({1, 0, own});
    Peer in = client_in(b1(name)), in_server = accept_at(b);
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, out_a1(name), from_client), out_server = accept_at(b);
    in_server.say(banner + b3);
    out_server.say(banner + c1 + rpc_pdu(60));
    until_got(out, established + 60);
    CHECK(out.got.ends_with(rpc_pdu(60)));
    until_got(out_server, expected_header.size() + 84);
    CHECK(out_server.got.substr(0, expected_header.size()) == expected_header);
    CHECK_TRUE(nobody_at(a));
    in.fd.reset();
    until_ended(in_server);
    out_server.fd.reset(); // the node pairs them, and knows
    until_ended(out);
    until([&] { return hub->size() == 0; });
}

TEST(NodeHop, theOwnNodeIsReachedInMemory)
{
    const std::uint8_t name = ranked({own, 0, 1});
    Peer in = client_in(b1(name));
    Peer server = accept();
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, out_a1(name));
    until_got(out, established);
    LONGS_EQUAL(1, pairing().virtual_servers());
    LONGS_EQUAL(0, pairing().size());
    in.say(rpc_pdu(72));
    expect(server, rpc_pdu(72));
    CHECK_TRUE(nobody_at(a));
    CHECK_TRUE(nobody_at(b));
    CHECK_TRUE(nobody_connects());
}

// Refused, closed without a banner, and something that is no RPC-over-HTTP server: the next in rank is asked.
TEST(NodeHop, aNodeThatIsNotThereIsPassedOver)
{
    enum class Fault { refuses, closes, other_banner };
    for (const Fault fault : {Fault::closes, Fault::other_banner, Fault::refuses}) {
        if (fault == Fault::refuses)
            a.listener.reset();
        Peer in = client_in(b1(ranked({0, 1, own})));
        if (fault != Fault::refuses) {
            Peer wrong = accept_at(a);
            expect(wrong, expected_header);
            if (fault == Fault::other_banner) {
                wrong.say("ncacn_http/2.0");
                until_ended(wrong);
            }
        }
        Peer server = accept_at(b);
        server.say(banner);
        until_got(server, expected_header.size() + 128);
        CHECK_TRUE(nobody_connects());
        server.say(b3);
        in.say(rpc_pdu(72));
        until_got(server, expected_header.size() + 128 + 72);
        server.fd.reset();
        until_ended(in);
        until([&] { return nothing_left(); });
    }
}

TEST(NodeHop, withoutTheOthersThisNodeTakesOver)
{
    a.listener.reset();
    b.listener.reset();
    const std::uint8_t name = ranked({0, 1, own});
    Peer in = client_in(b1(name));
    Peer server = accept();
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, out_a1(name));
    until_got(out, established);
    CHECK_TRUE(nobody_connects());
    in.say(rpc_pdu(72));
    expect(server, rpc_pdu(72));
}

// The service is not there: that is no node's fault, and no other node is asked.
TEST(NodeHop, anUnreachableServiceIsA503)
{
    listener.reset();
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, out_a1(ranked({own, 0, 1})));
    until_ended(out);
    CHECK(out.got.starts_with("HTTP/1.0 503 RPC Error: 6ba\r\n"));
    CHECK_TRUE(nobody_at(a));
    CHECK_TRUE(nobody_at(b));
    until([&] { return nothing_left(); });
}

// A channel that replaces another one: the node that does not know its virtual connection closes without an answer, and
// the next one is told the same.
TEST(NodeHop, aJoiningChannelIsPassedOnUntilANodeKnowsIt)
{
    const std::uint8_t name = ranked({0, own, 1});
    const struct {
        bool in;
        std::string from_client, to_server, answer;
    } rows[] = {
        {true, rts(RtsId::in_r1_a1, {name, role_test::in, in_next}), rts(RtsId::in_r1_a2, {name, role_test::in, in_next}),
         rts(RtsId::in_r1_b2)},
        {false, rts(RtsId::out_r1_a3, {name, role_test::out, out_next}),
         text_of(rpch::RtsBuilder(RtsId::out_r1_a4).version().cookie(role_test::cookie(name)).cookie(role_test::cookie(role_test::out))
                     .cookie(role_test::cookie(out_next)).channel_lifetime(settings.channel_lifetime)
                     .receive_window(settings.receive_window).connection_timeout(settings.connection_timeout).done()),
         rpc_pdu(60)},
    };
    for (const auto& row : rows) {
        Peer client = row.in ? client_in(row.from_client) : client_out(row.from_client);
        {
            Peer first = accept_at(a);
            first.say(banner);
            expect(first, expected_header + row.to_server);
        }
        Peer second = accept_at(b);
        second.say(banner);
        expect(second, expected_header + row.to_server);
        second.say(row.answer);
        if (row.in) {
            client.say(rpc_pdu(72));
            expect(second, rpc_pdu(72));
        } else {
            client.say(rts(RtsId::out_r1_a11));
            until_got(client, head.size() + 60);
            CHECK(client.got == head + row.answer);
        }
        // It has answered: its end is the end.
        second.fd.reset();
        until_ended(client);
        CHECK_TRUE(nobody_at(a));
        CHECK_TRUE(nobody_connects());
        until([&] { return nothing_left(); });
    }
}

// The virtual connection was paired here, because the first in rank was away.
TEST(NodeHop, aJoiningChannelFindsThisNodeBehindAnother)
{
    const std::uint8_t name = ranked({0, own, 1});
    Tunnel t;
    t.in = join(b2(name));
    t.server = accept();
    t.out = join(a2(65536, 0x40000000, name));
    expect(t.out, c1);
    Peer next = client_in(rts(RtsId::in_r1_a1, {name, role_test::in, in_next}));
    {
        Peer first = accept_at(a);
        first.say(banner);
        until_got(first, expected_header.size() + 104);
    }
    expect(t.out, rts(RtsId::in_r1_a3));
    t.in.say(rts(RtsId::in_r1_a6, {in_next}) + rts(RtsId::in_r1_b1));
    until_ended(t.in);
    next.say(rpc_pdu(72));
    expect(t.server, rpc_pdu(72));
    CHECK_TRUE(nobody_at(b));
}

TEST(NodeHop, aJoiningChannelThatNobodyKnowsIsA503)
{
    const std::uint8_t name = ranked({0, 1, own});
    for (const bool refused : {false, true}) {
        Peer out = client_out(rts(RtsId::out_r1_a3, {name, role_test::out, out_next}));
        for (Node* const other : {&a, &b}) {
            if (refused)
                continue;
            Peer server = accept_at(*other);
            server.say(banner);
            until_got(server, expected_header.size() + 112);
        }
        until_ended(out);
        CHECK(out.got.starts_with("HTTP/1.0 503 RPC Error: 6ba\r\n"));
        CHECK_TRUE(nobody_connects());
        until([&] { return nothing_left(); });
        a.listener.reset();
        b.listener.reset();
    }
}

TEST(NodeHop, aClientThatLeavesWhileANodeIsAskedTakesEverythingAlong)
{
    Peer in = client_in(b1(ranked({0, 1, own})));
    Peer server = accept_at(a);
    in.fd.reset();
    until_ended(server);
    CHECK_TRUE(nobody_at(b));
    CHECK_TRUE(nobody_connects());
    until([&] { return nothing_left(); });
}

// A node that drains has the clients of other nodes' tunnels bring new OUT channels: it tells the other node that theirs
// is used up, and waits before it cuts. What has moved is not cut.
TEST(NodeHop, aDrainHasTunnelsOfOtherNodesMove)
{
    for (const bool moves : {true, false}) {
        const std::uint8_t name = ranked({0, 1, own});
        Peer in = client_in(b1(name)), in_server = accept_at(a);
        Peer out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, out_a1(name), from_client), out_server = accept_at(a);
        in_server.say(banner + b3);
        out_server.say(banner + c1 + rpc_pdu(60));
        until_got(out, established + 60);
        until_got(out_server, expected_header.size() + 84);
        until_got(in_server, expected_header.size() + 128);
        in_server.got.clear();
        out_server.got.clear();
        const auto before = std::chrono::steady_clock::now();
        hub->drain(net::Millis(800));
        until_got(out_server, 28);
        // PingTrafficSent, of all that is left before the end.
        CHECK(out_server.got == text_of(rpch::RtsBuilder(RtsId::ping_traffic_sent_notify)
                                            .ping_traffic_sent(settings.channel_lifetime / 8 * 7 + 2048 - 72 - 60).done()));
        if (moves) {
            out_server.say(rts(RtsId::out_r1_a1) + rts(RtsId::out_r1_a5) + rts(RtsId::out_r1_a9));
            until_ended(out);
            CHECK(out.got.ends_with(rts(RtsId::out_r1_a10)));
            in.say(rts(RtsId::in_r1_a5, {in_next}));
            until_ended(in);
            until_ended(in_server);
            CHECK(in_server.got.ends_with(rts(RtsId::in_r1_b1)));
        } else {
            until_ended(out);
            until_ended(in);
            CHECK(std::chrono::steady_clock::now() - before >= std::chrono::milliseconds(198));
        }
        until([&] { return nothing_left(); });
        hub.reset();
        start();
    }
}

TEST(NodeHop, aDrainAsksNobodyWhomThisNodePairs)
{
    const std::uint8_t name = ranked({own, 0, 1});
    Peer in = client_in(b1(name));
    Peer server = accept();
    Peer out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, out_a1(name), from_client);
    until_got(out, established);
    server.say(rpc_pdu(40));
    until_got(out, established + 40);
    hub->drain(net::Millis(200));
    until_ended(out);
    LONGS_EQUAL(established + 40, out.got.size());
    until_ended(in);
    until([&] { return nothing_left(); });
}

// All are asked in the first quarter of the time, before any is cut.
TEST(NodeHop, aDrainAsksEveryClient)
{
    std::vector<Peer> peers;
    std::vector<std::size_t> servers;
    int tunnels = 0;
    for (std::uint8_t name = 1; tunnels < 3; ++name) {
        if (nodes.rank(role_test::cookie(name)).front() != 0)
            continue;
        ++tunnels;
        peers.push_back(client_in(b1(name)));
        peers.push_back(accept_at(a));
        peers.back().say(banner + b3);
        peers.push_back(arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, out_a1(name), from_client));
        const std::size_t out = peers.size() - 1;
        peers.push_back(accept_at(a));
        peers.back().say(banner + c1 + rpc_pdu(60));
        until_got(peers[out], established + 60);
        until_got(peers.back(), expected_header.size() + 84);
        peers.back().got.clear();
        servers.push_back(peers.size() - 1);
    }
    hub->drain(net::Millis(800));
    for (const std::size_t server : servers)
        until_ended(peers[server]);
    for (const std::size_t server : servers)
        LONGS_EQUAL(28, peers[server].got.size()); // PingTrafficSent
}
