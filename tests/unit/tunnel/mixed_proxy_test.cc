#include "unit/net/test_streams.h"

#include <fcntl.h>

#include "hub_fixture.h"

using directory::Transport;

namespace {

const std::string answer = "HTTP/1.1 200 OK\r\n\r\n";
const std::string refusal = "HTTP/1.0 503 RPC Error: 6ba\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const std::string banner = "ncacn_http/1.0";

/// PDUs of many sizes, `size` bytes or a little more.
std::string many_pdus(std::size_t size)
{
    std::string text;
    for (unsigned n = 0; text.size() < size; ++n)
        text += rpc_pdu(16 + n * 37 % 5800, static_cast<std::uint8_t>(n));
    return text;
}

std::string rts_pdu()
{
    return text_of(rpch::RtsBuilder(rpch::RtsId::ping).done());
}

} // namespace

TEST_GROUP_BASE(MixedProxy, HubGroup) {
    void setup() override
    {
        HubGroup::setup();
        start();
    }
    leg::Arrival arrival(Peer& client, Transport transport, const std::string& early = {})
    {
        auto [ours, theirs] = socket_pair(true);
        for (const int fd : {ours.get(), theirs.get()})
            ::fcntl(fd, F_SETFL, O_NONBLOCK);
        client = {};
        client.fd = std::move(theirs);
        leg::Arrival made;
        made.id = 7;
        made.method = leg::Method::connect;
        made.stream = net::Stream(std::move(ours));
        made.early.assign(early.begin(), early.end());
        made.grant.party.principal = "anonymous";
        made.grant.party.target = "ex1:6001";
        made.grant.route = {transport, "127.0.0.1", port, "EX1"};
        made.judged_at = database->judge.generation();
        return made;
    }
    static void buffers(int fd, int size)
    {
        for (const int which : {SO_SNDBUF, SO_RCVBUF})
            ::setsockopt(fd, SOL_SOCKET, which, &size, sizeof size);
    }
    /// With next to no room between here and the client.
    leg::Arrival narrow(Peer& client)
    {
        leg::Arrival made = arrival(client, Transport::ncacn_ip_tcp);
        buffers(made.stream.fd(), 4096);
        buffers(client.fd.get(), 4096);
        return made;
    }
    /// RPC_CONNECT, as the HTTP engine hands it over.
    Peer connect(Transport transport, const std::string& early = {})
    {
        Peer client;
        hub->arrive(arrival(client, transport, early));
        return client;
    }
    struct Pair {
        Peer client, server;
    };
    Pair spliced()
    {
        Pair pair{connect(Transport::ncacn_ip_tcp), {}};
        pair.server = accept();
        until_got(pair.client, answer);
        return pair;
    }

    /// Exactly this comes; then it is forgotten.
    void until_got(Peer& peer, const std::string& text)
    {
        until([&] {
            peer.listen();
            return peer.got.size() >= text.size() || peer.ended;
        });
        CHECK_TRUE(peer.got == text);
        peer.got.clear();
    }
    bool silent(Peer& peer)
    {
        settle();
        peer.listen();
        return peer.got.empty() && !peer.ended;
    }
    bool all_gone()
    {
        until([&] { return hub->size() == 0; });
        return true;
    }
};

