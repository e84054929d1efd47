#include <future>
#include <optional>

#include "unit/base/log_capture.h"

#include "pairing_fixture.h"

// How a node, and a mailbox that moves, let go of tunnels; and how a node drops them.

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto tick = std::chrono::milliseconds(2); // the loop's time is that of the beginning of a round

} // namespace

TEST_GROUP_BASE(HubClosing, PairingGroup)
{
    /// Until it is released, the lane of the directory takes nothing.
    void fill_lane(std::promise<void>& release)
    {
        const auto begun = std::make_shared<std::promise<void>>();
        CHECK_TRUE(lane->submit("a test", [begun, wait = std::make_shared<std::future<void>>(release.get_future())](base::Lane::Turn) {
            begun->set_value();
            wait->wait();
        }));
        begun->get_future().wait();
        while (lane->submit("a test", [](base::Lane::Turn) {}))
            ;
    }
    /// One of everything that a hub can have, each for a virtual connection of its own.
    struct All {
        Tunnel tunnel;
        Peer lonely_in, lonely_out, paired, newcomer, spliced;
        Peer relieved_in, relieved_out; // they go on on another node, and wait for their server and their client
        std::vector<Peer> servers;

        std::vector<Peer*> clients()
        {
            return {&tunnel.in, &tunnel.out, &lonely_in, &lonely_out, &paired, &newcomer, &spliced, &relieved_in, &relieved_out};
        }
    };
    All one_of_each()
    {
        All all;
        all.tunnel = plain_tunnel();
        all.lonely_in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1(0x11));
        all.servers.push_back(accept());
        all.lonely_out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1(0x12));
        all.servers.push_back(accept());
        all.paired = join(b2(0x13));
        all.servers.push_back(accept());
        all.spliced = arrive(Method::connect, directory::Transport::ncacn_ip_tcp);
        all.servers.push_back(accept());

        all.relieved_in = arrive(Method::in_data, directory::Transport::ncacn_http, b1(0x14));
        Peer server = accept();
        until_got(server, 128);
        server.say(text_of(rpch::encode(conn_b3(8192))));
        all.relieved_in.say(rpc_pdu(8000) + rpc_pdu(5000) + rts(RtsId::in_r1_a5, {in_next}));
        until_got(server, 128 + 8000 + 40);
        all.servers.push_back(std::move(server));

        all.relieved_out = arrive(Method::out_data, directory::Transport::ncacn_http, a1(0x15, 8192));
        server = accept();
        server.say(c1 + rpc_pdu(8000) + rpc_pdu(5000) + rts(RtsId::out_r1_a1) + rts(RtsId::out_r1_a5) + rts(RtsId::out_r1_a9));
        all.servers.push_back(std::move(server));
        until_got(all.relieved_out, established + 8000);
        settle();
        all.newcomer = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp);
        LONGS_EQUAL(8, hub->size());
        LONGS_EQUAL(3, pairing().virtual_servers() - 1); // one belongs to the tunnel
        return all;
    }
};

TEST(HubClosing, closeAllClosesAll)
{
    start();
    All all = one_of_each();
    hub->close_all("the daemon stops");
    LONGS_EQUAL(1, hub->size()); // the newcomer, until the end of the round
    LONGS_EQUAL(0, pairing().virtual_servers());
    settle();
    LONGS_EQUAL(0, hub->size());
    for (Peer* const one : all.clients())
        until_ended(*one);
    for (Peer& one : all.servers)
        until_ended(one);
    until_ended(all.tunnel.server);
}

// In the round in which they have come, too.
TEST(HubClosing, closeAllInTheRoundOfAnArrival)
{
    start();
    const std::string words = b1();
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, {},
                     [&](leg::Arrival& arrival) { arrival.early.assign(words.begin(), words.end()); });
    Peer bad = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, {},
                      [&](leg::Arrival& arrival) { arrival.early.assign(16, 'x'); });
    hub->close_all("the daemon stops");
    until_ended(in);
    until_ended(bad);
    until([&] { return hub->size() == 0; });
}

TEST(HubClosing, aHubThatIsClosedAdmitsNobody)
{
    for (const bool drains : {true, false}) {
        start();
        if (drains)
            hub->drain(net::Millis(100));
        else
            hub->close_all("the daemon stops");
        for (const auto& [method, words] : {std::pair(Method::in_data, b1()), std::pair(Method::out_data, a1())}) {
            Peer late = arrive(method, directory::Transport::ncacn_ip_tcp, words);
            until_ended(late);
            CHECK_TRUE(late.got.empty());
        }
        if (!drains) {
            Peer late = arrive(Method::connect, directory::Transport::ncacn_ip_tcp);
            until_ended(late);
        }
        CHECK_TRUE(nobody_connects());
        hub->close_all("the test is over");
        settle();
        hub.reset();
    }
}

