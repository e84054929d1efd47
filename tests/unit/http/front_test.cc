#include "front_fixture.h"

#include "../net/test_certificate.h"

#include <fcntl.h>

#include <optional>
#include <string>

#include <CppUTest/TestHarness.h>
#include <CppUTest/MemoryLeakWarningPlugin.h>

namespace {

const std::string ok = "Authorization: Test good\r\n";

std::string request(const std::string& method, const std::string& target, std::uint64_t length,
                    const std::string& fields = ok, const char* version = "1.1")
{
    return method + ' ' + target + " HTTP/" + version + "\r\nHost: localhost\r\nContent-Length: " + std::to_string(length) +
           "\r\n" + fields + "\r\n";
}

const std::string door = "/rpc/rpcproxy.dll?srv:6001";
const std::string in_head = request("RPC_IN_DATA", door, 1073741824);
const std::string out_head = request("RPC_OUT_DATA", door, 76);
const std::string echo_head = request("RPC_IN_DATA", door, 0);

const std::string echo_reply = std::string("HTTP/1.1 200 Success\r\nContent-Type: application/rpc\r\nContent-Length: 20\r\n"
                                           "Connection: Keep-Alive\r\n\r\n") +
                               std::string("\5\0\x14\3\x10\0\0\0\x14\0\0\0\0\0\0\0\x40\0\0\0", 20);
const std::string echo_end("\x40\0\0\0", 4);

#define STARTS(expected, actual)                                                                                       \
    do {                                                                                                               \
        const std::string starts_text = (actual);                                                                      \
        STRCMP_EQUAL(std::string(expected).c_str(), starts_text.substr(0, std::string(expected).size()).c_str());      \
    } while (0)

bool has(const std::string& text, std::string_view words)
{
    return text.find(words) != std::string::npos;
}

} // namespace

TEST_GROUP(Front)
{
    std::optional<LogCapture> log;
    std::optional<FrontFixture> fixture;

    void setup() override
    {
        MemoryLeakWarningPlugin::turnOnThreadSafeNewDeleteOverloads();
        log.emplace();
        fixture.emplace();
    }
    void teardown() override
    {
        fixture.reset();
        log.reset();
    }
    FrontFixture& f() { return *fixture; }
    std::vector<tunnel::Arrival>& arrivals() { return f().reception.arrivals; }
    bool arrived() { return f().wait([&] { return !arrivals().empty(); }); }
    bool all_gone() { return f().wait([&] { return f().front->connections() == 0 && f().front->exchanges() == 0; }); }
};

// --- Echo, MS-RPCH section 2.1.2.1.5 ----------------------------------------

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

TEST(Front, echoReadsItsBodyWhenItComes)
{
    Client client(f());
    client.send(request("RPC_IN_DATA", door, 4));
    CHECK_TRUE(client.silent());
    client.send("\xf8\xe8");
    CHECK_TRUE(client.silent());
    client.send("\x18\x08" + request("RPC_OUT_DATA", door, 16) + std::string(16, 'x'));
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
    kept.send(request("RPC_IN_DATA", door, 0, ok + "Connection: keep-alive\r\n", "1.0"));
    CHECK_TRUE(kept.receive(echo_end) == echo_reply);
    CHECK_TRUE(kept.silent());
    closed.send(request("RPC_IN_DATA", door, 0, ok, "1.0"));
    CHECK_TRUE(has(closed.receive_all(), "Connection: close"));
}

// --- Authentication ---------------------------------------------------------

TEST(Front, threeLegsOnOneConnection)
{
    for (const char* version : {"1.0", "1.1"})
        for (const int length : {0, 4, 76}) {
            Client client(f());
            const std::string keep = "Connection: keep-alive\r\n";
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
            client.send(request("RPC_OUT_DATA", door, 76, keep + ok, version) + std::string(76, 'a'));
            CHECK_TRUE(arrived());
            LONGS_EQUAL(76, arrivals().back().early.size());
            arrivals().clear();
        }
}

