#pragma once

#include "bench/tunnel.h"
#include "net/loop.h"

#include <cstdint>
#include <vector>

namespace bench {

/// Has tunnels send PDUs at a steady pace, in turn, whether or not earlier ones are back. A PDU that leaves late
/// keeps the time when it was due: waiting counts, wherever it happens.
class Pacer {
public:
    /// `per_second`: of all tunnels, at least 1. Begins at once.
    Pacer(net::Loop& loop, std::vector<Tunnel*> tunnels, std::uint32_t per_second, Counts& counts);

private:
    void on_time(std::uint32_t events);

    const std::vector<Tunnel*> tunnels_;
    const std::uint32_t per_second_;
    Counts& counts_;
    base::UniqueFd timer_; // net::Timer counts ms
    net::Watch watch_;
    const std::uint64_t begun_; // ns
    std::uint64_t sent_ = 0;
};

} // namespace bench
