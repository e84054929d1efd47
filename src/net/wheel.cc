#include "net/wheel.h"

#include <algorithm>
#include <bit>

namespace net {

// A node lies on the level of the highest base-64 digit in which its due time differs from elapsed_, in
// the slot of that digit. So on each level every occupied slot lies after the current one, and all of a
// lower level is due before all of a higher one: the first set bit of the lowest occupied level is next.

namespace {

struct Place {
    unsigned level, slot;
};

Place place(std::uint64_t due, std::uint64_t elapsed, unsigned bits, unsigned levels) noexcept
{
    const auto highest = static_cast<unsigned>(std::bit_width((due ^ elapsed) | 1)) - 1;
    const unsigned level = std::min(highest / bits, levels - 1);
    return {level, static_cast<unsigned>(due >> (level * bits)) & ((1u << bits) - 1)};
}

} // namespace

void Wheel::unlink(WheelLink& link) noexcept
{
    link.previous->next = link.next;
    link.next->previous = link.previous;
    link.next = link.previous = &link;
}

void Wheel::insert(TimerNode& node) noexcept
{
    const Place p = place(node.due_, elapsed_, level_bits, levels);
    WheelLink& ring = levels_[p.level].ring[p.slot];
    WheelLink& link = node;
    link.previous = ring.previous;
    link.next = &ring;
    ring.previous->next = &link;
    ring.previous = &link;
    levels_[p.level].occupied |= std::uint64_t{1} << p.slot;
}

void Wheel::set(TimerNode& node, Millis due) noexcept
{
    cancel(node);
    node.due_ = std::max(static_cast<std::uint64_t>(std::max<Millis::rep>(due.count(), 0)), horizon_);
    insert(node);
}

void Wheel::cancel(TimerNode& node) noexcept
{
    if (!node.armed())
        return;
    unlink(node);
    // At its very tick a node has left its slot for the list that open() works on.
    if (node.due_ == elapsed_)
        return;
    const Place p = place(node.due_, elapsed_, level_bits, levels);
    const WheelLink& ring = levels_[p.level].ring[p.slot];
    if (ring.next == &ring)
        levels_[p.level].occupied &= ~(std::uint64_t{1} << p.slot);
}

std::optional<Wheel::Slot> Wheel::first() const noexcept
{
    for (unsigned level = 0; level < levels; ++level) {
        if (levels_[level].occupied == 0)
            continue;
        const auto index = static_cast<unsigned>(std::countr_zero(levels_[level].occupied));
        const std::uint64_t above = elapsed_ >> ((level + 1) * level_bits) << ((level + 1) * level_bits);
        return Slot{level, index, above | std::uint64_t{index} << (level * level_bits)};
    }
    return std::nullopt;
}

void Wheel::open(const Slot& slot) noexcept
{
    Level& level = levels_[slot.level];
    level.occupied &= ~(std::uint64_t{1} << slot.index);
    elapsed_ = slot.begins;

    // The ring moves to a head of our own: what callbacks set goes elsewhere, what they cancel leaves it.
    WheelLink due;
    WheelLink& ring = level.ring[slot.index];
    due.next = ring.next;
    due.previous = ring.previous;
    due.next->previous = due.previous->next = &due;
    ring.next = ring.previous = &ring;

    while (due.next != &due) {
        TimerNode& node = static_cast<TimerNode&>(*due.next);
        unlink(node);
        if (node.due_ == elapsed_) {
            const base::Delegate<void()> callback = node.callback_;
            callback(); // may destroy the node
        } else {
            insert(node);
        }
    }
}

void Wheel::advance(Millis now) noexcept
{
    const auto until = static_cast<std::uint64_t>(now.count());
    if (until < horizon_)
        return;
    horizon_ = until + 1;
    for (auto slot = first(); slot && slot->begins <= until; slot = first())
        open(*slot);
    elapsed_ = until;
}

std::optional<Millis> Wheel::next() const noexcept
{
    const auto slot = first();
    if (!slot)
        return std::nullopt;
    return Millis(slot->begins);
}

} // namespace net
