#pragma once

#include "base/delegate.h"
#include "net/wheel.h"

namespace net {

class Loop;

/// Calls back once, in the loop's thread, after a delay. Belongs to one loop, is not movable, and never
/// allocates. It may be set, cancelled or destroyed in any callback of its loop, its own included; after
/// cancel() or the destructor no callback comes.
class Timer {
public:
    using Callback = base::Delegate<void()>;

    Timer(Loop& loop, Callback callback) noexcept : loop_(loop), node_(callback) {}
    ~Timer() { cancel(); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    /// Arms or re-arms the timer. `delay` counts from Loop::now(); a negative one counts as zero. The
    /// callback comes 0 to 1 ms after the delay has passed on an idle loop, and never inside set().
    void set(Millis delay) noexcept;
    void cancel() noexcept;
    bool armed() const noexcept { return node_.armed(); }

private:
    Loop& loop_;
    TimerNode node_;
};

} // namespace net
