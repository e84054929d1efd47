#include "directory/servers.h"

#include <atomic>
#include <thread>

#include "front_group.h"

TEST_GROUP_BASE(FrontChannel, FrontGroup) {};

TEST(FrontChannel, inRefusalComesBeforeContinueAndWithoutReset)
{
    Client client(f());
    client.send(request("RPC_IN_DATA", "/rpc/rpcproxy.dll?other:6001", 1073741824, good + "Expect: 100-continue\r\n") +
                std::string(200000, 'x'));
    STRCMP_EQUAL("HTTP/1.0 503 RPC Error: 6ba\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                 client.receive_all().c_str());
    CHECK_FALSE(client.reset());
    CHECK_TRUE(has(log->text(), "user=alice status=503 rpc_error=6ba"));
    CHECK_TRUE(has(log->text(), "rule="));
}

TEST(FrontChannel, outRefusalComesAfterTheFirstPdu)
{
    Client client(f());
    client.send(request("RPC_OUT_DATA", "/rpc/rpcproxy.dll?other:6001", 76, good + "Expect: 100-continue\r\n"));
    STRCMP_EQUAL("HTTP/1.1 100 Continue\r\n\r\n", client.receive().c_str());
    client.send(std::string(75, 'a'));
    CHECK_TRUE(client.silent());
    client.send("a");
    STARTS("HTTP/1.0 503 RPC Error: 6ba\r\n", client.receive_all());
}

TEST(FrontChannel, outRefusalDoesNotWaitForEver)
{
    f().limits.head = net::Millis(100);
    f().restart();
    Client client(f());
    client.send(request("RPC_OUT_DATA", "/rpc/rpcproxy.dll?other:6001", 76));
    STARTS("HTTP/1.0 503 RPC Error: 6ba\r\n", client.receive_all());
}

TEST(FrontChannel, malformedTargetsHaveTheirCodes)
{
    const struct {
        const char* target;
        const char* code;
    } rows[] = {
        {"srv", "6aa"},       {"srv:", "6aa"},      {"srv:0", "6aa"},       {"srv:06001", "6aa"},
        {"srv:6001x", "6aa"}, {"srv:70000", "6aa"}, {":6001", "6ab"},       {"a@b@c:6001", "6ab"},
        {"s%20v:6001", "6ab"}, {"s/v:6001", "6ab"},
        {"s&v:6001", "6ab"},  {"srv:593", "6ba"},     {"127.0.0.1:6001", "6ba"},
    };
    for (const auto& row : rows) {
        Client client(f());
        client.send(request("RPC_IN_DATA", std::string("/rpc/rpcproxy.dll?") + row.target, 1000));
        STARTS(std::string("HTTP/1.0 503 RPC Error: ") + row.code + "\r\n", client.receive_all());
    }
    Client none(f());
    none.send(request("RPC_IN_DATA", "/rpc/rpcproxy.dll", 1000));
    STARTS("HTTP/1.0 503 RPC Error: 6aa\r\n", none.receive_all());
    LONGS_EQUAL(0, arrivals().size());
}

TEST(FrontChannel, unknownMailboxIsNotFound)
{
    const std::string target = "/rpc/rpcproxy.dll?ad44b1e0-e44f-4a16-9396-3a437f594f88@example.com:6001";
    Client out(f()), in(f());
    out.send(request("RPC_OUT_DATA", target, 76) + std::string(76, 'a'));
    const std::string reply = out.receive();
    STARTS("HTTP/1.1 404 ", reply);
    CHECK_TRUE(has(reply, "\r\nX-CasErrorCode: MailboxGuidWithDomainNotFound\r\n"));
    CHECK_TRUE(out.silent()); // its body was read, it lives on
    in.send(request("RPC_IN_DATA", target, 1073741824));
    CHECK_TRUE(has(in.receive_all(), "Connection: close"));
}

TEST(FrontChannel, anOutRequestOfUnlikelyLengthIsRefused)
{
    Client fits(f()), large(f());
    large.send(request("RPC_OUT_DATA", door, 65537));
    STARTS("HTTP/1.1 413 ", large.receive_all());
    fits.send(request("RPC_OUT_DATA", door, 65536));
    CHECK_TRUE(arrived());
}

TEST(FrontChannel, theTunnelGetsTheStreamWithExactlyTheEarlyBytes)
{
    Client client(f());
    const std::string early("\5\0\x14\3 the first PDU\r\n\r\n", 22);
    const std::string fields = "Expect: 100-continue\r\nPragma: No-cache\r\nPragma: MinConnTimeout=200\r\n";
    client.send(request("RPC_IN_DATA", door, 1073741824, good + fields) + early);
    CHECK_TRUE(arrived());
    leg::Arrival& arrival = arrivals()[0];
    CHECK(arrival.method == leg::Method::in_data);
    CHECK_TRUE(std::string(arrival.early.begin(), arrival.early.end()) == early);
    STRCMP_EQUAL("srv:6001", arrival.grant.party.target.c_str());
    STRCMP_EQUAL("srv", arrival.grant.route.host.c_str());
    LONGLONGS_EQUAL(1073741824, arrival.content_length);
    LONGS_EQUAL(200, arrival.min_conn_timeout.value_or(0));
    CHECK_TRUE(arrival.expect_continue);
    CHECK_FALSE(arrival.http10);
    CHECK_TRUE(arrival.stream.fd() >= 0);
    CHECK_TRUE(client.silent()); // the tunnel speaks first
    LONGS_EQUAL(0, f().front->connections());
    LONGS_EQUAL(0, f().front->exchanges());

    client.send("more");
    std::uint8_t buffer[8];
    LONGS_EQUAL(4, arrival.stream.read(buffer).size);
}

TEST(FrontChannel, aSecondRequestOnTheConnectionCanBeTheChannel)
{
    Client client(f());
    client.send(echo_head + request("RPC_OUT_DATA", door, 76, "", "1.1") + std::string(76, 'a'));
    CHECK_TRUE(client.receive(echo_end) == echo_reply);
    CHECK_TRUE(arrived());
    CHECK(arrivals()[0].method == leg::Method::out_data);
    LONGS_EQUAL(76, arrivals()[0].early.size());
}

TEST(FrontChannel, headInSingleBytesIsTheSame)
{
    Client client(f());
    for (const char byte : in_head + "early") {
        client.send({&byte, 1});
        f().loop.run_once(net::Millis(0));
    }
    CHECK_TRUE(arrived());
    LONGS_EQUAL(1073741824, arrivals()[0].content_length);
}

// The next channel of a known user to a target that was allowed just now is decided on the shard.
TEST(FrontChannel, whatWasAllowedJustNowWaitsForNoLane)
{
    const std::string quick = "Authorization: Test quick\r\n";
    const auto channel = [&](const char* target) {
        return request("RPC_IN_DATA", std::string("/rpc/rpcproxy.dll?") + target, 1000, quick);
    };
    f().restart(1, 1);
    Client first(f());
    first.send(channel("srv:6001"));
    CHECK_TRUE(f().wait([&] { return arrivals().size() == 1; }));

    struct Latch {
        std::atomic<bool> begun{false}, open{false};
    };
    const auto latch = std::make_shared<Latch>(); // the lane may look at it later than this function
    const struct Opener {
        Latch& latch;
        ~Opener() { latch.open = true; }
    } opener{*latch};
    const bool taken = f().lane->submit("a test", [latch](base::Lane::Turn) {
        latch->begun = true;
        while (!latch->open)
            std::this_thread::yield();
    });
    CHECK_TRUE(taken);
    CHECK_TRUE(f().wait([&] { return latch->begun.load(); }));
    CHECK_TRUE(f().lane->submit("a test", [](base::Lane::Turn) {})); // the queue is full
    Client known(f()), unknown(f());
    known.send(channel("srv:6001"));
    CHECK_TRUE(f().wait([&] { return arrivals().size() == 2; }));
    STRCMP_EQUAL("srv:6001", arrivals()[1].grant.party.target.c_str());
    STRCMP_EQUAL("srv", arrivals()[1].grant.route.host.c_str());
    unknown.send(channel("srv:6002"));
    STARTS("HTTP/1.0 503 RPC Error: 6bb\r\n", unknown.receive_all());
    directory::Database elsewhere(f().directory.path(), directory::Database::Mode::write);
    CHECK_TRUE(directory::Servers(elsewhere).add({"EX1", "ex1.example", directory::Role::mailbox, "", "", true}).ok());
    Client later(f());
    later.send(channel("srv:6001"));
    STARTS("HTTP/1.0 503 RPC Error: 6bb\r\n", later.receive_all());
}
