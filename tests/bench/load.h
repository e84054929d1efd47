#pragma once

#include "bench/backend.h"
#include "bench/fleet.h"
#include "bench/plan.h"
#include "bench/report.h"

#include <memory>
#include <string>

namespace bench {

/// Carries a plan out and prints what came of it, one line of JSON.
class Load final : private Backend::Host {
public:
    explicit Load(const Plan& plan);
    void run();

private:
    struct Goal;

    void session_ended() override;

    void wait(std::uint32_t milliseconds);
    void wait_closed();
    Snapshot look() const { return bench::look(plan_, counts_); }
    void report(const Snapshot& before, const Snapshot& after, const std::string& first = {});
    void work();
    void bounded();
    void compare_totals();
    void churn();
    void steps();

    const Plan plan_;
    net::Loop loop_;
    Pattern pattern_;
    std::unique_ptr<net::TlsClientContext> tls_;
    Counts counts_;
    Fleet fleet_;
    Backend::Common server_;
    Backend backend_;
};

} // namespace bench