TEST(Front, aLoggedInConnectionNeedsNoHeader)
{
    Client client(f());
    client.send(echo_head);
    CHECK_TRUE(client.receive(echo_end) == echo_reply);
    client.send(request("RPC_OUT_DATA", door, 76, ""));
    CHECK_TRUE(arrived());
    STRCMP_EQUAL("alice", arrivals()[0].principal.c_str());
}

TEST(Front, challengeToALargeBodyClosesWithoutReadingIt)
{
    Client client(f());
    client.send(request("RPC_IN_DATA", door, 1073741824, "") + std::string(300000, 'x'));
    const std::string reply = client.receive_all();
    STARTS("HTTP/1.1 401 ", reply);
    CHECK_TRUE(has(reply, "Connection: close"));
    CHECK_FALSE(client.reset());
    LONGS_EQUAL(0, log->count(" refused ")); // asking for credentials is no refusal
}

TEST(Front, wrongCredentialsLookLikeNoneAndAreLogged)
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

TEST(Front, withoutAnySchemeItIsForbidden)
{
    f().access.schemes.clear();
    Client client(f());
    client.send(echo_head);
    STARTS("HTTP/1.1 403 ", client.receive());
}

TEST(Front, expectationWithoutBodyGetsContinueThenChallenge)
{
    Client client(f());
    client.send(request("RPC_IN_DATA", door, 0, "Expect: 100-continue\r\nAuthorization: Test one\r\n"));
    const std::string reply = client.receive("dHdv\r\n");
    CHECK_TRUE(has(reply, "HTTP/1.1 401 "));
    CHECK_FALSE(has(reply, "close"));
    client.send(echo_head);
    CHECK_TRUE(has(client.receive(echo_end), echo_reply));
}

TEST(Front, expectationOfTheUnknownGetsTheChallengeInsteadOfContinue)
{
    Client client(f());
    client.send(request("RPC_OUT_DATA", door, 76, "Expect: 100-continue\r\n"));
    const std::string reply = client.receive_all();
    STARTS("HTTP/1.1 401 ", reply);
    CHECK_TRUE(has(reply, "Connection: close"));
}

TEST(Front, aBusyAuthenticatorIsTold)
{
    Client client(f());
    client.send(request("RPC_IN_DATA", door, 1000, "Authorization: Test busy\r\n"));
    STARTS("HTTP/1.0 503 RPC Error: 6bb\r\n", client.receive_all());
}

TEST(Front, fullWorkersAreTold)
{
    f().restart(1, 1);
    Client first(f()), second(f()), third(f());
    const std::string slow = request("RPC_IN_DATA", door, 0, "Authorization: Test slow\r\n");
    first.send(slow);
    f().idle(20);
    second.send(slow);
    f().idle(20);
    third.send(slow);
    STARTS("HTTP/1.0 503 RPC Error: 6bb\r\n", third.receive_all());
    CHECK_TRUE(first.receive(echo_end) == echo_reply);
    CHECK_TRUE(second.receive(echo_end) == echo_reply);
}

// --- Ordinary HTTP ----------------------------------------------------------

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
        {request("RPC_IN_DATA", door, 4, ok + "Content-Length: 5\r\n"), "HTTP/1.1 400 "},
        {request("RPC_IN_DATA", door, 4, ok + "Transfer-Encoding: chunked\r\n"), "HTTP/1.1 400 "},
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
    client.send(echo_head + request("GET", "/", 3) + "abc" + echo_head + request("RPC_IN_DATA", door, 0, "Connection: close\r\n") +
                echo_head);
    const std::string replies = client.receive_all();
    const auto missing = replies.find("HTTP/1.1 404");
    LONGS_EQUAL(echo_reply.size(), missing);
    CHECK_TRUE(has(replies.substr(missing), echo_reply + echo_reply.substr(0, 8)));
    CHECK_TRUE(has(replies, "Connection: close"));
    LONGS_EQUAL_TEXT(std::string::npos, replies.find("HTTP/", replies.rfind("close")), "nothing after the close");
}

// --- Targets ----------------------------------------------------------------

