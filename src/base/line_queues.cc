#include "base/line_queues.h"

#include <sys/mman.h>

#include <atomic>
#include <utility>

namespace base::line_queues {
namespace {

struct Slot {
    LineQueue queue;
    std::atomic<bool> taken;
    Slot* next; // fixed once the slot is in the list
};

// Slots only come, at the front.
constinit std::atomic<Slot*> slots{nullptr};

Slot* new_slot() noexcept
{
    // Zeroes, and no page of it is there before it is used.
    void* const memory = ::mmap(nullptr, sizeof(Slot), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return nullptr;
    Slot* const slot = static_cast<Slot*>(memory);
    slot->taken.store(true, std::memory_order_relaxed);
    slot->next = slots.load(std::memory_order_relaxed);
    while (!slots.compare_exchange_weak(slot->next, slot, std::memory_order_release, std::memory_order_relaxed)) {
    }
    return slot;
}

Slot* claim() noexcept
{
    for (Slot* slot = slots.load(std::memory_order_acquire); slot != nullptr; slot = slot->next)
        if (!slot->taken.load(std::memory_order_relaxed) && !slot->taken.exchange(true, std::memory_order_acquire))
            return slot;
    return new_slot();
}

struct Claim {
    Slot* slot = nullptr;

    ~Claim()
    {
        // A later word of this thread takes a slot for good.
        if (Slot* const left = std::exchange(slot, nullptr))
            left->taken.store(false, std::memory_order_release);
    }
};

thread_local Claim claimed;

} // namespace

LineQueue* own() noexcept
{
    if (claimed.slot == nullptr)
        claimed.slot = claim();
    return claimed.slot == nullptr ? nullptr : &claimed.slot->queue;
}

LineQueue* earliest(LineQueue::Head& head) noexcept
{
    LineQueue* found = nullptr;
    for (Slot* slot = slots.load(std::memory_order_acquire); slot != nullptr; slot = slot->next) {
        LineQueue::Head next;
        if (slot->queue.front(next) && (found == nullptr || next.time < head.time)) {
            found = &slot->queue;
            head = next;
        }
    }
    return found;
}

bool empty() noexcept
{
    for (const Slot* slot = slots.load(); slot != nullptr; slot = slot->next)
        if (!slot->queue.empty())
            return false;
    return true;
}

LineCounts dropped() noexcept
{
    LineCounts counts{};
    for (const Slot* slot = slots.load(std::memory_order_acquire); slot != nullptr; slot = slot->next)
        slot->queue.add_dropped(counts);
    return counts;
}

} // namespace base::line_queues
