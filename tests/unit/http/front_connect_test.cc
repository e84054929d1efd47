#include "front_group.h"

// RPC_CONNECT: version 1 of the protocol.
TEST_GROUP_BASE(FrontConnect, FrontGroup) {
    void serve(http::RpcConnect mode)
    {
        f().rpc_connect = mode;
        f().restart();
    }
    static std::string connect(const std::string& target, const std::string& fields = good, const char* version = "1.1")
    {
        return "RPC_CONNECT " + target + " HTTP/" + version + "\r\nPragma: No-cache\r\nUser-Agent: RPC\r\n" + fields +
               "\r\n";
    }
};

TEST(FrontConnect, offItIsAMethodLikeAnyOther)
{
    Client client(f());
    client.send(connect(door, "Host: x\r\n"));
    const std::string reply = client.receive();
    STARTS("HTTP/1.1 405 ", reply);
    CHECK_TRUE(has(reply, "\r\nAllow: RPC_IN_DATA, RPC_OUT_DATA\r\n"));
    client.send(connect("srv:6001", "Host: x\r\n"));
    STARTS("HTTP/1.1 404 ", client.receive());
    LONGS_EQUAL(0, arrivals().size());
}

TEST(FrontConnect, whereItIsServedItIsAmongTheAllowedMethods)
{
    serve(http::RpcConnect::anonymous);
    Client client(f());
    client.send(request("GET", "/rpc/rpcproxy.dll", 0));
    CHECK_TRUE(has(client.receive(), "\r\nAllow: RPC_IN_DATA, RPC_OUT_DATA, RPC_CONNECT\r\n"));
}

TEST(FrontConnect, bothFormsOfTheTarget)
{
    serve(http::RpcConnect::authenticated);
    for (const char* target : {"/rpc/rpcproxy.dll?srv:6001", "/?srv:6001", "/any/thing?srv:6001", "srv:6001"})
        for (const char* version : {"1.0", "1.1"}) {
            Client client(f());
            client.send(connect(target, good, version));
            CHECK_TRUE_TEXT(arrived(), target);
            CHECK(arrivals()[0].method == leg::Method::connect);
            STRCMP_EQUAL("srv:6001", arrivals()[0].grant.party.target.c_str());
            STRCMP_EQUAL("srv", arrivals()[0].grant.route.host.c_str());
            STRCMP_EQUAL("alice", arrivals()[0].grant.party.principal.c_str());
            CHECK_TRUE(client.silent()); // the tunnel answers
            arrivals().clear();
        }
}

TEST(FrontConnect, whatFollowsTheHeadIsThePduStream)
{
    serve(http::RpcConnect::authenticated);
    Client client(f());
    const std::string early("\5\0\13\3\x10\0\0\0 an RPC PDU\r\n\r\n", 23);
    client.send(connect("srv:6001") + early);
    CHECK_TRUE(arrived());
    CHECK_TRUE(std::string(arrivals()[0].early.begin(), arrivals()[0].early.end()) == early);
    client.send("more");
    std::uint8_t buffer[8];
    LONGS_EQUAL(4, arrivals()[0].stream.read(buffer).size);
    LONGS_EQUAL(0, f().front->exchanges());
}

TEST(FrontConnect, authenticatedAsksForCredentialsOnTheSameConnection)
{
    serve(http::RpcConnect::authenticated);
    Client client(f());
    client.send(connect("srv:6001", "Host: x\r\n"));
    const std::string challenge = client.receive();
    STARTS("HTTP/1.1 401 ", challenge);
    CHECK_TRUE(has(challenge, "\r\nWWW-Authenticate: Test"));
    client.send(connect("srv:6001", "Authorization: Test bad\r\n"));
    STARTS("HTTP/1.1 401 ", client.receive());
    client.send(connect("srv:6001", slow));
    CHECK_TRUE(arrived());
}

TEST(FrontConnect, anonymousIsAName)
{
    serve(http::RpcConnect::anonymous);
    Client client(f()), version2(f());
    client.send(connect("/rpc/rpcproxy.dll?srv:6001", ""));
    CHECK_TRUE(arrived());
    STRCMP_EQUAL("anonymous", arrivals()[0].grant.party.principal.c_str());
    version2.send(request("RPC_IN_DATA", door, 1073741824, ""));
    STARTS("HTTP/1.1 401 ", version2.receive_all()); // nothing changes for version 2
}

TEST(FrontConnect, theAllowlistDecidesForAnybody)
{
    const struct {
        const char* target;
        const char* code;
    } rows[] = {
        {"/rpc/rpcproxy.dll?other:6001", "6ba"}, {"srv:593", "6ba"}, {"/rpc/rpcproxy.dll", "6aa"}, {"/", "6aa"},
        {"srv", "6aa"},                          {"srv:0", "6aa"},   {"/?a@b@c:6001", "6ab"},
    };
    for (const http::RpcConnect mode : {http::RpcConnect::authenticated, http::RpcConnect::anonymous}) {
        serve(mode);
        for (const auto& row : rows) {
            Client client(f());
            client.send(connect(row.target) + std::string("\5\0\13\3 a PDU\r\n\r\n", 15));
            const std::string reply = client.receive_all();
            STARTS(std::string("HTTP/1.0 503 RPC Error: ") + row.code + "\r\n", reply);
            LONGS_EQUAL_TEXT(std::string::npos, reply.find("HTTP/", 5), "one reply");
            CHECK_FALSE(client.reset());
        }
    }
    LONGS_EQUAL(0, arrivals().size());
}

TEST(FrontConnect, anUnknownMailboxEndsTheConnection)
{
    serve(http::RpcConnect::anonymous);
    Client client(f());
    client.send(connect("ad44b1e0-e44f-4a16-9396-3a437f594f88@example.com:6001"));
    const std::string reply = client.receive_all();
    STARTS("HTTP/1.1 404 ", reply);
    CHECK_TRUE(has(reply, "\r\nX-CasErrorCode: MailboxGuidWithDomainNotFound\r\n"));
}

TEST(FrontConnect, aFramedBodyIsRefused)
{
    serve(http::RpcConnect::anonymous);
    for (const char* field : {"Content-Length: 0\r\n", "Content-Length: 100\r\n", "Transfer-Encoding: chunked\r\n"}) {
        Client client(f());
        client.send(connect("srv:6001", field));
        STARTS("HTTP/1.1 400 ", client.receive_all());
    }
    LONGS_EQUAL(0, arrivals().size());
}
