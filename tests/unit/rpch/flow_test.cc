#include "rpch/flow.h"

#include <CppUTest/TestHarness.h>

using rpch::ReceiveWindow;
using rpch::SendWindow;

TEST_GROUP(Flow) {};

// The worked example of MS-RPCH section 4.2, window 1000.
TEST(Flow, exampleOfTheSpecification)
{
    SendWindow window(1000);
    window.sent(250);
    LONGS_EQUAL(750, window.available());
    window.sent(500);
    CHECK(window.acknowledged(250, 850) == SendWindow::Ack::accepted);
    LONGS_EQUAL(350, window.available());
    CHECK(window.acknowledged(750, 550) == SendWindow::Ack::accepted);
    LONGS_EQUAL(550, window.available());
    CHECK(window.acknowledged(750, 1000) == SendWindow::Ack::accepted);
    LONGS_EQUAL(1000, window.available());
}

TEST(Flow, pduMustFitWholeButOneLargerThanTheWindowIsNotLockedOut)
{
    SendWindow window(8192);
    CHECK_TRUE(window.admits(8192));
    CHECK_TRUE(window.admits(16384)); // nothing is under way: it goes
    window.sent(100);
    CHECK_TRUE(window.admits(8092));
    CHECK_FALSE(window.admits(8093));
    CHECK_FALSE(window.admits(16384));
}

TEST(Flow, impossibleAcknowledgementsAreInvalidAndLaggingOnesCloseTheWindow)
{
    struct Row { std::uint32_t received, available; SendWindow::Ack expected; std::uint32_t left; };
    static constexpr Row rows[] = {
        {1001, 65536, SendWindow::Ack::invalid, 0},      // more than was sent
        {1000, 65537, SendWindow::Ack::invalid, 0},      // more room than announced
        {1000, 65536, SendWindow::Ack::accepted, 65536}, //
        {0, 1000, SendWindow::Ack::accepted, 0},         // just used up
        {0, 500, SendWindow::Ack::lagging, 0},           // 500 - 1000
        {900, 65536, SendWindow::Ack::accepted, 65436},  // FreeRDP: lags, always announces the full window
    };
    for (const Row& row : rows) {
        SendWindow window(65536);
        window.sent(1000);
        CHECK(window.acknowledged(row.received, row.available) == row.expected);
        if (row.expected != SendWindow::Ack::invalid)
            LONGS_EQUAL(row.left, window.available());
    }
}

TEST(Flow, countersWrapModulo32Bits)
{
    SendWindow window(65536);
    std::uint32_t sent = 0;
    for (std::uint64_t total = 0; total < (1ull << 32) + 200'000; total += 60'000) {
        window.sent(60'000);
        sent += 60'000;
        CHECK(window.acknowledged(sent, 65536) == SendWindow::Ack::accepted);
    }
    LONGS_EQUAL(65536, window.available());
}

TEST(Flow, receiverAcknowledgesBelowHalfAndNotBeforeTheBytesHaveLeft)
{
    ReceiveWindow window(65536);
    window.received(32768);
    window.consumed(32768);
    CHECK_FALSE(window.ack_due()); // exactly half is still open
    window.received(1);
    CHECK_TRUE(window.ack_due());
    window.consumed(1);
    window.acknowledge();
    LONGS_EQUAL(32769, window.bytes_received());
    LONGS_EQUAL(65536, window.available());
    CHECK_FALSE(window.ack_due());

    ReceiveWindow blocked(65536);
    blocked.received(40000);
    CHECK_FALSE(blocked.ack_due()); // nothing has left: nothing to say
    blocked.consumed(10000);
    CHECK_TRUE(blocked.ack_due());
    LONGS_EQUAL(35536, blocked.available());
}

// The sender of PDUs that need more than half of the window would wait for ever where an acknowledgement of a part
// has opened half of it.
TEST(Flow, receiverAcknowledgesAgainUntilAPduLikeTheLargestFits)
{
    struct Row { std::uint32_t window, pdu, first_part; bool again; };
    static constexpr Row rows[] = {
        {65536, 60000, 50000, true},
        {8192, 5840, 2000, true},
        {8192, 60000, 56000, true},  // larger than the window: goes when all of it is open
        {65536, 32768, 1, false},    // half of the window is enough for the next one
        {65536, 60000, 60000, false},
    };
    for (const Row& row : rows) {
        ReceiveWindow receiver(row.window);
        SendWindow sender(row.window);
        receiver.received(row.pdu);
        sender.sent(row.pdu);
        receiver.consumed(row.first_part);
        if (receiver.ack_due()) {
            receiver.acknowledge();
            CHECK(sender.acknowledged(receiver.bytes_received(), receiver.available()) == SendWindow::Ack::accepted);
        }
        receiver.consumed(row.pdu - row.first_part);
        CHECK_EQUAL(row.again, receiver.ack_due());
        if (row.again)
            CHECK(sender.acknowledged(receiver.bytes_received(), receiver.available()) == SendWindow::Ack::accepted);
        CHECK_TRUE(sender.admits(row.pdu));
    }
}

// Nothing is due after the first PDU, and the second one fits the window but not what is open of it: the sender may wait
// for a word, unless any PDU fits.
TEST(Flow, receiverKnowsWhereItsSenderMayWait)
{
    struct Row { std::uint32_t window, first, consumed, second; bool may_wait; };
    static constexpr Row rows[] = {
        {65536, 16, 16, 65535, true},
        {65536, 30000, 30000, 40000, true},
        {65536, 1, 1, 65535, false},       // 65,535 is the largest frag_length, and fits
        {65536, 16, 0, 65535, false},      // nothing has left: there is nothing to say
        {8192, 16, 16, 8192, true},
        {8192, 16, 16, 20000, true},       // larger than the window: goes when all of it is open
        {262144, 100000, 100000, 65535, false},
    };
    for (const Row& row : rows) {
        ReceiveWindow receiver(row.window);
        SendWindow sender(row.window);
        receiver.received(row.first);
        sender.sent(row.first);
        receiver.consumed(row.consumed);
        CHECK_FALSE(receiver.ack_due());
        CHECK_EQUAL(row.may_wait, receiver.sender_may_wait());
        if (!row.may_wait)
            continue;
        CHECK_FALSE(sender.admits(row.second));
        receiver.acknowledge();
        CHECK(sender.acknowledged(receiver.bytes_received(), receiver.available()) == SendWindow::Ack::accepted);
        CHECK_TRUE(sender.admits(row.second));
        CHECK_FALSE(receiver.sender_may_wait());
    }
}

TEST(Flow, aLiftedWindowAdmitsEverything)
{
    SendWindow window(8192);
    window.sent(8192);
    CHECK_FALSE(window.admits(20));
    window.lift();
    CHECK_TRUE(window.admits(65535));
}

// While an IN channel is recycled, acknowledgements travel on two connections: an older one changes nothing.
TEST(Flow, anAcknowledgementThatWasOvertakenChangesNothing)
{
    struct Row { std::uint32_t received, available, left; };
    static constexpr Row rows[] = {
        {3000, 8192, 7192}, // of 4000
        {2000, 8192, 7192}, // older
        {2999, 100, 7192},
        {3000, 5000, 7192}, // as old, and less
        {3000, 8192, 7192},
        {3500, 6000, 5500}, // newer, and less
        {3500, 8192, 7692},
    };
    SendWindow window(8192);
    window.sent(4000);
    for (const Row& row : rows) {
        CHECK(window.acknowledged(row.received, row.available) == SendWindow::Ack::accepted);
        LONGS_EQUAL(row.left, window.available());
    }
}
