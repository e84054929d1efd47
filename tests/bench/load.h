#pragma once

#include "bench/backend.h"
#include "bench/plan.h"
#include "bench/report.h"
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
    struct Goal;

    void tunnel_opened(Tunnel& tunnel) override;
    void session_ended() override;

    void open_some();
    void open_until(std::uint32_t tunnels);
    void wait(std::uint32_t milliseconds);
    void wait_closed();
    Snapshot look() const { return bench::look(plan_, counts_); }
    void report(const Snapshot& before, const Snapshot& after, const std::string& first = {});
    void work();
    void bounded();
    void compare_totals();
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
