#include "bench/pacer.h"

#include "bench/meter.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace bench {

Pacer::Pacer(net::Loop& loop, std::vector<Tunnel*> tunnels, std::uint32_t per_second, Counts& counts)
    : tunnels_(std::move(tunnels)), per_second_(per_second), counts_(counts),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
      watch_(loop, net::Watch::Callback::of<&Pacer::on_time>(this)), begun_(now_ns())
{
    const long every = per_second > 1 ? 1'000'000'000 / per_second : 999'999'999;
    const itimerspec times{.it_interval = {0, every}, .it_value = {0, every}};
    if (!timer_ || ::timerfd_settime(timer_.get(), 0, &times, nullptr) != 0 || !watch_.add(timer_.get(), EPOLLIN | EPOLLET))
        give_up(std::string("pace: ") + std::strerror(errno));
}

void Pacer::on_time(std::uint32_t)
{
    std::uint64_t expired = 0;
    while (::read(timer_.get(), &expired, sizeof expired) > 0) {
        const std::uint64_t now = now_ns();
        for (;; ++sent_) {
            const std::uint64_t due = begun_ + sent_ * 1'000'000'000 / per_second_;
            if (due > now)
                break;
            tunnels_[sent_ % tunnels_.size()]->ask(due);
            if (counts_.recording)
                counts_.delays.push_back(now_ns() - due);
        }
    }
}

} // namespace bench
