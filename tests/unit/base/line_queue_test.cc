#include "base/line_queue.h"

#include <CppUTest/TestHarness.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

using base::LineQueue;
using base::log::Level;

TEST_GROUP(LineQueue)
{
    std::unique_ptr<LineQueue> queue = std::make_unique<LineQueue>();

    bool put(Level level, const std::string& text) { return queue->put({level, nullptr, 7, text}); }
    std::string take()
    {
        LineQueue::Head head;
        CHECK(queue->front(head));
        std::string text(head.size, '\0');
        queue->take(head, text.data());
        return text;
    }
    /// Lines of this size and level until one is refused; how many bytes are used then.
    std::size_t fill(Level level, std::size_t size)
    {
        while (put(level, std::string(size, 'x'))) {
        }
        return queue->used();
    }
    std::uint64_t dropped(Level level)
    {
        base::LineCounts counts{};
        queue->add_dropped(counts);
        return counts[static_cast<std::size_t>(level)];
    }
};

TEST(LineQueue, firstInFirstOut)
{
    CHECK(queue->empty());
    for (const char* text : {"one", "", "three"})
        CHECK(put(Level::notice, text));
    CHECK_FALSE(queue->empty());
    for (const char* text : {"one", "", "three"})
        STRCMP_EQUAL(text, take().c_str());
    CHECK(queue->empty());
    LineQueue::Head head;
    CHECK_FALSE(queue->front(head));
}

TEST(LineQueue, theHeadIsThatOfTheLine)
{
    put(Level::warning, "four");
    LineQueue::Head head;
    CHECK(queue->front(head));
    CHECK(head.level == Level::warning);
    LONGS_EQUAL(7, head.time);
    LONGS_EQUAL(4, head.size);
}

TEST(LineQueue, linesGoRoundTheEndOfTheMemory)
{
    for (std::size_t i = 0; i < 1000; ++i) {
        const std::string text(i * 37 % LineQueue::longest, static_cast<char>('a' + i % 26));
        CHECK(put(Level::info, text));
        CHECK(put(Level::info, "between"));
        CHECK(take() == text);
        STRCMP_EQUAL("between", take().c_str());
    }
}

TEST(LineQueue, lessImportantLinesGoFirst)
{
    struct Row { Level level; std::size_t sixteenths; };
    static constexpr Row rows[] = {
        {Level::debug, 8}, {Level::info, 12}, {Level::notice, 14}, {Level::warning, 15}, {Level::error, 16},
    };
    constexpr std::size_t size = 200;
    for (const Row& row : rows) {
        const std::size_t most = LineQueue::capacity / 16 * row.sixteenths, used = fill(row.level, size);
        CHECK(used <= most && used + size + sizeof(LineQueue::Head) > most);
        LONGS_EQUAL(1, dropped(row.level));
        // And what is less important has none.
        for (const Row& other : rows)
            if (other.level > row.level)
                CHECK_FALSE(put(other.level, std::string(size, 'x')));
        // The next row has what this one has left.
    }
}

TEST(LineQueue, roomIsBackWhenALineIsTaken)
{
    fill(Level::error, 1000);
    CHECK_FALSE(put(Level::error, std::string(1000, 'y')));
    take();
    CHECK(put(Level::error, std::string(1000, 'z')));
    LONGS_EQUAL(2, dropped(Level::error));
}

TEST(LineQueue, twoThreads)
{
    constexpr std::uint32_t lines = 200'000;
    const auto text = [](std::uint32_t number) {
        return std::to_string(number) + std::string(number % 300, static_cast<char>('a' + number % 26));
    };
    std::uint32_t refused = 0;
    std::thread producer([&] {
        for (std::uint32_t number = 0; number < lines; ++number) {
            // Some are lost, when the other end is slow; all others arrive.
            if (!put(Level::info, text(number)))
                ++refused;
        }
        while (!put(Level::error, "end"))
            std::this_thread::yield();
    });
    std::uint32_t taken = 0, wrong = 0;
    long long last = -1;
    for (LineQueue::Head head;;) {
        if (!queue->front(head)) {
            std::this_thread::yield();
            continue;
        }
        std::string line(head.size, '\0');
        queue->take(head, line.data());
        if (line == "end")
            break;
        const long long number = std::stoll(line);
        wrong += line != text(static_cast<std::uint32_t>(number)) || number <= last;
        last = number;
        ++taken;
    }
    producer.join();
    LONGS_EQUAL(0, wrong);
    LONGS_EQUAL(lines, taken + refused);
    LONGS_EQUAL(refused, dropped(Level::info));
}
