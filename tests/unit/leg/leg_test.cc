#include "leg/leg.h"

#include "unit/net/ending_client.h"
#include "unit/net/test_certificate.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "unit/tunnel/hub_fixture.h"

using net::Millis;
using leg::Leg;

namespace {

/// Notes what comes, and lets the test say what may.
struct Owner final : Leg::Owner {
    std::optional<Leg> leg;
    std::size_t allowance = 0, received = 0;
    Millis patience{5000}, patience_when_broken{0};
    std::string closed;

    std::size_t leg_allowance() override { return allowance; }
    void leg_rpc(const rpch::Framer::Piece& piece) override
    {
        received += piece.bytes.size();
        allowance -= piece.bytes.size();
    }
    void leg_rts(const rpch::Rts&) override {}
    void leg_delivered() override {}
    void leg_writable() override {}
    void leg_closed(const std::string& reason) override { closed = reason; }
    Millis leg_patience(bool broken) override { return broken ? patience_when_broken : patience; }
    bool admits(std::uint32_t) const override { return true; }
    void sent(std::uint32_t) override {}
};

} // namespace

TEST_GROUP(Leg) {
    net::Loop loop;
    Owner owner;
    std::optional<EndingClient> peer;

    void start(std::size_t allowance)
    {
        auto [theirs, ours] = socket_pair(true);
        owner.leg.reset();
        owner.allowance = allowance;
        owner.received = 0;
        owner.closed.clear();
        peer.emplace(std::move(theirs), false);
        owner.leg.emplace(loop, net::Stream(std::move(ours)), owner);
        CHECK_TRUE(owner.leg->start({}));
    }
    void settle(int rounds = 5)
    {
        for (int i = 0; i < rounds; ++i)
            loop.run_once(Millis(1));
    }
    void until_closed()
    {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(3);
        while (owner.closed.empty() && std::chrono::steady_clock::now() < end)
            loop.run_once(Millis(5));
    }
};

// With a window that is open, with one that is closed while nothing is unread, and with one that is closed in front of
// something; and what the owner makes of it.
TEST(Leg, theEndIsSeenWhateverMayBeRead)
{
    const struct {
        const char* what;
        std::size_t allowance;
        const char* words;
        Millis patience, when_broken;
        Ending end;
        const char* reason; // null: still there
    } rows[] = {
        {"open, FIN", 1000, "", Millis(5000), Millis(0), Ending::fin, "closed by the peer"},
        {"open, RST", 1000, "", Millis(5000), Millis(0), Ending::reset, "Connection reset by peer"},
        {"closed, FIN, waited for", 0, "", Millis(5000), Millis(0), Ending::fin, nullptr},
        {"closed, FIN, waited for in vain", 0, "", Millis(20), Millis(0), Ending::fin,
         "closed by the peer; what it had sent before could not be passed on in time"},
        {"closed, FIN, not wanted", 0, "", Millis(0), Millis(0), Ending::fin, "closed by the peer"},
        {"closed, RST", 0, "", Millis(5000), Millis(0), Ending::reset, "connection reset by the peer"},
        {"closed, RST, what came before is wanted", 0, "", Millis(5000), Millis(5000), Ending::reset, nullptr},
        {"closed before words, FIN", 0, "words", Millis(5000), Millis(0), Ending::fin, nullptr},
        {"closed before words, FIN, in vain", 0, "words", Millis(20), Millis(0), Ending::fin,
         "closed by the peer; what it had sent before could not be passed on in time"},
        {"closed before words, RST", 0, "words", Millis(5000), Millis(0), Ending::reset, "connection reset by the peer"},
        {"closed before words, RST, wanted in vain", 0, "words", Millis(5000), Millis(20), Ending::reset,
         "closed by the peer; what it had sent before could not be passed on in time"},
    };
    for (const auto& row : rows) {
        start(row.allowance);
        owner.patience = row.patience;
        owner.patience_when_broken = row.when_broken;
        peer->say(row.words);
        settle();
        CHECK_TRUE_TEXT(owner.closed.empty(), row.what);
        peer->end(row.end);
        if (row.reason)
            until_closed();
        else
            settle();
        STRCMP_EQUAL_TEXT(row.reason ? row.reason : "", owner.closed.c_str(), row.what);
        CHECK_EQUAL_TEXT(row.reason != nullptr, owner.leg->gone(), row.what);
        LONGS_EQUAL_TEXT(0, owner.received, row.what);
    }
}

TEST(Leg, whatWasSentBeforeTheEndIsReadWhileItMoves)
{
    start(0);
    owner.patience = Millis(500);
    const std::string all = rpc_pdu(3000);
    peer->say(all);
    peer->end(Ending::fin);
    settle();
    for (std::size_t got = 0; got < all.size(); got += 500) {
        LONGS_EQUAL(got, owner.received);
        const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
        while (std::chrono::steady_clock::now() < end)
            loop.run_once(Millis(5));
        STRCMP_EQUAL("", owner.closed.c_str());
        owner.allowance = 500;
        owner.leg->resume();
        settle();
    }
    LONGS_EQUAL(all.size(), owner.received);
    owner.allowance = 1;
    owner.leg->resume();
    settle();
    STRCMP_EQUAL("closed by the peer", owner.closed.c_str());
}

TEST(Leg, whatIsNoPduIsRefusedHoweverShortItIs)
{
    const std::string text = "550 no!\r\n";
    for (const std::string& before : {std::string(), rpc_pdu(40)})
        for (std::size_t size = 1; size <= text.size(); ++size) {
            start(1000);
            peer->say(before);
            settle();
            peer->say(text.substr(0, size));
            until_closed();
            STRCMP_EQUAL("no PDU stream: RPC version is not 5", owner.closed.c_str());
            CHECK_FALSE(owner.leg->gone());
        }
}