TEST(Front, inRefusalComesBeforeContinueAndWithoutReset)
{
    Client client(f());
    client.send(request("RPC_IN_DATA", "/rpc/rpcproxy.dll?other:6001", 1073741824, ok + "Expect: 100-continue\r\n") +
                std::string(200000, 'x'));
    STRCMP_EQUAL("HTTP/1.0 503 RPC Error: 6ba\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                 client.receive_all().c_str());
    CHECK_FALSE(client.reset());
    CHECK_TRUE(has(log->text(), "user=alice status=503 rpc_error=6ba"));
    CHECK_TRUE(has(log->text(), "rule="));
}

TEST(Front, outRefusalComesAfterTheFirstPdu)
{
    Client client(f());
    client.send(request("RPC_OUT_DATA", "/rpc/rpcproxy.dll?other:6001", 76, ok + "Expect: 100-continue\r\n"));
    STRCMP_EQUAL("HTTP/1.1 100 Continue\r\n\r\n", client.receive().c_str());
    client.send(std::string(75, 'a'));
    CHECK_TRUE(client.silent());
    client.send("a");
    STARTS("HTTP/1.0 503 RPC Error: 6ba\r\n", client.receive_all());
}

TEST(Front, outRefusalDoesNotWaitForEver)
{
    f().limits.head = net::Millis(100);
    f().restart();
    Client client(f());
    client.send(request("RPC_OUT_DATA", "/rpc/rpcproxy.dll?other:6001", 76));
    STARTS("HTTP/1.0 503 RPC Error: 6ba\r\n", client.receive_all());
}

TEST(Front, malformedTargetsHaveTheirCodes)
{
    const struct {
        const char* target;
        const char* code;
    } rows[] = {
        {"srv", "6aa"},       {"srv:", "6aa"},        {"srv:0", "6aa"},       {"srv:06001", "6aa"}, {"srv:6001x", "6aa"},
        {"srv:70000", "6aa"}, {":6001", "6ab"},       {"a@b@c:6001", "6ab"},  {"s%20v:6001", "6ab"}, {"s/v:6001", "6ab"},
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

TEST(Front, unknownMailboxIsNotFound)
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

TEST(Front, anOutRequestOfUnlikelyLengthIsRefused)
{
    Client fits(f()), large(f());
    large.send(request("RPC_OUT_DATA", door, 65537));
    STARTS("HTTP/1.1 413 ", large.receive_all());
    fits.send(request("RPC_OUT_DATA", door, 65536));
    CHECK_TRUE(arrived());
}

// --- Taking over ------------------------------------------------------------

TEST(Front, theTunnelGetsTheStreamWithExactlyTheEarlyBytes)
{
    Client client(f());
    const std::string early("\5\0\x14\3 the first PDU\r\n\r\n", 22);
    client.send(request("RPC_IN_DATA", door, 1073741824, ok + "Expect: 100-continue\r\nPragma: No-cache\r\nPragma: MinConnTimeout=200\r\n") + early);
    CHECK_TRUE(arrived());
    tunnel::Arrival& arrival = arrivals()[0];
    CHECK(arrival.method == tunnel::Method::in_data);
    CHECK_TRUE(std::string(arrival.early.begin(), arrival.early.end()) == early);
    STRCMP_EQUAL("srv:6001", arrival.target.c_str());
    STRCMP_EQUAL("srv", arrival.route.host.c_str());
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

TEST(Front, aSecondRequestOnTheConnectionCanBeTheChannel)
{
    Client client(f());
    client.send(echo_head + request("RPC_OUT_DATA", door, 76, "", "1.1") + std::string(76, 'a'));
    CHECK_TRUE(client.receive(echo_end) == echo_reply);
    CHECK_TRUE(arrived());
    CHECK(arrivals()[0].method == tunnel::Method::out_data);
    LONGS_EQUAL(76, arrivals()[0].early.size());
}

TEST(Front, headInSingleBytesIsTheSame)
{
    Client client(f());
    for (const char byte : in_head + "early") {
        client.send({&byte, 1});
        f().loop.run_once(net::Millis(0));
    }
    CHECK_TRUE(arrived());
    LONGS_EQUAL(1073741824, arrivals()[0].content_length);
}

// --- Time and room ----------------------------------------------------------

TEST(Front, aByteNowAndThenDoesNotExtendTheHeadsTime)
{
    f().limits.head = net::Millis(150);
    f().restart();
    Client client(f());
    for (const char byte : in_head.substr(0, 20)) {
        client.send({&byte, 1});
        f().idle(20);
    }
    STARTS("HTTP/1.1 408 ", client.receive_all());
    LONGS_EQUAL(0, arrivals().size());
}

TEST(Front, secondHeadHasItsOwnTime)
{
    f().limits.head = net::Millis(150);
    f().limits.idle = net::Millis(60000);
    f().restart();
    Client client(f());
    client.send(echo_head);
    CHECK_TRUE(client.receive(echo_end) == echo_reply);
    f().idle(250); // idle is not slow
    for (const char byte : in_head.substr(0, 20)) {
        client.send({&byte, 1});
        f().idle(20);
    }
    STARTS("HTTP/1.1 408 ", client.receive_all());
}

TEST(Front, silentAndIdleConnectionsEnd)
{
    f().limits.head = net::Millis(50);
    f().limits.idle = net::Millis(50);
    f().restart();
    Client silent(f()), idle(f());
    idle.send(echo_head);
    CHECK_TRUE(idle.receive(echo_end) == echo_reply);
    STRCMP_EQUAL("", silent.receive_all().c_str());
    STRCMP_EQUAL("", idle.receive_all().c_str());
    CHECK_TRUE(all_gone());
}

TEST(Front, aClientThatDoesNotCloseIsClosed)
{
    f().limits.linger = net::Millis(100);
    f().restart();
    Client client(f());
    client.send("nonsense\n");
    STARTS("HTTP/1.1 400 ", client.receive_all());
    LONGS_EQUAL(1, f().front->connections());
    CHECK_TRUE(all_gone());
}

TEST(Front, overTheLimitClientsAreTurnedAway)
{
    f().limits.connections = 2;
    f().restart();
    Client first(f()), second(f()), third(f()), fourth(f());
    STARTS("HTTP/1.0 503 RPC Error: 6bb\r\n", third.receive_all());
    STARTS("HTTP/1.0 503 RPC Error: 6bb\r\n", fourth.receive_all());
    LONGS_EQUAL(1, log->count(" turned_away "));
    second.send(echo_head);
    CHECK_TRUE(second.receive(echo_end) == echo_reply);
}

// --- Ends -------------------------------------------------------------------

TEST(Front, clientsMayLeaveAtAnyPoint)
{
    const std::string slow = request("RPC_IN_DATA", door, 1000, "Authorization: Test slow\r\n");
    const std::string legs = request("RPC_IN_DATA", door, 76, "") + "part of the body";
    const std::string refused = request("RPC_OUT_DATA", "/rpc/rpcproxy.dll?other:6001", 76) + "part";
    for (const std::string& text : {std::string(), std::string("RPC_IN"), slow, legs, refused, echo_head, std::string("bad\n")})
        for (const bool abruptly : {false, true}) {
            Client client(f());
            client.send(text);
            f().idle(10);
            abruptly ? client.abort() : client.close();
            CHECK_TRUE_TEXT(all_gone(), text.c_str());
            // An end of stream is no departure: all of the request may have been sent. The tunnel will see.
            LONGS_EQUAL_TEXT(text == slow && !abruptly ? 1 : 0, arrivals().size(), text.c_str());
            arrivals().clear();
        }
    f().idle(250); // the workers' late answers find nobody
    LONGS_EQUAL(0, arrivals().size());
}

TEST(Front, endsWithRequestsInEveryState)
{
    Client silent(f()), part(f()), suspended(f()), body(f()), idle(f()), refused(f());
    part.send("RPC_IN");
    suspended.send(request("RPC_IN_DATA", door, 1000, "Authorization: Test slow\r\n"));
    body.send(request("RPC_IN_DATA", door, 76, ""));
    idle.send(echo_head);
    refused.send("bad\n");
    CHECK_TRUE(idle.receive(echo_end) == echo_reply);
    LONGS_EQUAL(6, f().front->connections());
    CHECK_TRUE(f().front->exchanges() >= 2); // one suspended, one waiting for its body: the library would abort
    f().front.reset();
    STRCMP_EQUAL("", suspended.receive_all().c_str());
    f().idle(150);
}

TEST(Front, drainingEndsTheIdleAndRefusesChannels)
{
    Client idle(f()), busy(f());
    idle.send(echo_head);
    CHECK_TRUE(idle.receive(echo_end) == echo_reply);
    busy.send(request("RPC_IN_DATA", door, 1000, "Authorization: Test slow\r\n"));
    f().idle(20);
    f().front->drain();
    STRCMP_EQUAL("", idle.receive_all().c_str());
    STARTS("HTTP/1.0 503 RPC Error: 6bb\r\n", busy.receive_all());
    Client late(f());
    STARTS("HTTP/1.0 503 RPC Error: 6bb\r\n", late.receive_all());
    LONGS_EQUAL(0, arrivals().size());
    busy.close();
    CHECK_TRUE(all_gone());
}

// --- TLS --------------------------------------------------------------------

TEST_GROUP(FrontTls)
{
    std::optional<LogCapture> log;
    std::optional<FrontFixture> fixture;
    std::optional<net::TlsServerContext> server;

    void setup() override
    {
        MemoryLeakWarningPlugin::turnOnThreadSafeNewDeleteOverloads();
        log.emplace();
        fixture.emplace();
        const TestCertificate certificate({"localhost"});
        const TestFile chain(certificate.certificate), key(certificate.key);
        server.emplace(std::vector<net::TlsServerContext::Pair>{{chain.path(), key.path()}});
    }
    void teardown() override
    {
        fixture.reset();
        server.reset();
        log.reset();
    }
    FrontFixture& f() { return *fixture; }
};

TEST(FrontTls, aStalledHandshakeEnds)
{
    f().limits.handshake = net::Millis(100);
    f().restart();
    Client client(f(), &*server);
    client.send("\x16");
    STRCMP_EQUAL("", client.receive_all().c_str());
    LONGS_EQUAL(1, log->count("handshake took too long"));
}

TEST(FrontTls, plainHttpOnATlsPortEnds)
{
    Client client(f(), &*server);
    client.send(echo_head);
    client.receive_all();
    LONGS_EQUAL(1, log->count(" closed "));
    LONGS_EQUAL(0, f().front->connections());
}

TEST(FrontTls, echoAndChannelThroughTls)
{
    const net::TlsClientContext context({.verify = false, .ca_file = {}, .priority = {}});
    Client client(f(), &*server);
    ::fcntl(client.fd(), F_SETFL, O_NONBLOCK);
    const auto session = context.connect(client.fd(), "localhost");
    CHECK_TRUE(f().wait([&] { return session->handshake().kind == net::Handshake::Kind::done; }));

    const auto send = [&](const std::string& text) {
        session->write({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    };
    send(echo_head);
    std::uint8_t buffer[1000];
    net::IoResult got;
    CHECK_TRUE(f().wait([&] { return (got = session->read(buffer)).ok(); }));
    CHECK_TRUE(std::string(buffer, buffer + got.size) == echo_reply);

    send(out_head + std::string(76, 'a'));
    CHECK_TRUE(f().wait([&] { return !f().reception.arrivals.empty(); }));
    CHECK_TRUE(f().reception.arrivals[0].stream.tls());
    LONGS_EQUAL(76, f().reception.arrivals[0].early.size());

    send(request("x", "y", 0)); // behind the request: the tunnel's to judge
    CHECK_TRUE(f().wait([&] { return f().reception.arrivals[0].stream.read(buffer).ok(); }));
}
