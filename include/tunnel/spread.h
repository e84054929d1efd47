#pragma once

#include "net/loop.h"
#include "net/timer.h"
#include "rpch/cookie.h"

#include <cstddef>
#include <functional>
#include <vector>

namespace tunnel {

/// Does one thing to many virtual connections, a few at a time, evenly over a time: so that their clients do
/// not all come back at once. One thread.
class Spread {
public:
    using Act = std::function<void(const rpch::Cookie& virtual_connection)>;

    explicit Spread(net::Loop& loop) : timer_(loop, net::Timer::Callback::of<&Spread::on_turn>(this)) {}

    /// Begins after `delay`, perhaps inside the call, and is through after `duration` more. What is still to be
    /// done of an earlier call is done with the rest, in the same way. The act may call everything but this.
    void start(const std::vector<rpch::Cookie>& list, net::Millis delay, net::Millis duration, Act act);

private:
    static constexpr net::Millis shortest_turn{50};

    void on_turn();

    net::Timer timer_;
    std::vector<rpch::Cookie> list_;
    net::Millis turn_{shortest_turn};
    std::size_t per_turn_ = 1;
    Act act_;
};

} // namespace tunnel
