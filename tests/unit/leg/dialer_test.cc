#include "unit/tunnel/pairing_fixture.h"

#include "leg/dialer.h"

TEST_GROUP_BASE(Dialer, PairingGroup)
{
    std::unique_ptr<leg::Dialer> dialer;
    std::unique_ptr<leg::Dialer::Outcome> outcome;

    void setup() override
    {
        PairingGroup::setup();
        start();
    }
    void teardown() override
    {
        dialer.reset();
        outcome.reset();
        PairingGroup::teardown();
    }
    void on_dialed(leg::Dialer::Outcome result)
    {
        CHECK_FALSE(outcome);
        outcome = std::make_unique<leg::Dialer::Outcome>(std::move(result));
    }
    directory::Route route(std::uint16_t to, directory::Transport transport = directory::Transport::ncacn_ip_tcp)
    {
        return {transport, "127.0.0.1", to, "EX0"};
    }
    void dial(const directory::Route& to, const std::string& target)
    {
        outcome.reset();
        dialer = std::make_unique<leg::Dialer>(hub->environment());
        dialer->start(to, target, net::Millis(2000), leg::Dialer::Callback::of<&TEST_GROUP_CppUTestGroupDialer::on_dialed>(this));
        CHECK_FALSE(outcome);
    }
    void wait() { until([&] { return outcome != nullptr; }); }
};

TEST(Dialer, whoIsThereIsReachedAtOnce)
{
    dial(route(port), "ex1:6004");
    wait();
    CHECK_TRUE(static_cast<bool>(outcome->fd));
    CHECK_FALSE(outcome->elsewhere);
    CHECK(outcome->route == route(port));
    STRCMP_EQUAL("", outcome->failure.reason.c_str());
    accept();
}

// The directory is asked once more, and what it says is tried once. The reason tells the whole story.
TEST(Dialer, whoIsNotThereIsLookedUpAgain)
{
    struct Row { const char* target; directory::Transport transport; bool reached; const char* reason; };
    static constexpr auto tcp = directory::Transport::ncacn_ip_tcp, http = directory::Transport::ncacn_http;
    static constexpr Row rows[] = {
        {"ex1:6001", tcp, true, ""},
        {"ex1:6004", tcp, false, "127.0.0.1:2: Connection refused; then 127.0.0.1:1: Connection refused"},
        {"ex1:6002", tcp, false, "127.0.0.1:2: Connection refused; and now: ex1 is server EX1"}, // another kind of server
        {"ex1:6002", http, true, ""},
        {"ex1:6001", http, false, "127.0.0.1:2: Connection refused; and now: ex1 is server EX1"},
        {"ex2:6001", tcp, false, "127.0.0.1:2: Connection refused; and now: no ValidPorts entry allows ex2:6001"},
    };
    for (const Row& row : rows) {
        dial(route(2, row.transport), row.target);
        wait();
        CHECK_EQUAL_TEXT(row.reached, static_cast<bool>(outcome->fd), row.target);
        CHECK_EQUAL_TEXT(row.reached, outcome->elsewhere, row.target);
        STRCMP_EQUAL(row.reason, outcome->failure.reason.c_str());
        LONGS_EQUAL(leg::rpc_code::server_unavailable, outcome->failure.rpc_error);
        if (row.reached) {
            STRCMP_EQUAL("EX1", outcome->route.server.c_str());
            LONGS_EQUAL(port, outcome->route.port);
            accept();
        }
    }
}

// What runs out here says nothing about the server.
TEST(Dialer, whatRunsOutHereIsFinal)
{
    using Cause = net::ConnectResult::Cause;
    struct Row { Cause cause; std::uint32_t code; };
    static constexpr Row rows[] = {
        {Cause::ok, leg::rpc_code::server_unavailable},        {Cause::not_resolved, leg::rpc_code::server_unavailable},
        {Cause::refused, leg::rpc_code::server_unavailable},   {Cause::timed_out, leg::rpc_code::server_unavailable},
        {Cause::unreachable, leg::rpc_code::server_unavailable}, {Cause::exhausted, leg::rpc_code::out_of_resources},
        {Cause::too_busy, leg::rpc_code::server_too_busy},
    };
    for (const Row& row : rows)
        LONGS_EQUAL(row.code, leg::rpc_error_of(row.cause));
}

// Nobody is called after the end, wherever the question is.
TEST(Dialer, isCancelled)
{
    for (const int rounds : {0, 1, 2, 3, 10}) {
        dial(route(2), "ex1:6001");
        for (int i = 0; i < rounds && !outcome; ++i)
            loop->run_once(net::Millis(0));
        dialer.reset();
        const bool before = outcome != nullptr;
        settle();
        CHECK_EQUAL(before, outcome != nullptr);
    }
}
