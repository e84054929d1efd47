#pragma once

#include "base/log.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace base {

class LineSink;

/// A finished line. `text` is what the sink gets, with the line end if the sink wants one.
struct Line {
    log::Level level;
    LineSink* sink;    // outlives the writer
    std::int64_t time; // of the clock that all lines have: the earlier one is written first
    std::string_view text;
};

/// So many lines of each level.
using LineCounts = std::array<std::uint64_t, 5>;

/// A bounded queue of lines between one thread that puts and one that takes, without locks: neither waits for the other.
/// Each end may pass to another thread by whatever orders the two. All zero is an empty queue.
class LineQueue {
public:
    /// Bytes of a queue; a line takes those of its text and of its Head.
    static constexpr std::size_t capacity = 256 * 1024;
    /// Bytes of the longest text.
    static constexpr std::size_t longest = 16 * 1024;
    /// Bytes that may be taken once a line of `level` is in. What is left above is for more important ones, so that a
    /// queue that fills up loses the less important lines first.
    static constexpr std::size_t room(log::Level level) noexcept
    {
        constexpr std::size_t sixteenths[] = {16, 15, 14, 12, 8};
        return capacity / 16 * sixteenths[static_cast<std::size_t>(level)];
    }

    struct Head {
        std::int64_t time;
        LineSink* sink;
        std::uint32_t size; // of the text
        log::Level level;
    };

    // Of the thread that puts.
    /// False, and counted, when there is no room for its level.
    bool put(const Line& line) noexcept;
    std::size_t used() const noexcept { return tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_acquire); }

    // Of the thread that takes.
    /// The head of the first line; false when there is none.
    bool front(Head& head) const noexcept;
    /// Removes the first line, whose head is `head`, and copies its text to `text`.
    void take(const Head& head, char* text) noexcept;

    // Any thread.
    bool empty() const noexcept { return tail_.load() == head_.load(); }
    /// Adds the lines that were refused, since ever.
    void add_dropped(LineCounts& counts) const noexcept;

private:
    void copy_in(std::size_t at, const void* bytes, std::size_t size) noexcept;
    void copy_out(std::size_t at, void* bytes, std::size_t size) const noexcept;

    // Both only grow. What lies between them waits. Apart, since two cores write them.
    alignas(64) std::atomic<std::size_t> tail_;
    std::array<std::atomic<std::uint64_t>, 5> dropped_;
    alignas(64) std::atomic<std::size_t> head_;
    alignas(64) char bytes_[capacity];
};

} // namespace base
