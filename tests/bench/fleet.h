#pragma once

#include "bench/tunnel.h"
#include "net/timer.h"

#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <vector>

namespace bench {

/// The client ends of all tunnels, and their opening: as many at a time as the plan says, or so many a second.
class Fleet final : private Tunnel::Host {
public:
    /// Both outlive it.
    Fleet(const Request::Means& means, Counts& counts);

    /// Runs the loop until so many tunnels have been opened, the earlier ones included. When the plan has steps a
    /// tunnel may fail; it is counted, and so is one that is not open 30 s after its time. Else that is the end.
    void open_until(std::uint32_t tunnels);
    /// All that were not opened only to warm the relay up.
    std::vector<Tunnel*> working();
    std::list<Tunnel>& all() noexcept { return tunnels_; }

    std::uint32_t opened() const noexcept { return started_; }
    const std::string& cipher() const noexcept { return cipher_; }

private:
    struct Place {
        std::list<Tunnel>::iterator tunnel;
        std::uint64_t due; // ns: when it should begin to open
    };

    void tunnel_opened(Tunnel& tunnel) override;
    void tunnel_failed(Tunnel& tunnel, const std::string& reason) override;

    void open_some();
    std::uint64_t next_due() const;
    std::uint32_t ended() const noexcept { return counts_.opened + counts_.failed; }
    void fail_late_ones(std::uint64_t now);
    void remove(Tunnel& tunnel);

    const Tunnel::Common common_;
    Counts& counts_;
    net::Timer timer_; // to the next one, when the plan has a rate
    std::list<Tunnel> tunnels_;
    std::map<const Tunnel*, Place> opening_;
    std::uint32_t wanted_ = 0;  // tunnels to open
    std::uint32_t started_ = 0; // of these begun
    std::uint32_t rate_from_ = 0;   // the tunnel that was due at rate_begins_
    std::uint64_t rate_begins_ = 0; // ns
    std::uint64_t looked_at_ = 0;   // ns: the last search for late ones
    std::string cipher_;
};

} // namespace bench
