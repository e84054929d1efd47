#pragma once

#include "base/delegate.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace net {

using Millis = std::chrono::milliseconds;

/// A link in one of the wheel's rings.
struct WheelLink {
    WheelLink* next = this;
    WheelLink* previous = this;

    WheelLink() noexcept = default;
    WheelLink(const WheelLink&) = delete;
    WheelLink& operator=(const WheelLink&) = delete;
};

/// What a wheel holds: a callback and when it is due. Owned by whoever set it; see Timer.
class TimerNode : private WheelLink {
public:
    explicit TimerNode(base::Delegate<void()> callback) noexcept : callback_(callback) {}

    bool armed() const noexcept { return next != this; }

private:
    friend class Wheel;

    base::Delegate<void()> callback_;
    std::uint64_t due_ = 0;
};

/// A hierarchical timer wheel of 1 ms ticks: seven levels of 64 slots. Setting and cancelling are O(1)
/// and never allocate; a timer moves down at most once per level. Knows no clock: the owner tells it the
/// time. Timers that are due at the same tick fire in the order in which they were set.
class Wheel {
public:
    explicit Wheel(Millis now) noexcept : elapsed_(static_cast<std::uint64_t>(now.count())), horizon_(elapsed_ + 1) {}
    Wheel(const Wheel&) = delete;
    Wheel& operator=(const Wheel&) = delete;

    /// Arms `node` for the absolute time `due`; a time that has passed means the next tick.
    void set(TimerNode& node, Millis due) noexcept;
    void cancel(TimerNode& node) noexcept;

    /// Fires everything due at or before `now`. A callback may set, cancel and destroy any node; what it
    /// sets is never due before the next tick after `now`.
    void advance(Millis now) noexcept;

    /// When advance() has something to do next: a timer is due, or far timers move to a finer level
    /// (at most once per level and timer). Nothing when no timer is armed.
    std::optional<Millis> next() const noexcept;

private:
    static constexpr unsigned level_bits = 6;
    static constexpr unsigned slots = 1u << level_bits;
    static constexpr unsigned levels = 7;

    struct Level {
        std::uint64_t occupied = 0;
        std::array<WheelLink, slots> ring;
    };
    struct Slot {
        unsigned level, index;
        std::uint64_t begins;
    };

    std::optional<Slot> first() const noexcept;
    void insert(TimerNode& node) noexcept;
    void open(const Slot& slot) noexcept;
    static void unlink(WheelLink& link) noexcept;

    std::array<Level, levels> levels_;
    std::uint64_t elapsed_;
    std::uint64_t horizon_; // the earliest tick that set() may use
};

} // namespace net
