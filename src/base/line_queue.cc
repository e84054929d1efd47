#include "base/line_queue.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace base {

bool LineQueue::put(const Line& line) noexcept
{
    assert(line.text.size() <= longest);
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    const std::size_t size = sizeof(Head) + line.text.size();
    if (used() + size > room(line.level)) {
        std::atomic<std::uint64_t>& count = dropped_[static_cast<std::size_t>(line.level)];
        count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        return false;
    }
    const Head head{line.time, line.sink, static_cast<std::uint32_t>(line.text.size()), line.level};
    copy_in(tail, &head, sizeof head);
    copy_in(tail + sizeof head, line.text.data(), line.text.size());
    // In one order with the writer's going to sleep, which looks here afterwards (line_writer.cc).
    tail_.store(tail + size, std::memory_order_seq_cst);
    return true;
}

bool LineQueue::front(Head& head) const noexcept
{
    const std::size_t at = head_.load(std::memory_order_relaxed);
    if (tail_.load(std::memory_order_acquire) == at)
        return false;
    copy_out(at, &head, sizeof head);
    return true;
}

void LineQueue::take(const Head& head, char* text) noexcept
{
    const std::size_t at = head_.load(std::memory_order_relaxed);
    copy_out(at + sizeof head, text, head.size);
    head_.store(at + sizeof head + head.size, std::memory_order_release);
}

void LineQueue::add_dropped(LineCounts& counts) const noexcept
{
    for (std::size_t level = 0; level < counts.size(); ++level)
        counts[level] += dropped_[level].load(std::memory_order_relaxed);
}

void LineQueue::copy_in(std::size_t at, const void* bytes, std::size_t size) noexcept
{
    const std::size_t place = at % capacity, first = std::min(size, capacity - place);
    std::memcpy(bytes_ + place, bytes, first);
    std::memcpy(bytes_, static_cast<const char*>(bytes) + first, size - first);
}

void LineQueue::copy_out(std::size_t at, void* bytes, std::size_t size) const noexcept
{
    const std::size_t place = at % capacity, first = std::min(size, capacity - place);
    std::memcpy(bytes, bytes_ + place, first);
    std::memcpy(static_cast<char*>(bytes) + first, bytes_, size - first);
}

} // namespace base
