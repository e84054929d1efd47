#include "bench/load.h"

#include "bench/pacer.h"
#include "bench/steps.h"

#include <optional>

namespace bench {
namespace {

constexpr std::uint64_t set_up_patience_ns = 60'000'000'000;
constexpr std::uint64_t progress_patience_ns = 20'000'000'000;

/// For bytes too many to show.
constexpr std::uint32_t settling = 200; // ms

/// When the memory is looked at that later work must not exceed: 64 MiB each way.
constexpr std::uint64_t early = 128u << 20;

std::unique_ptr<net::TlsClientContext> client_context(const Plan& plan)
{
    if (!plan.tls)
        return nullptr;
    // One version and one cipher, so that both relays do the same work.
    return std::make_unique<net::TlsClientContext>(net::TlsClientOptions{
        .verify = false,
        .ca_file = {},
        .priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-256-GCM:-GROUP-ALL:+GROUP-X25519"});
}

} // namespace

Load::Load(const Plan& plan)
    : plan_(plan), pattern_(plan.pdu), tls_(client_context(plan)),
      fleet_({loop_, plan_, pattern_, tls_.get()}, counts_),
      server_{{loop_, plan_, pattern_, counts_}, *this}, backend_(server_)
{
}

void Load::run()
{
    if (plan_.steps)
        return steps();
    switch (plan_.work) {
    case Work::echo:
    case Work::up:
    case Work::down:
    case Work::both: return plan_.calls || plan_.mib ? bounded() : work();
    case Work::churn: return churn();
    case Work::idle: break; // needs steps
    }
}

void Load::session_ended()
{
    ++counts_.closed;
}

void Load::wait(std::uint32_t milliseconds)
{
    const std::uint64_t end = now_ns() + std::uint64_t{milliseconds} * 1'000'000;
    for (std::uint64_t now = now_ns(); now < end && !counts_.exhausted; now = now_ns())
        loop_.run_once(net::Millis{(end - now) / 1'000'000 + 1});
}

void Load::work()
{
    fleet_.open_until(plan_.tunnels);
    for (Tunnel& tunnel : fleet_.all())
        tunnel.start();
    wait(plan_.warm_up);
    const Snapshot before = look();
    counts_.recording = true;
    wait(plan_.milliseconds);
    report(before, look());
}

/// What each end of a tunnel receives when it has carried all that the plan asks for.
struct Load::Goal {
    std::uint64_t up, down; // bytes

    explicit Goal(const Plan& plan)
    {
        const bool echo = plan.work == Work::echo;
        const std::uint64_t much = echo ? plan.calls * plan.pdu : bulk(plan);
        // Where there is no work one PDU goes: the first, or the answer to it.
        up = echo || plan.work != Work::down ? much : plan.pdu;
        down = echo || plan.work != Work::up ? much : plan.pdu;
    }
};

void Load::bounded()
{
    const Goal goal(plan_);
    const std::uint64_t all = (goal.up + goal.down) * plan_.tunnels;
    fleet_.open_until(plan_.tunnels);
    const Snapshot before = look();
    for (Tunnel& tunnel : fleet_.all())
        tunnel.start();
    std::uint64_t early_memory = 0, seen = 0, seen_at = now_ns();
    for (std::uint64_t done = 0; done < all; done = counts_.up + counts_.down) {
        loop_.run_once(net::Millis{100});
        if (early_memory == 0 && done >= early)
            early_memory = look().resident;
        const std::uint64_t now = now_ns();
        if (done != seen) {
            seen = done;
            seen_at = now;
        } else if (now - seen_at > progress_patience_ns) {
            give_up("no progress for 20 s: " + std::to_string(done) + " of " + std::to_string(all) + " bytes; " +
                    fleet_.all().front().progress());
        }
    }
    const Snapshot after = look();
    wait(settling);
    compare_totals();
    const std::uint64_t late_memory = look().resident;
    backend_.expect_closing();
    for (Tunnel& tunnel : fleet_.all())
        tunnel.close();
    wait_closed();
    report(before, after,
           "\"resident_early\": " + std::to_string(early_memory) + ", \"resident_late\": " + std::to_string(late_memory) + ", ");
}

/// Every byte was compared when it came; here it shows that none is missing, and none too many.
void Load::compare_totals()
{
    const Goal goal(plan_);
    const auto compare = [](const char* end, std::uint64_t found, std::uint64_t wanted) {
        if (found != wanted)
            give_up(std::string(end) + " received " + std::to_string(found) + " bytes instead of " + std::to_string(wanted));
    };
    for (const Tunnel& tunnel : fleet_.all())
        compare("a client", tunnel.received(), goal.down);
    for (const std::shared_ptr<Session>& session : backend_.sessions())
        compare("a backend session", session->received(), goal.up);
    if (backend_.sessions().size() != plan_.tunnels)
        give_up("the backend has " + std::to_string(backend_.sessions().size()) + " sessions for " +
                std::to_string(plan_.tunnels) + " tunnels");
}

void Load::wait_closed()
{
    const std::uint64_t limit = now_ns() + set_up_patience_ns;
    while (counts_.closed < fleet_.opened()) {
        loop_.run_once(net::Millis{100});
        if (now_ns() > limit)
            give_up("only " + std::to_string(counts_.closed) + " tunnels were closed at the backend");
    }
}

void Load::churn()
{
    backend_.expect_closing();
    fleet_.open_until(plan_.warm_tunnels);
    wait_closed();
    const Snapshot before = look();
    fleet_.open_until(plan_.warm_tunnels + plan_.tunnels);
    wait_closed();
    counts_.messages = plan_.tunnels;
    report(before, look());
}

/// One line after each step, with what has happened since the last one.
void Load::steps()
{
    backend_.expect_closing();
    fleet_.open_until(plan_.warm_tunnels);
    wait(plan_.warm_up);
    Steps steps(loop_);
    std::optional<Pacer> pacer;
    counts_.recording = true;
    Snapshot before = look();
    for (Steps::Step step = Steps::Step::look; step != Steps::Step::end; step = steps.next(plan_.poll)) {
        if (step == Steps::Step::open)
            fleet_.open_until(plan_.warm_tunnels + plan_.tunnels);
        if (step == Steps::Step::start) {
            for (Tunnel* const tunnel : fleet_.working())
                tunnel->start();
            if (plan_.pace)
                pacer.emplace(loop_, fleet_.working(), plan_.pace, counts_);
        }
        const Snapshot after = look();
        report(before, after);
        before = after;
    }
}

void Load::report(const Snapshot& before, const Snapshot& after, const std::string& first)
{
    bench::report(plan_, before, after, counts_, fleet_.cipher(), first);
}

} // namespace bench
