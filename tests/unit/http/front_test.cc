#include "front_group.h"

TEST_GROUP_BASE(Front, FrontGroup) {};

TEST(Front, echoIsAnsweredExactlyAndTheConnectionStays)
{
    Client client(f());
    for (int i = 0; i < 3; ++i) {
        client.send(echo_head);
        const std::string reply = client.receive(echo_end);
        LONGS_EQUAL(echo_reply.size(), reply.size());
        CHECK_TRUE(reply == echo_reply);
    }
    CHECK_TRUE(client.silent());
}

TEST(Front, echoDropsItsBodyWhenItComes)
{
    Client client(f());
    client.send(request("RPC_IN_DATA", door, 4));
    CHECK_TRUE(client.receive(echo_end) == echo_reply);
    client.send("\xf8\xe8");
    CHECK_TRUE(client.silent());
    client.send("\x18\x08" + request("RPC_OUT_DATA", door, 16) + std::string(16, 'x') + echo_head);
    CHECK_TRUE(client.receive(echo_reply + echo_reply) == echo_reply + echo_reply);
}

TEST(Front, echoLooksAtNoTarget)
{
    for (const char* target : {"/rpc/rpcproxy.dll", "/RpcWithCert/RpcProxy.DLL?nowhere:1"}) {
        Client client(f());
        client.send(request("RPC_OUT_DATA", target, 0));
        CHECK_TRUE_TEXT(client.receive(echo_end) == echo_reply, target);
    }
}

TEST(Front, echoOverHttp10ClosesUnlessAskedNotTo)
{
    Client kept(f()), closed(f());
    kept.send(request("RPC_IN_DATA", door, 0, good + "Connection: keep-alive\r\n", "1.0"));
    CHECK_TRUE(kept.receive(echo_end) == echo_reply);
    CHECK_TRUE(kept.silent());
    closed.send(request("RPC_IN_DATA", door, 0, good, "1.0"));
    CHECK_TRUE(has(closed.receive_all(), "Connection: close"));
}

TEST(Front, otherPathsAndMethods)
{
    const struct {
        const char* method;
        const char* target;
        const char* status;
    } rows[] = {
        {"GET", "/", "HTTP/1.1 404 "},
        {"RPC_IN_DATA", "/rpc/other.dll?srv:6001", "HTTP/1.1 404 "},
        {"RPC_IN_DATA", "*", "HTTP/1.1 404 "},
        {"GET", "/rpc/rpcproxy.dll", "HTTP/1.1 405 "},
        {"HEAD", "/rpc/rpcproxy.dll", "HTTP/1.1 405 "},
        {"rpc_in_data", "/rpc/rpcproxy.dll?srv:6001", "HTTP/1.1 405 "},
        {"RPC_CONNECT", "/rpc/rpcproxy.dll?srv:6001", "HTTP/1.1 405 "},
        {"CONNECT", "srv:6001", "HTTP/1.1 404 "},
    };
    Client client(f());
    for (const auto& row : rows) {
        client.send(request(row.method, row.target, 0));
        STARTS(row.status, client.receive());
    }
    LONGS_EQUAL(8, log->count(" refused "));
    LONGS_EQUAL(0, log->count("http-library"));
}

TEST(Front, methodNotAllowedSaysWhichAre)
{
    Client client(f());
    client.send(request("GET", "/rpc/rpcproxy.dll", 0));
    CHECK_TRUE(has(client.receive(), "\r\nAllow: RPC_IN_DATA, RPC_OUT_DATA\r\n"));
}

TEST(Front, badHeadsAreRefusedWithTheirStatus)
{
    const struct {
        std::string head;
        const char* status;
    } rows[] = {
        {request("RPC_IN_DATA", door, 4, good + "Content-Length: 5\r\n"), "HTTP/1.1 400 "},
        {request("RPC_IN_DATA", door, 4, good + "Transfer-Encoding: chunked\r\n"), "HTTP/1.1 400 "},
        {"RPC_IN_DATA " + door + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 411 "},
        {"RPC_IN_DATA " + door + " HTTP/2.0\r\nHost: x\r\n\r\n", "HTTP/1.1 505 "},
        {std::string("RPC_IN_DATA /\0 HTTP/1.1\r\n", 26), "HTTP/1.1 400 "},
        {"GET / HTTP/1.1\nHost: x\n\n", "HTTP/1.1 400 "},
        {std::string("\x16\x03\x01\x02\x00\x01", 6), "HTTP/1.1 400 "},
    };
    for (const auto& row : rows) {
        Client client(f());
        client.send(row.head + "POST /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
        const std::string reply = client.receive_all();
        STARTS(row.status, reply);
        CHECK_TRUE(has(reply, "Connection: close"));
        LONGS_EQUAL_TEXT(std::string::npos, reply.find("HTTP/", 5), "one reply");
        CHECK_FALSE(client.reset());
    }
    LONGS_EQUAL(7, log->count(" refused "));
}

TEST(Front, oversizedHeadIsRefused)
{
    Client client(f());
    client.send("RPC_IN_DATA " + door + " HTTP/1.1\r\nHost: x\r\nX: " + std::string(f().limits.head_bytes, 'x'));
    STARTS("HTTP/1.1 431 ", client.receive_all());
    CHECK_FALSE(client.reset());
}

TEST(Front, theLargestHeadPasses)
{
    const std::string start = request("RPC_IN_DATA", door, 0, "Authorization: Test ");
    const std::string rest = "\r\n\r\n";
    Client client(f());
    client.send(start.substr(0, start.size() - 2) +
                std::string(f().limits.head_bytes - start.size() + 2 - rest.size(), 'x') + rest);
    STARTS("HTTP/1.1 401 ", client.receive());
    CHECK_TRUE(has(log->text(), "reason=\"wrong token\"")); // all of it reached the scheme
}

TEST(Front, oneEmptyLineBeforeARequestIsForgiven)
{
    Client client(f());
    client.send("\r\n" + echo_head);
    CHECK_TRUE(client.receive(echo_end) == echo_reply);
    client.send("\r\n\r\n" + echo_head);
    STARTS("HTTP/1.1 400 ", client.receive_all());
}

TEST(Front, pipelinedRequestsAreAnsweredInOrder)
{
    Client client(f());
    const std::string last = request("RPC_IN_DATA", door, 0, "Connection: close\r\n");
    client.send(echo_head + request("GET", "/", 3) + "abc" + echo_head + last + echo_head);
    const std::string replies = client.receive_all();
    const auto missing = replies.find("HTTP/1.1 404");
    LONGS_EQUAL(echo_reply.size(), missing);
    CHECK_TRUE(has(replies.substr(missing), echo_reply + echo_reply.substr(0, 8)));
    CHECK_TRUE(has(replies, "Connection: close"));
    LONGS_EQUAL_TEXT(std::string::npos, replies.find("HTTP/", replies.rfind("close")), "nothing after the close");
}
