#include "front_group.h"

#include <sys/resource.h>
#include <sys/socket.h>

using namespace std::chrono_literals;

TEST_GROUP_BASE(FrontLimits, FrontGroup)
{
    /// Sends the bytes of a head one by one, 7 s apart, until the front says something.
    int bytes_until_answer(Client& client)
    {
        int bytes = 0;
        do {
            client.send(in_head.substr(static_cast<std::size_t>(bytes++), 1));
            f().pass(7s);
        } while (client.silent(0) && bytes < 40);
        return bytes;
    }
};

TEST(FrontLimits, aByteNowAndThenDoesNotExtendTheHeadsTime)
{
    f().limits.head = 30s;
    f().restart();
    Client client(f());
    LONGS_EQUAL(5, bytes_until_answer(client));
    STARTS("HTTP/1.1 408 ", client.receive_all());
    LONGS_EQUAL(0, arrivals().size());
}

TEST(FrontLimits, secondHeadHasItsOwnTime)
{
    f().limits.head = 30s;
    f().restart();
    Client client(f());
    client.send(echo_head);
    CHECK_TRUE(client.receive(echo_end) == echo_reply);
    f().pass(50s); // idle is not slow
    LONGS_EQUAL(5, bytes_until_answer(client));
    STARTS("HTTP/1.1 408 ", client.receive_all());
}

TEST(FrontLimits, silentAndIdleConnectionsEnd)
{
    f().limits.head = 30s;
    f().limits.idle = 60s;
    f().restart();
    Client silent(f()), idle(f());
    idle.send(echo_head);
    CHECK_TRUE(idle.receive(echo_end) == echo_reply);
    f().pass(31s);
    STRCMP_EQUAL("", silent.receive_all().c_str());
    CHECK_TRUE(idle.silent(0));
    f().pass(31s);
    STRCMP_EQUAL("", idle.receive_all().c_str());
    CHECK_TRUE(all_gone());
}

TEST(FrontLimits, aClientThatDoesNotCloseIsClosed)
{
    f().limits.linger = 100s;
    f().restart();
    Client client(f());
    client.send("nonsense\n");
    STARTS("HTTP/1.1 400 ", client.receive_all());
    f().pass(90s);
    LONGS_EQUAL(1, f().front->connections());
    f().pass(11s);
    CHECK_TRUE(all_gone());
}

TEST(FrontLimits, overTheLimitClientsAreTurnedAway)
{
    f().limits.connections = 2;
    f().restart();
    Client first(f()), second(f()), third(f()), fourth(f());
    STARTS("HTTP/1.0 503 RPC Error: 6bb\r\n", third.receive_all());
    STARTS("HTTP/1.0 503 RPC Error: 6bb\r\n", fourth.receive_all());
    LONGS_EQUAL(1, log->count(" turned-away "));
    second.send(echo_head);
    CHECK_TRUE(second.receive(echo_end) == echo_reply);
}

TEST(FrontLimits, tunnelsCountTowardsTheLimit)
{
    f().limits.connections = 2;
    f().restart();
    f().reception.arrivals.resize(1);
    Client first(f()), second(f());
    STARTS("HTTP/1.0 503 RPC Error: 6bb\r\n", second.receive_all());
    first.send(echo_head);
    CHECK_TRUE(first.receive(echo_end) == echo_reply);
}

TEST(FrontLimits, whoIsTurnedAwayCanFinishHisRequest)
{
    f().limits.connections = 0;
    f().restart();
    Client client(f());
    client.send(in_head + "and more");
    STARTS("HTTP/1.0 503 RPC Error: 6bb\r\n", client.receive_all());
    client.send("and more");
    f().idle(10);
    client.send("and more");
    CHECK_FALSE(client.reset());
}

TEST(FrontLimits, clientsEndWhereDescriptorsRunShort)
{
    const int next = f().newest_descriptor();
    f().limits.descriptors = static_cast<std::size_t>(next) + 5;
    f().limits.descriptors_owed = 2;
    f().restart();
    // Each of the test's clients takes one too, and one that is waiting takes two more.
    Client first(f()), second(f());
    first.send(echo_head);
    CHECK_TRUE(first.receive(echo_end) == echo_reply);
    STARTS("HTTP/1.0 503 RPC Error: 6b9\r\n", second.receive_all());
    LONGS_EQUAL(1, log->count(" turned-away "));
    CHECK_TRUE(log->count("LimitNOFILE") > 0);
    first.close();
    second.close();
    CHECK_TRUE(all_gone());
    f().idle(20);
    Client third(f());
    third.send(echo_head);
    CHECK_TRUE(third.receive(echo_end) == echo_reply);
}

