#include "base/fifo.h"

#include <string>

#include <CppUTest/TestHarness.h>

TEST_GROUP(Fifo) {
    base::Fifo fifo;
    void push(const std::string& text) { fifo.push({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}); }
    std::string waiting() const { return {reinterpret_cast<const char*>(fifo.front().data()), fifo.size()}; }
};

TEST(Fifo, keepsOrderAcrossGrowthAndWrap)
{
    std::string expected;
    for (int i = 0; i < 2000; ++i) {
        const std::string piece = std::to_string(i) + ',';
        push(piece);
        expected += piece;
        if (i % 3 == 2) {
            fifo.pop(4);
            expected.erase(0, 4);
        }
    }
    CHECK(expected == waiting());
}

TEST(Fifo, emptyAgainHoldsNoMemory)
{
    push("abc");
    fifo.pop(2);
    STRCMP_EQUAL("c", waiting().c_str());
    fifo.pop(1);
    CHECK_TRUE(fifo.empty());
    POINTERS_EQUAL(nullptr, fifo.front().data());
}

TEST(Fifo, whatIsMovedAwayIsGone)
{
    const std::uint8_t bytes[] = {1, 2, 3, 4};
    base::Fifo first;
    first.push(bytes);
    first.pop(1);
    base::Fifo second = std::move(first);
    CHECK_TRUE(first.empty());
    LONGS_EQUAL(3, second.size());
    first.push(bytes);
    first = std::move(second);
    CHECK_TRUE(second.empty());
    LONGS_EQUAL(3, first.size());
    LONGS_EQUAL(2, first.front()[0]);
}
