#include "front_group.h"

using namespace std::chrono_literals;

// Replies that are known before a small body has come, and what becomes of the body.
TEST_GROUP_BASE(FrontBody, FrontGroup)
{
    static constexpr const char* unknown_mailbox =
        "/rpc/rpcproxy.dll?ad44b1e0-e44f-4a16-9396-3a437f594f88@example.com:6001";

    /// `length` bytes that begin like a request.
    static std::string disguised(std::size_t length)
    {
        std::string body = echo_head + echo_head;
        body.resize(length, 'x');
        return body;
    }
    /// A client that has been asked for its login, and owes the body of its request.
    void ask(Client& client)
    {
        client.send(request("RPC_OUT_DATA", door, 76, ""));
        STARTS("HTTP/1.1 401 ", client.receive());
    }
};

TEST(FrontBody, noReplyWaitsForASmallBodyAndTheConnectionLivesOn)
{
    const struct {
        const char* method;
        std::string target;
        std::size_t length;
        std::string fields;
        const char* status;
    } rows[] = {
        {"RPC_OUT_DATA", door, 76, "", "HTTP/1.1 401 "},
        {"RPC_OUT_DATA", door, 120, "Authorization: Test bad\r\n", "HTTP/1.1 401 "},
        {"RPC_OUT_DATA", door, 4096, "Authorization: Test one\r\n", "HTTP/1.1 401 "},
        {"RPC_IN_DATA", door, 1, "", "HTTP/1.1 401 "},
        {"RPC_IN_DATA", door, 4096, "", "HTTP/1.1 401 "},
        {"RPC_OUT_DATA", unknown_mailbox, 76, good, "HTTP/1.1 404 "},
        {"POST", "/autodiscover/autodiscover.xml", 4000, "", "HTTP/1.1 404 "},
        {"POST", "/rpc/rpcproxy.dll", 10, "", "HTTP/1.1 405 "},
        {"GET", "/rpc/healthcheck.htm", 10, "", "HTTP/1.1 200 "},
        {"POST", "/rpc/healthcheck.htm", 10, "", "HTTP/1.1 405 "},
        {"RPC_IN_DATA", door, 4, good, "HTTP/1.1 200 "},
        {"RPC_OUT_DATA", door, 16, good, "HTTP/1.1 200 "},
    };
    for (const auto& row : rows) {
        Client client(f());
        client.send(request(row.method, row.target, row.length, row.fields));
        const std::string reply = client.receive();
        STARTS(row.status, reply);
        CHECK_FALSE_TEXT(has(reply, "close"), row.status);
        CHECK_TRUE(client.silent());
        for (const char byte : disguised(row.length).substr(0, 10))
            client.send({&byte, 1});
        if (row.length > 10)
            client.send(disguised(row.length).substr(10));
        CHECK_TRUE_TEXT(client.silent(), row.target.c_str()); // not a byte of it is a request
        if (row.length < 10)
            continue; // and some were
        client.send(echo_head);
        CHECK_TRUE(client.receive(echo_end) == echo_reply);
    }
}

TEST(FrontBody, aBodyThatComesWithItsHeadIsDroppedToo)
{
    Client client(f());
    client.send(request("RPC_OUT_DATA", door, 76, "") + disguised(76) + request("GET", "/", 3) + "abc" + echo_head);
    const std::string replies = client.receive(echo_end);
    STARTS("HTTP/1.1 401 ", replies);
    CHECK_TRUE(has(replies, "\r\n\r\nHTTP/1.1 404 "));
    CHECK_TRUE(replies.ends_with(echo_reply));
}

// The length says what the body is, RFC 9112 section 6.3; to guess would let a body pass for a request.
TEST(FrontBody, aRequestInPlaceOfTheBodyIsTakenForTheBody)
{
    Client client(f());
    ask(client);
    client.send(echo_head);
    const std::string rest = client.receive_all();
    STARTS("HTTP/1.1 400 ", rest);
    LONGS_EQUAL(std::string::npos, rest.find("HTTP/", 5));
}

TEST(FrontBody, whoOwesItIsGoneWhenAnIdleClientWouldBe)
{
    f().limits.head = 100s;
    f().limits.idle = 60s;
    f().restart();
    Client silent(f()), trickling(f());
    ask(silent);
    ask(trickling);
    for (int i = 0; i < 10; ++i) { // a byte now and then extends nothing
        CHECK_TRUE_TEXT(i == 9 || trickling.silent(0), "it ended before its time");
        trickling.send("x");
        f().pass(7s);
    }
    CHECK_TRUE(silent.receive_all().empty() && silent.ended());
    CHECK_TRUE(trickling.receive_all().empty() && trickling.ended());
    CHECK_TRUE(all_gone());
    LONGS_EQUAL(0, log->count(" closed "));
}

TEST(FrontBody, whoOwesItMayLeaveInSilence)
{
    for (const bool abruptly : {false, true}) {
        Client client(f());
        ask(client);
        client.send("part");
        f().idle(10);
        abruptly ? client.abort() : client.close();
        CHECK_TRUE(all_gone());
    }
    LONGS_EQUAL(0, log->count(" closed "));
}

TEST(FrontBody, aDrainEndsWhoOwesItWithoutReset)
{
    Client client(f());
    ask(client);
    f().front->drain();
    client.send("part");
    CHECK_TRUE(client.receive_all().empty());
    CHECK_FALSE(client.reset());
    client.close();
    CHECK_TRUE(all_gone());
}

TEST(FrontBody, aReplyInADrainSaysThatItIsTheLast)
{
    Client client(f());
    const std::string head = request("RPC_OUT_DATA", door, 76, "");
    client.send(head.substr(0, 10));
    f().idle(10);
    f().front->drain();
    client.send(head.substr(10));
    const std::string reply = client.receive_all();
    STARTS("HTTP/1.1 401 ", reply);
    CHECK_TRUE(has(reply, "\r\nConnection: close\r\n"));
}

// A client that waits for 100 Continue gets it; a final status would leave open whether the body follows.
TEST(FrontBody, anExpectedEchoIsAnsweredBehindItsBody)
{
    Client client(f());
    client.send(request("RPC_IN_DATA", door, 4, good + "Expect: 100-continue\r\n"));
    STRCMP_EQUAL("HTTP/1.1 100 Continue\r\n\r\n", client.receive().c_str());
    CHECK_TRUE(client.silent());
    client.send("\xf8\xe8\x18\x08");
    CHECK_TRUE(client.receive(echo_end) == echo_reply);
    client.send(echo_head);
    CHECK_TRUE(client.receive(echo_end) == echo_reply);
}

TEST(FrontBody, aVerdictThatTakesTooLongIsNotWaitedFor)
{
    f().limits.head = 100s;
    f().limits.judge = 60s;
    f().restart();
    Client client(f());
    client.send(request("RPC_IN_DATA", door, 1000, slow));
    f().pass(61s);
    STARTS("HTTP/1.0 503 RPC Error: 6bb\r\n", client.receive_all());
    CHECK_TRUE(has(log->text(), "status=503 reason=\"no verdict in time\""));
    f().end_lane(); // the late answer finds nobody
    LONGS_EQUAL(0, arrivals().size());
}