// What cannot go on without this node ends, one after the other.
TEST(HubClosing, aDrainEndsWhatCannotMove)
{
    start();
    All all = one_of_each();
    all.tunnel.server.say(rpc_pdu(40)); // before the first answer nothing else may follow C2
    until_got(all.tunnel.out, 40);
    all.newcomer.fd.reset();
    until([&] { return hub->size() == 7; });
    const auto before = Clock::now();
    hub->drain(net::Millis(400));
    CHECK(hub->size() + pairing().virtual_servers() > 0); // not all at once
    for (Peer* const one : {&all.tunnel.in, &all.tunnel.out, &all.lonely_in, &all.lonely_out, &all.paired, &all.spliced})
        until_ended(*one);
    CHECK(all.tunnel.out.got == rpc_pdu(40)); // nobody was asked for a new channel
    // Half of the time is for five tunnels, in turns of 50 ms: two, two and one.
    CHECK(Clock::now() - before >= std::chrono::milliseconds(100) - tick);
    // Those that go on elsewhere already are left to finish.
    LONGS_EQUAL(2, hub->size());
    LONGS_EQUAL(0, pairing().virtual_servers());
    all.servers[4].say(text_of(rpch::encode(ack(8000, 8192, role_test::in))));
    until_ended(all.relieved_in);
    all.servers[5].say(text_of(rpch::encode(ack_to(rpch::Destination::outbound_proxy, 8000, 8192, role_test::out))));
    until_ended(all.relieved_out);
    until([&] { return nothing_left(); });
}

// A mailbox has moved: its tunnels end, and nobody else's.
TEST(HubClosing, onlyTunnelsOfMovedMailboxesEnd)
{
    start();
    database->valid_ports.rebuild();
    const auto elsewhere = [](leg::Arrival& arrival) { arrival.grant.route.server = "EX0"; };
    const auto moved = [](leg::Arrival& arrival) {
        arrival.grant.mailbox = true;
        arrival.grant.route.server = "EX0";
    };
    const auto at_home = [](leg::Arrival& arrival) { arrival.grant.mailbox = true; };
    struct Row { const std::function<void(leg::Arrival&)> change; bool ends; };
    const Row rows[] = {{elsewhere, false}, {moved, true}, {at_home, false}};
    for (const Row& row : rows) {
        std::vector<Peer> clients;
        clients.push_back(arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1(), row.change));
        clients.push_back(arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1(), row.change));
        clients.push_back(arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1(0x11), row.change));
        clients.push_back(arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1(0x12), row.change));
        clients.push_back(arrive(Method::connect, directory::Transport::ncacn_ip_tcp, {}, row.change));
        std::vector<Peer> servers;
        for (int i = 0; i < 4; ++i)
            servers.push_back(accept());
        settle();
        LONGS_EQUAL(5, hub->size());
        hub->recheck_routes();
        hub->recheck_routes(); // of several questions the last is answered
        if (row.ends)
            for (Peer& client : clients)
                until_ended(client);
        for (int i = 0; i < 3; ++i)
            settle();
        LONGS_EQUAL(row.ends ? 0 : 5, hub->size());
        for (Peer& client : clients)
            client.fd.reset();
        until([&] { return nothing_left(); });
    }
}

// Whoever has asked a worker is not there any more when the answer comes.
TEST(HubClosing, answersThatComeTooLate)
{
    start();
    std::promise<void> may_answer;
    CHECK_TRUE(lane->submit("a test", [wait = std::make_shared<std::future<void>>(may_answer.get_future())](base::Lane::Turn) { wait->wait(); }));
    const auto moved = [](leg::Arrival& arrival) {
        arrival.grant.mailbox = true;
        arrival.grant.route.server = "EX0";
        arrival.grant.route.port = 1; // so that the dialer asks too
    };
    Peer in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1(), moved);
    Peer paired = arrive_paired(header() + b2(0x11));
    until([&] { return hub->find_inbound(role_test::cookie(vc)) != nullptr; });
    settle();
    hub->recheck_routes();
    hub->close_all("the daemon stops");
    settle();
    hub.reset();
    may_answer.set_value();
    settle();
    lane.reset();
    settle();
}

