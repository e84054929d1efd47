#pragma once

#include "net/timer.h"

#include <memory>

namespace leg {

/// Waits for the moment at which a receiver acknowledges although nothing is due: when its sender may wait with a PDU
/// that does not fit (the roles' ..._may_wait()) and has been silent for a while. Costs one pointer while it does not run.
class Silence {
public:
    static constexpr net::Millis patience{1000};

    /// Something was heard, and the sender may wait: begins anew. `callback` comes once, after reset() or another
    /// watch() no more.
    void watch(net::Loop& loop, net::Timer::Callback callback)
    {
        if (!timer_)
            timer_ = std::make_unique<net::Timer>(loop, callback);
        timer_->set(patience);
    }
    /// Also first thing in the callback.
    void reset() noexcept { timer_.reset(); }

private:
    std::unique_ptr<net::Timer> timer_;
};

} // namespace leg
