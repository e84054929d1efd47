#pragma once

#include "bench/backend.h"
#include "bench/meter.h"
#include "bench/plan.h"
#include "bench/tunnel.h"

#include <list>
#include <map>
#include <memory>
#include <vector>

namespace bench {

/// Carries a plan out and prints what came of it, one line of JSON.
class Load final : private Tunnel::Host, private Backend::Host {
public:
    explicit Load(const Plan& plan);
    void run();

private:
    struct Snapshot {
        std::uint64_t at = 0; ///< ns
        std::uint64_t messages = 0, bytes = 0, verified = 0;
        std::uint64_t generator_cpu = 0; ///< ns
        std::uint64_t machine_cpu = 0;   ///< ns
        std::vector<CpuByThread> relay_cpu;
        std::uint64_t resident = 0; ///< bytes, of all relay processes
    };

    void tunnel_opened(Tunnel& tunnel) override;
    void session_ended() override;

    void open_some();
    void open_until(std::uint32_t tunnels);
    void wait(std::uint32_t milliseconds);
    Snapshot look() const;
    void report(const Snapshot& before, const Snapshot& after);
    void work();
    void idle();
    void churn();

    const Plan plan_;
    net::Loop loop_;
    Pattern pattern_;
    std::unique_ptr<net::TlsClientContext> tls_;
    Counts counts_;
    Tunnel::Common client_;
    Backend::Common server_;
    Backend backend_;
    std::list<Tunnel> tunnels_;
    std::map<const Tunnel*, std::list<Tunnel>::iterator> places_;
    std::uint32_t wanted_ = 0;  // tunnels to open
    std::uint32_t started_ = 0; // of these begun
    std::string cipher_;
};

} // namespace bench