TEST(MixedProxy, pdusPassUnchangedBothWays)
{
    Peer client = connect(Transport::ncacn_ip_tcp, rpc_pdu(72).substr(0, 5));
    Peer server = accept();
    until_got(client, answer);
    LONGS_EQUAL(1, hub->clients());
    client.say(rpc_pdu(72).substr(5) + rpc_pdu(300));
    until_got(server, rpc_pdu(72) + rpc_pdu(300));
    const std::string large = many_pdus(20'000);
    server.say(large.substr(0, 7001));
    until_got(client, large.substr(0, 7001));
    server.say(large.substr(7001));
    until_got(client, large.substr(7001));
}

TEST(MixedProxy, nothingIsAnsweredOrSentBeforeTheBanner)
{
    Peer client = connect(Transport::ncacn_http, rpc_pdu(72));
    Peer server = accept();
    client.say(rpc_pdu(30));
    CHECK_TRUE(silent(client));
    server.say(banner.substr(0, 5));
    CHECK_TRUE(silent(client));
    CHECK_TRUE(silent(server));
    server.say(banner.substr(5) + rpc_pdu(60).substr(0, 11)); // glued to the first PDU
    until_got(client, answer + rpc_pdu(60).substr(0, 11));
    until_got(server, rpc_pdu(72) + rpc_pdu(30));
    server.say(rpc_pdu(60).substr(11));
    until_got(client, rpc_pdu(60).substr(11));
}

TEST(MixedProxy, aServerWithoutBannerIsUnavailable)
{
    const std::string others[] = {rpc_pdu(60), rts_pdu(), "ncacn_http/2.0", "220 mail ESMTP\r\n"};
    for (const std::string& first : others) {
        Peer client = connect(Transport::ncacn_http, rpc_pdu(72));
        Peer server = accept();
        server.say(first);
        until_got(client, refusal);
        until_ended(client);
        until_ended(server);
        CHECK_TRUE(server.got.empty());
        CHECK_TRUE(all_gone());
    }
    Peer client = connect(Transport::ncacn_http);
    accept(); // and closes
    until_got(client, refusal);
}

TEST(MixedProxy, theBannerIsAwaitedForABoundedTime)
{
    settings.connect_timeout = 150;
    Peer client = connect(Transport::ncacn_http);
    Peer server = accept();
    until_got(client, refusal);
    until_ended(client);
    until_ended(server);
}

TEST(MixedProxy, unreachableServerIsTold)
{
    listener.reset();
    Peer client = connect(Transport::ncacn_http, rpc_pdu(72));
    client.say(rpc_pdu(4000));
    until_got(client, refusal);
    until_ended(client);
    CHECK_TRUE(all_gone());
}

TEST(MixedProxy, withoutRepliesThereIsNoHttp)
{
    Peer client;
    hub->splice(arrival(client, Transport::ncacn_ip_tcp, rpc_pdu(72)), {});
    Peer server = accept();
    until_got(server, rpc_pdu(72));
    server.say(rpc_pdu(60));
    until_got(client, rpc_pdu(60));
    listener.reset();
    hub->splice(arrival(client, Transport::ncacn_ip_tcp, rpc_pdu(72)), {});
    until_ended(client);
    CHECK_TRUE(client.got.empty());
}

TEST(MixedProxy, whatIsNoRpcPduEndsBothSides)
{
    const std::string others[] = {rts_pdu(), std::string("\x05\x00\x00\x03\x10\x00\x00\x00\x0f\x00", 10),
                                  "GET / HTTP/1.1\r\n"};
    for (const std::string& bytes : others)
        for (const bool from_client : {true, false}) {
            Pair pair = spliced();
            Peer& writer = from_client ? pair.client : pair.server;
            Peer& reader = from_client ? pair.server : pair.client;
            writer.say(rpc_pdu(40) + bytes);
            until_ended(writer);
            until_ended(reader);
            CHECK_TRUE(reader.got == rpc_pdu(40));
            CHECK_TRUE(writer.got.empty());
            CHECK_TRUE(all_gone());
        }
}

TEST(MixedProxy, earlyBytesThatAreNoPdusEndIt)
{
    Peer client = connect(Transport::ncacn_ip_tcp, "GET / HTTP/1.1\r\n\r\n");
    Peer server = accept();
    until_ended(client);
    until_ended(server);
    CHECK_TRUE(server.got.empty());
}

// What one side does not take is not read from the other, and then nothing is lost.
TEST(MixedProxy, aSlowReaderStopsTheOtherSide)
{
    const std::string all = many_pdus(32 * 1024 * 1024);
    for (const bool from_client : {true, false}) {
        Pair pair = spliced();
        Peer& writer = from_client ? pair.client : pair.server;
        Peer& reader = from_client ? pair.server : pair.client;
        for (const int fd : {writer.fd.get(), reader.fd.get()})
            buffers(fd, 128 * 1024);
        std::size_t sent = 0;
        for (int idle = 0; idle < 20 && sent < all.size();) {
            const std::size_t more = writer.push(std::string_view(all).substr(sent));
            sent += more;
            idle = more ? 0 : idle + 1;
            loop->run_once(net::Millis(1));
        }
        CHECK_TRUE_TEXT(sent < all.size() / 2, "too much was taken for a peer that reads nothing");
        until([&] {
            sent += writer.push(std::string_view(all).substr(sent));
            reader.listen(50'000);
            return reader.got.size() >= all.size();
        });
        CHECK_TRUE(reader.got == all);
        writer.fd.reset();
        until_ended(reader);
    }
}

TEST(MixedProxy, whatWasSaidBeforeTheCloseIsDelivered)
{
    for (const bool from_client : {true, false}) {
        Pair pair = spliced();
        Peer& writer = from_client ? pair.client : pair.server;
        Peer& reader = from_client ? pair.server : pair.client;
        const std::string all = many_pdus(200'000);
        std::size_t sent = 0;
        until([&] { return (sent += writer.push(std::string_view(all).substr(sent))) == all.size(); });
        writer.fd.reset();
        settle();
        until_ended(reader);
        CHECK_TRUE(reader.got == all);
        CHECK_TRUE(all_gone());
    }
}

// The server has said all and closed; that the client speaks to it then brings a reset, while its words still wait.
TEST(MixedProxy, aResetDoesNotCostWhatWasSaidBefore)
{
    Peer client;
    leg::Arrival made = narrow(client);
    const int ours = made.stream.fd();
    hub->arrive(std::move(made));
    Peer server = accept();
    until_got(client, answer);
    const std::string all = many_pdus(180'000);
    server.say(all);
    server.fd.reset();
    settle();
    for (int i = 0; i < 2; ++i) { // the second one cannot even be written
        client.say(rpc_pdu(40));
        settle();
    }
    LONGS_EQUAL(1, hub->size());
    buffers(ours, 1 << 20);
    buffers(client.fd.get(), 1 << 20);
    until_ended(client);
    CHECK_TRUE(client.got == all);
    CHECK_TRUE(all_gone());
}

TEST(MixedProxy, whenBothAreDeadNothingIsWaitedFor)
{
    Peer client;
    hub->arrive(narrow(client));
    Peer server = accept();
    until_got(client, answer);
    server.say(many_pdus(180'000));
    server.fd.reset();
    settle();
    for (int i = 0; i < 2; ++i) {
        client.say(rpc_pdu(40));
        settle();
    }
    LONGS_EQUAL(1, hub->size());
    client.abort();
    CHECK_TRUE(all_gone());
}

TEST(MixedProxy, lastWordsWaitForABoundedTime)
{
    struct : tunnel::MixedProxy::Host {
        bool ended = false;
        void mixed_proxy_ended(tunnel::MixedProxy&) override { ended = true; }
    } host;
    leg::Farewell farewell(*loop);
    const leg::Environment environment{*loop, *lane, *resolver, database->judge, settings, nodes, sources};
    for (const bool reset : {true, false}) {
        host.ended = false;
        Peer client;
        tunnel::MixedProxy proxy(environment, farewell, narrow(client), {}, host, net::Millis(100));
        proxy.start();
        Peer server = accept();
        server.say(many_pdus(180'000));
        settle();
        CHECK_FALSE(host.ended);
        if (reset)
            server.abort();
        else
            server.fd.reset();
        until([&] { return host.ended; });
        client.listen();
        CHECK_TRUE(client.got.size() < 180'000);
        client.fd.reset();
    }
    until([&] { return farewell.size() == 0; });
}

TEST(MixedProxy, aClientThatLeavesBeforeTheServerIsReachedIsNotWaitedFor)
{
    Peer client = connect(Transport::ncacn_http, rpc_pdu(72));
    Peer server = accept();
    client.fd.reset();
    until_ended(server);
    CHECK_TRUE(server.got.empty());
    CHECK_TRUE(all_gone());
}

TEST(MixedProxy, aMailboxThatHasMovedEndsItAndNoOther)
{
    static constexpr char guid[] = "ad44b1e0-e44f-4a16-9396-3a437f594f88";
    directory.add_server("EX1", "ex1.x.test");
    auto mailboxes = directory.mailboxes();
    mailboxes.add_database("DB1");
    mailboxes.add_copy("DB1", "EX1");
    mailboxes.add_mailbox({guid, "x.test"}, "DB1");
    CHECK(mailboxes.activate("DB1", "EX1").ok());
    CHECK(database->valid_ports.rebuild().kind == directory::Rebuild::Kind::changed);
    Pair stays = spliced();
    Peer client;
    leg::Arrival mailbox = arrival(client, Transport::ncacn_ip_tcp);
    mailbox.grant.mailbox = true;
    mailbox.grant.party.target = std::string(guid) + "@x.test:6001"; // the directory says that this is another server by now
    hub->arrive(std::move(mailbox));
    Peer server = accept();
    until_got(client, answer);
    hub->recheck_routes();
    until_ended(client);
    until_ended(server);
    CHECK_TRUE(silent(stays.client));
    LONGS_EQUAL(1, hub->size());
}

TEST(MixedProxy, theEndOfTheDaemonEndsAllAndAdmitsNone)
{
    Pair pair = spliced();
    Peer waiting = connect(Transport::ncacn_http);
    Peer server = accept();
    hub->close_all("the test says so");
    LONGS_EQUAL(0, hub->size());
    for (Peer* peer : {&pair.client, &pair.server, &waiting, &server})
        until_ended(*peer);
    Peer late = connect(Transport::ncacn_ip_tcp);
    until_ended(late);
    CHECK_TRUE(late.got.empty());
}