TEST(FrontLimits, theVeryLastDescriptor)
{
    int ends[2];
    LONGS_EQUAL(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends));
    const base::UniqueFd client(ends[0]);
    f().front->overflow(base::UniqueFd(ends[1]), false);
    char text[64] = {};
    CHECK_TRUE(::recv(client.get(), text, 27, 0) == 27);
    STRCMP_EQUAL("HTTP/1.0 503 RPC Error: 6b9", text);
}

TEST(FrontLimits, noDescriptorsForARequest)
{
    Client ours(f()), other(f());
    rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    rlimit none = before;
    none.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &none);
    ours.send(in_head);
    other.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const std::string reply = ours.receive_all(), plain = other.receive_all();
    setrlimit(RLIMIT_NOFILE, &before);
    STARTS("HTTP/1.0 503 RPC Error: 6b9\r\n", reply);
    STARTS("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n", plain);
    LONGS_EQUAL(2, log->count("reason=\"no room in the HTTP engine: Too many open files\""));
}

TEST(FrontLimits, clientsMayLeaveAtAnyPoint)
{
    const std::string late = request("RPC_IN_DATA", door, 1000, slow);
    const std::string legs = request("RPC_IN_DATA", door, 76, "") + "part of the body";
    const std::string refused = request("RPC_OUT_DATA", "/rpc/rpcproxy.dll?other:6001", 76) + "part";
    const std::string texts[] = {"", "RPC_IN", late, legs, refused, echo_head, "bad\n"};
    for (const std::string& text : texts)
        for (const bool abruptly : {false, true}) {
            Client client(f());
            client.send(text);
            f().idle(10);
            abruptly ? client.abort() : client.close();
            CHECK_TRUE_TEXT(all_gone(), text.c_str());
            // An end of stream is no departure: all of the request may have been sent. The tunnel will see.
            LONGS_EQUAL_TEXT(text == late && !abruptly ? 1 : 0, arrivals().size(), text.c_str());
            arrivals().clear();
        }
    f().end_lane(); // late answers find nobody
    LONGS_EQUAL(0, arrivals().size());
}

TEST(FrontLimits, endsWithRequestsInEveryState)
{
    Client silent(f()), part(f()), suspended(f()), body(f()), idle(f()), refused(f());
    part.send("RPC_IN");
    suspended.send(request("RPC_IN_DATA", door, 1000, slow));
    body.send(request("RPC_OUT_DATA", "/rpc/rpcproxy.dll?other:6001", 76));
    idle.send(echo_head);
    refused.send("bad\n");
    CHECK_TRUE(idle.receive(echo_end) == echo_reply);
    LONGS_EQUAL(6, f().front->connections());
    CHECK_TRUE(f().front->exchanges() >= 1); // suspended: the library would abort
    f().front.reset();
    STRCMP_EQUAL("", suspended.receive_all().c_str());
    f().end_lane();
}

TEST(FrontLimits, halfARequestDoesNotHoldADrainUp)
{
    const std::pair<std::string, const char*> rows[] = {
        {"GET / HTTP/1.1\r\nHo", "HTTP/1.1 408 "},
        {request("RPC_OUT_DATA", "/rpc/rpcproxy.dll?other:6001", 76, good), "HTTP/1.0 503 RPC Error: "}, // the body
    };
    for (const auto& [words, reply] : rows) {
        f().restart();
        Client half(f());
        half.send(words);
        f().idle(50);
        f().front->drain();
        f().pass(500ms); // the rest of it may be on its way
        CHECK_TRUE(half.silent(0));
        f().pass(1s);
        STARTS(reply, half.receive_all());
        half.close();
        CHECK_TRUE(all_gone());
    }
}

TEST(FrontLimits, drainingEndsTheIdleAndRefusesChannels)
{
    Client idle(f()), busy(f());
    idle.send(echo_head);
    CHECK_TRUE(idle.receive(echo_end) == echo_reply);
    busy.send(request("RPC_IN_DATA", door, 1000, slow));
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
