#include "unit/net/name_server.h"

#include <memory>
#include <utility>

#include "ends_fixture.h"

// Peers that are of no use: gone before anything was done for them, without a length to live on, or of another tongue; and
// servers that go.

TEST_GROUP_BASE(Gone, EndsGroup)
{
    std::unique_ptr<FakeServer> name_server;

    std::unique_ptr<net::Resolver> make_resolver() override
    {
        name_server = std::make_unique<FakeServer>(*loop);
        name_server->names["ex1.example"] = {"127.0.0.1"};
        return std::make_unique<net::Resolver>(net::NameServers{name_server->address(), net::Millis(10'000), 1});
    }
    void teardown() override
    {
        name_server.reset();
        EndsGroup::teardown();
    }
};

// A channel that begins with nothing left of its Content-Length has no life: nobody is connected to for it.
TEST(Gone, noLengthIsLeftBehindTheFirstPdu)
{
    start();
    for (const bool tls : {false, true})
        for (const Transport transport : {Transport::ncacn_ip_tcp, Transport::ncacn_http})
            for (const bool with_mate : {false, true}) {
                Scene s;
                if (with_mate) {
                    s.mate = arrive(Method::out_data, transport, a1());
                    s.server = accept();
                }
                bring(s, tls, Method::in_data, transport, b1(), 104);
                CHECK_TRUE(soon([&] { return s.client->told_the_end(); }));
                CHECK_TRUE(nobody_connects());
                if (with_mate) {
                    until_ended(s.mate);
                }
                CHECK_TRUE(all_gone(s));
            }
    // One that is to replace another costs itself alone.
    Scene s;
    open(s, false, Method::in_data);
    s.predecessor = std::move(s.client);
    bring(s, false, Method::in_data, Transport::ncacn_ip_tcp, next_in(in_next), 88);
    CHECK_TRUE(soon([&] { return s.client->told_the_end(); }));
    bring(s, false, Method::in_data, Transport::ncacn_ip_tcp, next_in(in_next), 89); // the next one is not refused
    settle();
    CHECK_FALSE(s.client->told_the_end());
    s.predecessor->say(rpc_pdu(60));
    until_got(s.server, 60);
}

// The client has gone before anybody was connected to for it: nobody is.
TEST(Gone, nobodyIsConnectedToForAClientThatHasGone)
{
    start();
    for (const bool tls : {false, true})
        for (const Ending end : all_ends)
            for (const Method method : {Method::in_data, Method::out_data, Method::connect})
                for (const Transport transport : {Transport::ncacn_ip_tcp, Transport::ncacn_http}) {
                    if (!tls && end > Ending::reset)
                        continue;
                    if (tls && method == Method::connect)
                        continue; // version 1 knows no TLS
                    Scene s;
                    bring(s, tls, method, transport, method == Method::connect ? rpc_pdu(72) : first_pdu(method), 0, end);
                    CHECK_TRUE_TEXT(nobody_connects(), name_of(end));
                    CHECK_TRUE_TEXT(all_gone(s), name_of(end));
                }
}

TEST(Gone, nobodyIsConnectedToForAProxyThatHasGone)
{
    start();
    for (const std::string& words : {header() + a2(), header() + b2(), rpc_pdu(72)})
        for (const Ending end : plain_ends) {
            auto [theirs, ours] = socket_pair(true);
            ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
            EndingClient proxy(std::move(theirs), false);
            proxy.say(words);
            proxy.end(end);
            pairing().arrive(std::move(ours), node, words == rpc_pdu(72) ? "ex1:6001" : "");
            CHECK_TRUE_TEXT(nobody_connects(), name_of(end));
            until([&] { return nothing_left(); });
        }
}

TEST(Gone, nobodyIsConnectedToForAClientThatGoesDuringTheLookUp)
{
    start();
    for (const Method method : {Method::in_data, Method::out_data, Method::connect})
        for (const Transport transport : {Transport::ncacn_ip_tcp, Transport::ncacn_http}) {
            name_server->holds = true;
            name_server->queries.clear();
            Scene s;
            bring(s, false, method, transport, method == Method::connect ? rpc_pdu(72) : first_pdu(method), 0, {}, "ex1.example");
            until([&] { return !name_server->queries.empty(); });
            s.client->end(Ending::fin);
            settle();
            name_server->release();
            CHECK_TRUE(nobody_connects());
            CHECK_TRUE(all_gone(s));
        }
}

// The server's end.

TEST(Gone, ofAServer)
{
    start();
    for (const Ending end : plain_ends)
        for (const Transport transport : {Transport::ncacn_ip_tcp, Transport::ncacn_http})
            for (const Method method : {Method::in_data, Method::out_data})
                for (const bool opened : {false, true}) {
                    if (opened && transport == Transport::ncacn_http)
                        continue; // its two connections are two of these rows
                    Scene s;
                    if (opened) {
                        open(s, false, method);
                    } else {
                        bring(s, false, method, transport, first_pdu(method));
                        s.server = accept();
                        settle();
                    }
                    end == Ending::reset ? s.server.abort() : s.server.fd.reset();
                    CHECK_TRUE_TEXT(all_gone(s), name_of(end));
                    CHECK_TRUE_TEXT(soon([&] { return s.client->told_the_end(); }), name_of(end));
                }
}

// What it said last reaches a client that takes it, in its own time.
TEST(Gone, ofAServerWhoseClientTakesNothing)
{
    start();
    Scene s;
    bring(s, false, Method::in_data, Transport::ncacn_ip_tcp, b1());
    s.server = accept();
    s.mate = arrive(Method::out_data, Transport::ncacn_ip_tcp, a1(vc, narrow));
    until_got(s.mate, established);
    s.mate.got.clear();
    const std::string words = many_pdus(12);
    s.server.say(words);
    settle();
    s.server.fd.reset();
    settle();
    LONGS_EQUAL(2, hub->size());
    for (std::uint32_t received = 8000; received <= words.size(); received += 8000) {
        until_got(s.mate, received);
        s.client->say(text_of(rpch::encode(ack_to(rpch::Destination::outbound_proxy, received, narrow, role_test::out))));
    }
    until_ended(s.mate);
    CHECK(s.mate.got == words);
    CHECK_TRUE(soon([&] { return hub->size() == 0; }));
}

// However little it says: what is no RPC is noticed.
TEST(Gone, aServerThatSpeaksSomethingElse)
{
    start();
    const std::string text = "550 no!\r\n";
    for (const std::size_t size : {std::size_t{1}, text.size()})
        for (const bool require_banner : {false, true})
            for (const Method method : {Method::in_data, Method::out_data}) {
                settings.require_banner = require_banner;
                Scene s;
                bring(s, false, method, Transport::ncacn_http, first_pdu(method));
                s.server = accept();
                settle();
                s.server.say(text.substr(0, size));
                CHECK_TRUE(all_gone(s));
                Scene opened;
                open(opened, false, method);
                opened.server.say(text.substr(0, size));
                CHECK_TRUE(all_gone(opened));
                Scene version1;
                for (const Transport transport : {Transport::ncacn_http, Transport::ncacn_ip_tcp}) {
                    bring(version1, false, Method::connect, transport, "");
                    version1.server = accept();
                    settle();
                    version1.server.say(text.substr(0, size));
                    CHECK_TRUE(all_gone(version1));
                    version1 = {};
                }
            }
}

// And a client, or a proxy, likewise.
TEST(Gone, aPeerThatSpeaksSomethingElse)
{
    start();
    const std::string text = "GET / HT";
    for (std::size_t size = 1; size <= text.size(); ++size) {
        for (const Method method : {Method::in_data, Method::out_data, Method::connect}) {
            Scene s;
            bring(s, false, method, Transport::ncacn_ip_tcp, text.substr(0, size));
            CHECK_TRUE(soon([&] { return s.client->told_the_end(); }));
            CHECK_TRUE(soon([&] { return hub->size() == 0; }));
        }
        for (const std::string& before : {header(), std::string()}) {
            Peer proxy = arrive_paired(before + text.substr(0, size), before.empty() ? "ex1:6001" : "");
            until_ended(proxy);
            until([&] { return nothing_left(); });
        }
    }
}
