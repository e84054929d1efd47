#include "front_group.h"

#include "base/base64.h"

namespace {

std::string basic(std::string_view words)
{
    return "Authorization: Basic " + base::base64_encode(base::bytes_of(words)) + "\r\n";
}

} // namespace

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
    STRCMP_EQUAL("alice", arrivals()[0].grant.party.principal.c_str());
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

// Success and the last token of the server come together, in whatever is answered.
TEST(FrontLogin, theLastTokenGoesOutWithTheAnswer)
{
    const std::string last = "Authorization: Test last\r\n", line = "\r\nWWW-Authenticate: Test bGFzdA==\r\n";
    Client client(f());
    client.send(request("RPC_IN_DATA", door, 0, last));
    const std::string echo = client.receive(echo_end);
    STARTS("HTTP/1.1 200 Success\r\n", echo);
    CHECK_TRUE(has(echo, line));
    client.send(echo_head);
    CHECK_TRUE(client.receive(echo_end) == echo_reply);
    client.send(request("RPC_OUT_DATA", door, 100000, last));
    const std::string refusal = client.receive();
    STARTS("HTTP/1.1 413 ", refusal);
    CHECK_TRUE(has(refusal, line));
    Client channel(f());
    channel.send(request("RPC_OUT_DATA", door, 76, last));
    CHECK_TRUE(arrived());
    STRCMP_EQUAL("Test bGFzdA==", arrivals()[0].last_token.c_str());
}

// Behind a front that shares its connections the login of one user would be that of all.
TEST(FrontLogin, nothingIsRememberedBehindAFront)
{
    for (const char* field : {"Via: 1.1 front\r\n", "Forwarded: for=192.0.2.1\r\n", "X-Forwarded-For: 192.0.2.1\r\n"}) {
        Client client(f());
        client.send(echo_head);
        CHECK_TRUE(client.receive(echo_end) == echo_reply);
        client.send(request("RPC_IN_DATA", door, 0, field));
        const std::string asked = client.receive();
        STARTS("HTTP/1.1 401 ", asked);
        CHECK_FALSE(has(asked, "WWW-Authenticate: Test"));
        CHECK_TRUE(has(asked, "WWW-Authenticate: Basic"));
        client.send(request("RPC_IN_DATA", door, 0, field + good));
        STARTS("HTTP/1.1 401 ", client.receive());
        client.send(request("RPC_IN_DATA", door, 0, field + basic("carol:secret")));
        CHECK_TRUE(client.receive(echo_end) == echo_reply);
    }
    LONGS_EQUAL(3, log->count("on the connection of a front"));
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

TEST(FrontLogin, aFullDirectoryIsTold)
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
    CHECK_TRUE(has(log->text(), "reason=\"too much waits for the directory\""));
    CHECK_TRUE(first.receive(echo_end) == echo_reply);
    CHECK_TRUE(second.receive(echo_end) == echo_reply);
}

TEST(FrontLogin, passwordsAreCheckedOnTheirLane)
{
    for (const char* words : {"carol:secret", "carol:wrong", "nobody:secret"}) {
        Client client(f());
        client.send(request("RPC_IN_DATA", door, 1000, basic(words)));
        if (words == std::string("carol:secret")) {
            CHECK_TRUE(arrived());
            STRCMP_EQUAL("carol", arrivals()[0].grant.party.principal.c_str());
        } else {
            STARTS("HTTP/1.1 401 ", client.receive());
        }
    }
    LONGS_EQUAL(1, log->count("reason=\"wrong password: carol\""));
    LONGS_EQUAL(1, log->count("reason=\"unknown user: nobody\""));
}

// Full lanes of passwords keep nobody who is known, and a full lane of the directory keeps nobody whose answer is remembered.
TEST(FrontLogin, aFullLaneOfPasswordsIsToldAndStopsNothingElse)
{
    f().restart(2, 100, 0);
    Client stranger(f()), known(f());
    stranger.send(request("RPC_IN_DATA", door, 1000, basic("carol:secret")));
    STARTS("HTTP/1.0 503 RPC Error: 6bb\r\n", stranger.receive_all());
    CHECK_TRUE(has(log->text(), "reason=\"too many password checks wait\""));
    known.send(request("RPC_IN_DATA", "/rpc/rpcproxy.dll?other:6001", 1000, good));
    STARTS("HTTP/1.0 503 RPC Error: 6ba\r\n", known.receive_all());
}

// One login on many connections.
TEST(FrontLogin, equalLoginsInFlightAreAllAnswered)
{
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 8; ++i) {
        clients.push_back(std::make_unique<Client>(f()));
        clients.back()->send(request("RPC_IN_DATA", door, 0, basic("carol:secret")));
    }
    for (const auto& client : clients)
        CHECK_TRUE(client->receive(echo_end) == echo_reply);
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
