#include "directory/database.h"

#include "front_group.h"

// What load balancers ask.
TEST_GROUP_BASE(FrontHealth, FrontGroup)
{
    static std::string check(const std::string& method = "GET", const std::string& target = "/rpc/healthcheck.htm")
    {
        return method + ' ' + target + " HTTP/1.1\r\nHost: x\r\n\r\n";
    }
    std::string status(Client& client, const std::string& head = check())
    {
        client.send(head);
        return client.receive().substr(0, 13);
    }
};

TEST(FrontHealth, aNodeThatWorksSaysSoWithoutLogin)
{
    Client client(f());
    for (const char* target : {"/rpc/healthcheck.htm", "/RPC/HealthCheck.HTM", "/rpc/healthcheck.htm?a&b",
                               "http://x/rpc/healthcheck.htm"}) {
        client.send(check("GET", target));
        const std::string reply = client.receive("200 OK\n");
        STARTS("HTTP/1.1 200 OK\r\n", reply);
        CHECK_TRUE(has(reply, "\r\nContent-Length: 7\r\n") && reply.ends_with("\r\n\r\n200 OK\n"));
        CHECK_FALSE(has(reply, "close"));
    }
    client.send(check("HEAD"));
    const std::string head = client.receive();
    STARTS("HTTP/1.1 200 OK\r\n", head);
    CHECK_TRUE(has(head, "\r\nContent-Length: 7\r\n") && head.ends_with("\r\n\r\n"));
    STARTS("HTTP/1.1 200 ", status(client, check("OPTIONS")));
    STARTS("HTTP/1.1 200 ", status(client, check("OPTIONS", "/")));
    LONGS_EQUAL(0, log->count(" refused "));
}

// haproxy: `option httpchk` alone.
TEST(FrontHealth, anOldRequestIsAnsweredAndEnds)
{
    Client client(f());
    client.send("OPTIONS / HTTP/1.0\r\n\r\n");
    STARTS("HTTP/1.1 200 OK\r\n", client.receive_all());
    client.abort();
    CHECK_TRUE(all_gone());
    LONGS_EQUAL(0, log->count(" closed "));
}

TEST(FrontHealth, otherMethodsAndPathsAreNoCheck)
{
    Client client(f());
    client.send(check("POST"));
    CHECK_TRUE(has(client.receive(), "\r\nAllow: GET, HEAD, OPTIONS\r\n"));
    STARTS("HTTP/1.1 405 ", status(client, check("RPC_IN_DATA")));
    STARTS("HTTP/1.1 404 ", status(client, check("GET", "/")));
    STARTS("HTTP/1.1 404 ", status(client, check("GET", "/rpc/healthcheck.html")));
    STARTS("HTTP/1.1 404 ", status(client, check("OPTIONS", "/rpc/")));
}

TEST(FrontHealth, whileItDrainsItIsNotWell)
{
    Client early(f()), late(f());
    early.send(check().substr(0, 10)); // a request under way
    f().idle(10);
    f().front->drain();
    early.send(check().substr(10));
    const std::string reply = early.receive_all();
    STARTS("HTTP/1.1 503 Service Unavailable\r\n", reply);
    CHECK_TRUE(has(reply, "\r\nContent-Length: 0\r\n") && has(reply, "\r\nConnection: close\r\n"));
    CHECK_TRUE(late.receive_all().empty());
    Client after(f());
    after.send(check());
    STARTS("HTTP/1.0 503 ", after.receive_all());
    LONGS_EQUAL(0, log->count(" refused ") + log->count(" turned-away "));
}

TEST(FrontHealth, withoutAUsableDirectoryItIsNotWell)
{
    directory::Database elsewhere(f().directory.path(), directory::Database::Mode::write);
    elsewhere.execute("ALTER TABLE servers RENAME TO gone");
    f().database.watch.changed(); // as the daemon does every two seconds
    Client ill(f()), well(f());
    ill.send(check());
    STARTS("HTTP/1.1 503 ", ill.receive_all());
    elsewhere.execute("ALTER TABLE gone RENAME TO servers");
    f().database.watch.changed();
    STARTS("HTTP/1.1 200 ", status(well));
    LONGS_EQUAL(0, log->count(" refused "));
}

// Checks end with a reset, and some do not even ask.
TEST(FrontHealth, whoSaysNothingLeavesNoLine)
{
    for (const bool asks : {false, true})
        for (const bool abruptly : {false, true}) {
            Client client(f());
            if (asks)
                STARTS("HTTP/1.1 200 ", status(client));
            abruptly ? client.abort() : client.close();
            CHECK_TRUE(all_gone());
        }
    LONGS_EQUAL(0, log->count(" closed "));
}
