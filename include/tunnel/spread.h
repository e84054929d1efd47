#pragma once

#include "net/loop.h"
#include "net/timer.h"

#include <cstddef>
#include <functional>
#include <vector>

namespace tunnel {

/// Does what is to be done to many tunnels a few at a time, evenly over a time: so that their clients do not
/// all come back at once. One thread.
class Spread {
public:
    using Act = std::function<void()>;

    explicit Spread(net::Loop& loop) : timer_(loop, net::Timer::Callback::of<&Spread::on_turn>(this)) {}

    /// Begins after `delay`, perhaps inside the call, and is through after `duration` more. What is still to be
    /// done of an earlier call is done with the rest. An act may call everything but this.
    void start(std::vector<Act> acts, net::Millis delay, net::Millis duration);

private:
    static constexpr net::Millis shortest_turn{50};

    void on_turn();

    net::Timer timer_;
    std::vector<Act> acts_;
    net::Millis turn_{shortest_turn};
    std::size_t per_turn_ = 1;
};

} // namespace tunnel
