#include "tunnel/spread.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tunnel {

void Spread::start(std::vector<Act> acts, net::Millis delay, net::Millis duration)
{
    std::move(acts.begin(), acts.end(), std::back_inserter(acts_));
    if (acts_.empty())
        return;
    const auto turns = std::clamp<std::size_t>(static_cast<std::size_t>(duration / shortest_turn), 1, acts_.size());
    turn_ = duration / static_cast<long>(turns);
    per_turn_ = (acts_.size() + turns - 1) / turns;
    if (delay > net::Millis(0))
        timer_.set(delay);
    else
        on_turn();
}

void Spread::on_turn()
{
    for (std::size_t i = 0; i < per_turn_ && !acts_.empty(); ++i) {
        const Act act = std::move(acts_.back());
        acts_.pop_back();
        act();
    }
    if (!acts_.empty())
        timer_.set(turn_);
}

} // namespace tunnel
