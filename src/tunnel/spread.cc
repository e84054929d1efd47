#include "tunnel/spread.h"

#include <algorithm>
#include <utility>

namespace tunnel {

void Spread::start(const std::vector<rpch::Cookie>& list, net::Millis delay, net::Millis duration, Act act)
{
    list_.insert(list_.end(), list.begin(), list.end());
    act_ = std::move(act);
    if (list_.empty())
        return;
    const auto turns = std::clamp<std::size_t>(static_cast<std::size_t>(duration / shortest_turn), 1, list_.size());
    turn_ = duration / static_cast<long>(turns);
    per_turn_ = (list_.size() + turns - 1) / turns;
    if (delay > net::Millis(0))
        timer_.set(delay);
    else
        on_turn();
}

void Spread::on_turn()
{
    for (std::size_t i = 0; i < per_turn_ && !list_.empty(); ++i) {
        const rpch::Cookie cookie = list_.back();
        list_.pop_back();
        act_(cookie);
    }
    if (!list_.empty())
        timer_.set(turn_);
}

} // namespace tunnel
