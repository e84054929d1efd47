#include "bench/fleet.h"

#include "bench/meter.h"

namespace bench {
namespace {

/// For all tunnels; with steps for each one.
constexpr std::uint64_t patience_ns = 60'000'000'000, patience_of_one_ns = 30'000'000'000;

} // namespace

Fleet::Fleet(const Request::Means& means, Counts& counts)
    : common_{{means}, counts, *this}, counts_(counts), timer_(means.loop, net::Timer::Callback::of<&Fleet::open_some>(this))
{
}

void Fleet::tunnel_opened(Tunnel& tunnel)
{
    ++counts_.opened;
    if (counts_.recording)
        counts_.openings.push_back(now_ns() - opening_.at(&tunnel).due);
    if (cipher_.empty())
        cipher_ = tunnel.describe();
    if (common_.plan.work == Work::churn) {
        tunnel.close();
        remove(tunnel);
    } else {
        opening_.erase(&tunnel);
    }
    common_.loop.defer([this] { open_some(); });
}

void Fleet::tunnel_failed(Tunnel& tunnel, const std::string& reason)
{
    ++counts_.failed;
    if (counts_.failure.empty())
        counts_.failure = reason;
    remove(tunnel);
    common_.loop.defer([this] { open_some(); });
}

void Fleet::remove(Tunnel& tunnel)
{
    const auto place = opening_.find(&tunnel);
    common_.loop.defer([this, last = place->second.tunnel] { tunnels_.erase(last); });
    opening_.erase(place);
}

std::uint64_t Fleet::next_due() const
{
    return rate_begins_ + std::uint64_t{started_ - rate_from_} * 1'000'000'000 / common_.plan.rate;
}

/// The first one is alone, so that the relay knows the user and the target when the others come.
void Fleet::open_some()
{
    while (started_ < wanted_ && started_ - ended() < (ended() == 0 ? 1 : common_.plan.concurrency)) {
        const std::uint64_t now = now_ns();
        const std::uint64_t due = common_.plan.rate ? next_due() : now;
        if (due > now) {
            timer_.set(net::Millis{(due - now) / 1'000'000});
            return;
        }
        tunnels_.emplace_front(common_, started_++);
        opening_[&tunnels_.front()] = {tunnels_.begin(), due};
        tunnels_.front().open();
    }
}

void Fleet::open_until(std::uint32_t tunnels)
{
    const bool steps = common_.plan.steps;
    const std::uint64_t begun = now_ns();
    wanted_ = tunnels;
    rate_from_ = started_;
    rate_begins_ = begun;
    open_some();
    while (ended() < wanted_) {
        common_.loop.run_once(net::Millis{common_.plan.poll ? 0 : 100});
        if (steps)
            fail_late_ones(now_ns());
        else if (now_ns() > begun + patience_ns)
            give_up("only " + std::to_string(counts_.opened) + " of " + std::to_string(wanted_) + " tunnels opened");
    }
}

void Fleet::fail_late_ones(std::uint64_t now)
{
    if (now < looked_at_ + 1'000'000'000)
        return;
    looked_at_ = now;
    std::vector<std::list<Tunnel>::iterator> late;
    for (const auto& [tunnel, place] : opening_)
        if (now > place.due + patience_of_one_ns)
            late.push_back(place.tunnel);
    for (const auto& tunnel : late)
        tunnel->fail("not open after 30 s");
}

std::vector<Tunnel*> Fleet::working()
{
    std::vector<Tunnel*> found;
    for (Tunnel& tunnel : tunnels_)
        if (tunnel.number() >= common_.plan.warm_tunnels)
            found.push_back(&tunnel);
    return found;
}

} // namespace bench
