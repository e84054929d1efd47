#include "front_group.h"

TEST_GROUP_BASE(FrontLogin, FrontGroup) {};

TEST(FrontLogin, threeLegsOnOneConnection)
{
    for (const char* version : {"1.0", "1.1"})
        for (const int length : {0, 4, 76}) {
            Client client(f());
            const std::string body(static_cast<std::size_t>(length), 'b');
            client.send(request("RPC_OUT_DATA", door, length, keep, version) + body);
            const std::string first = client.receive();
            STARTS("HTTP/1.1 401 ", first);
            CHECK_TRUE(has(first, "\r\nWWW-Authenticate: Test\r\n"));
            CHECK_TRUE(has(first, "\r\nWWW-Authenticate: Basic realm=\"test\""));
            CHECK_FALSE(has(first, "close"));
            client.send(request("RPC_OUT_DATA", door, length, keep + "Authorization: Test one\r\n", version) + body);
            const std::string second = client.receive();
            STARTS("HTTP/1.1 401 ", second);
            CHECK_TRUE(has(second, "\r\nWWW-Authenticate: Test dHdv\r\n"));
            client.send(request("RPC_OUT_DATA", door, 76, keep + good, version) + std::string(76, 'a'));
            CHECK_TRUE(arrived());
            LONGS_EQUAL(76, arrivals().back().early.size());
            arrivals().clear();
        }
}

TEST(FrontLogin, aLoggedInConnectionNeedsNoHeader)
{
    Client client(f());
    client.send(echo_head);
    CHECK_TRUE(client.receive(echo_end) == echo_reply);
    client.send(request("RPC_OUT_DATA", door, 76, ""));
    CHECK_TRUE(arrived());
    STRCMP_EQUAL("alice", arrivals()[0].principal.c_str());
}

TEST(FrontLogin, challengeToALargeBodyClosesWithoutReadingIt)
{
    Client client(f());
    client.send(request("RPC_IN_DATA", door, 1073741824, "") + std::string(300000, 'x'));
    const std::string reply = client.receive_all();
    STARTS("HTTP/1.1 401 ", reply);
    CHECK_TRUE(has(reply, "Connection: close"));
    CHECK_FALSE(client.reset());
    LONGS_EQUAL(0, log->count(" refused ")); // asking for credentials is no refusal
}

TEST(FrontLogin, wrongCredentialsLookLikeNoneAndAreLogged)
{
    Client client(f()), other(f());
    client.send(request("RPC_IN_DATA", door, 0, "Authorization: Test secret-token\r\n"));
    other.send(request("RPC_IN_DATA", door, 0, ""));
    const std::string denied = client.receive(), asked = other.receive();
    CHECK_TRUE(denied.substr(denied.find("WWW")) == asked.substr(asked.find("WWW")));
    LONGS_EQUAL(1, log->count(" refused "));
    CHECK_TRUE(has(log->text(), "reason=\"wrong token\""));
    CHECK_FALSE(has(log->text(), "secret-token"));
}

TEST(FrontLogin, withoutAnySchemeItIsForbidden)
{
    f().access.schemes.clear();
    Client client(f());
    client.send(echo_head);
    STARTS("HTTP/1.1 403 ", client.receive());
}

TEST(FrontLogin, expectationWithoutBodyGetsContinueThenChallenge)
{
    Client client(f());
    client.send(request("RPC_IN_DATA", door, 0, "Expect: 100-continue\r\nAuthorization: Test one\r\n"));
    const std::string reply = client.receive("dHdv\r\n");
    CHECK_TRUE(has(reply, "HTTP/1.1 401 "));
    CHECK_FALSE(has(reply, "close"));
    client.send(echo_head);
    CHECK_TRUE(has(client.receive(echo_end), echo_reply));
}

TEST(FrontLogin, expectationOfTheUnknownGetsTheChallengeInsteadOfContinue)
{
    Client client(f());
    client.send(request("RPC_OUT_DATA", door, 76, "Expect: 100-continue\r\n"));
    const std::string reply = client.receive_all();
    STARTS("HTTP/1.1 401 ", reply);
    CHECK_TRUE(has(reply, "Connection: close"));
}

TEST(FrontLogin, aBusyAuthenticatorIsTold)
{
    Client client(f());
    client.send(request("RPC_IN_DATA", door, 1000, "Authorization: Test busy\r\n"));
    STARTS("HTTP/1.0 503 RPC Error: 6bb\r\n", client.receive_all());
}

TEST(FrontLogin, fullWorkersAreTold)
{
    f().restart(1, 1);
    Client first(f()), second(f()), third(f());
    const std::string late = request("RPC_IN_DATA", door, 0, slow);
    first.send(late);
    f().idle(20);
    second.send(late);
    f().idle(20);
    third.send(late);
    STARTS("HTTP/1.0 503 RPC Error: 6bb\r\n", third.receive_all());
    CHECK_TRUE(first.receive(echo_end) == echo_reply);
    CHECK_TRUE(second.receive(echo_end) == echo_reply);
}

TEST(FrontLogin, challengeClosesWhenTheClientWantsThat)
{
    Client old(f()), polite(f());
    old.send(request("RPC_IN_DATA", door, 0, "", "1.0"));
    polite.send(request("RPC_IN_DATA", door, 4, "Connection: close\r\n") + "body");
    for (Client* client : {&old, &polite}) {
        const std::string reply = client->receive_all();
        STARTS("HTTP/1.1 401 ", reply);
        CHECK_TRUE(has(reply, "Connection: close"));
    }
}
