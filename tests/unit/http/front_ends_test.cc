#include "unit/net/ending_client.h"

#include "front_group.h"

// Every state of a connection, and every way in which its client can end in it. No time limit ends any of them within the
// time that the test waits.

TEST_GROUP_BASE(FrontEnds, FrontGroup)
{
    std::optional<net::TlsServerContext> context;

    void setup() override
    {
        FrontGroup::setup();
        context.emplace(server_context("localhost"));
        f().limits.linger = net::Millis(60'000);
        f().restart();
    }
    void teardown() override
    {
        context.reset();
        FrontGroup::teardown();
    }

    std::unique_ptr<EndingClient> arrive(bool tls)
    {
        sockaddr_in address{};
        socklen_t size = sizeof address;
        auto* const raw = reinterpret_cast<sockaddr*>(&address);
        ::getsockname(f().listener.get(), raw, &size);
        base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const int least = 4096;
        ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &least, sizeof least);
        LONGS_EQUAL(0, ::connect(fd.get(), raw, size));
        base::UniqueFd socket(::accept4(f().listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        const net::Address peer = net::Address::peer_of(socket.get());
        f().front->accept(std::move(socket), peer, tls ? &*context : nullptr);
        return std::make_unique<EndingClient>(std::move(fd), tls);
    }

    struct State {
        const char* name;
        std::string words;
        bool answered = false; ///< the client is to take an answer before the connection ends
        bool shaken = true;
        std::size_t hello = 0; ///< without it: so much percent of the ClientHello
    };
    void check(const State& state)
    {
        for (const bool tls : {false, true})
            for (const Ending end : all_ends) {
                const bool possible = state.shaken ? tls || end <= Ending::reset : tls && end <= Ending::reset;
                if (!possible)
                    continue;
                const std::string text = std::string(state.name) + (tls ? ", TLS, " : ", plain, ") + name_of(end);
                const auto client = arrive(tls);
                if (state.shaken)
                    CHECK_TRUE(f().wait([&] { return client->shake(); }));
                else
                    client->shake(state.hello);
                client->say(state.words);
                f().idle(20);
                LONGS_EQUAL_TEXT(1, f().front->connections(), text.c_str());
                client->end(end);
                if (state.answered && end != Ending::reset) {
                    f().idle(20);
                    LONGS_EQUAL_TEXT(1, f().front->connections(), text.c_str());
                }
                const bool gone = f().wait([&] {
                    if (end != Ending::reset && state.answered)
                        client->told_the_end();
                    return f().front->connections() + f().front->exchanges() == 0;
                });
                CHECK_TRUE_TEXT(gone, text.c_str());
                LONGS_EQUAL_TEXT(0, arrivals().size(), text.c_str());
            }
    }
};

TEST(FrontEnds, inAHandshake)
{
    check({"nothing", "", false, false, 0});
    check({"half of a ClientHello", "", false, false, 50});
    check({"a ClientHello", "", false, false, 100});
}

TEST(FrontEnds, inAHeadAndInABody)
{
    check({"nothing", ""});
    check({"half of a head", in_head.substr(0, 30)});
    check({"between two requests", echo_head});
    check({"half of the body of an echo", request("RPC_IN_DATA", door, 16) + "half"});
    check({"half of the body before a refusal", request("RPC_OUT_DATA", "/rpc/rpcproxy.dll?other:6001", 76) + "half"});
}

// The answer of a request that is complete is still wanted by a client that has said all.
TEST(FrontEnds, beforeTheAnswer)
{
    check({"judged by a worker", request("RPC_IN_DATA", "/rpc/rpcproxy.dll?other:6001", 1073741824, slow), true});
}

TEST(FrontEnds, whileTheAnswerIsNotTaken)
{
    const int least = 4096; // the accepted sockets have it from the listener
    ::setsockopt(f().listener.get(), SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
    std::string words;
    for (int i = 0; i < 200; ++i)
        words += echo_head;
    check({"replying", words, true});
}

TEST(FrontEnds, behindTheLastAnswer)
{
    check({"lingering", "bad\n"});
}