// A client of version 1 that came to a fixed target without HTTP, too.
TEST(HubClosing, aMailboxOfVersion1Moves)
{
    const std::string mailbox = "ad44b1e0-e44f-4a16-9396-3a437f594f88";
    directory.add_server("EX2", "ex2.example");
    directory.servers().add_endpoint({"EX2", 6001, directory::Transport::ncacn_ip_tcp, "127.0.0.1", 1, false});
    directory.allow("ex1.example.com:6001");
    directory.allow("ex2.example:6001");
    directory.mailboxes().add_database("DB1");
    directory.mailboxes().add_copy("DB1", "EX1");
    directory.mailboxes().add_copy("DB1", "EX2");
    directory.mailboxes().add_mailbox({mailbox, "x.test"}, "DB1");
    start();
    Peer client = arrive_paired(rpc_pdu(72), mailbox + "@x.test:6001");
    Peer service = accept();
    expect(service, rpc_pdu(72));
    hub->recheck_routes();
    settle();
    CHECK_TRUE(open(client));
    CHECK(directory.mailboxes().activate("DB1", "EX2").ok());
    hub->recheck_routes();
    until_ended(client);
    until_ended(service);
}

// Between its judgement and its first PDU a client takes its time, and the directory changes: the old server is not reached.
TEST(HubClosing, whoWasJudgedBeforeAChangeIsJudgedAgain)
{
    start();
    struct Row { const char* target; const char* answer; };
    static constexpr Row rows[] = {
        {"ex1:6001", nullptr}, // allowed, and somewhere else
        {"ex1:7000", "HTTP/1.0 503 RPC Error: 6ba\r\n"},
    };
    for (const Row& row : rows)
        for (const Method method : {Method::in_data, Method::out_data, Method::connect}) {
            const auto before = [&](leg::Arrival& arrival) {
                arrival.grant.party.target = row.target;
                arrival.grant.route.port = 1;
                if (method == Method::connect)
                    --arrival.judged_at;
            };
            Peer client = arrive(method, directory::Transport::ncacn_ip_tcp, {}, before);
            settle();
            directory.allow(("other:" + std::to_string(++ids)).c_str());
            CHECK(database->watch.changed());
            if (method != Method::connect)
                client.say(method == Method::in_data ? b1() : a1());
            if (row.answer) {
                until_ended(client);
                CHECK(client.got.starts_with(row.answer));
            } else {
                Peer server = accept();
                client.fd.reset();
                until_ended(server);
            }
            until([&] { return nothing_left(); });
        }
}

TEST(HubClosing, aSecondJudgementThatFindsNoRoomIsTold)
{
    start();
    std::promise<void> release;
    fill_lane(release);
    Peer client = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1(), [](leg::Arrival& arrival) { --arrival.judged_at; });
    until_ended(client);
    CHECK(client.got.starts_with("HTTP/1.0 503 RPC Error: 6bb\r\n"));
    // One that waits for it when all is closed.
    release.set_value();
    Peer other = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1(), [](leg::Arrival& arrival) { --arrival.judged_at; });
    hub->close_all("the daemon stops");
    until_ended(other);
    until([&] { return nothing_left(); });
}

// Neither a full lane nor a directory that cannot be read makes it forget a mailbox that has moved.
TEST(HubClosing, aRecheckIsRepeatedUntilItIsDone)
{
    const auto moved = [](leg::Arrival& arrival) {
        arrival.grant.mailbox = true;
        arrival.grant.route.server = "EX0";
    };
    start();
    for (const bool full : {true, false}) {
        base::log::set_level(base::log::Level::notice);
        const LogCapture log;
        Peer client = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1(), moved);
        Peer server = accept();
        std::promise<void> release;
        if (full) {
            fill_lane(release);
        } else {
            CHECK(directory.sql("PRAGMA legacy_alter_table = ON; ALTER TABLE servers RENAME TO gone"));
        }
        hub->recheck_routes();
        until([&] { return log.count("error recheck") == 1; });
        CHECK_TRUE(open(client));
        if (full)
            release.set_value();
        else
            CHECK(directory.sql("ALTER TABLE gone RENAME TO servers"));
        until_ended(client);
        LONGS_EQUAL(1, log.count("notice recheck result=\"done after all\""));
        LONGS_EQUAL(1, log.count("error recheck"));
        until([&] { return nothing_left(); });
    }
}
