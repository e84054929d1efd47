#include "bench/load.h"

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <numeric>

namespace bench {
namespace {

constexpr std::uint64_t set_up_patience_ns = 60'000'000'000;

/// Not all from one address: each has 28,000 ports.
net::Address source(std::uint32_t number)
{
    return *net::Address::from_host("127.77." + std::to_string(number % 200) + ".1", 0);
}

double percentile(std::vector<std::uint32_t>& sorted, double part)
{
    if (sorted.empty())
        return 0;
    return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))] / 1000.0;
}

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
      client_{loop_, plan_, pattern_, tls_.get(), counts_, *this}, server_{loop_, plan_, pattern_, counts_, *this},
      backend_(server_)
{
}

void Load::run()
{
    switch (plan_.work) {
    case Work::echo:
    case Work::up:
    case Work::down: return work();
    case Work::idle: return idle();
    case Work::churn: return churn();
    }
}

void Load::tunnel_opened(Tunnel& tunnel)
{
    ++counts_.opened;
    if (cipher_.empty())
        cipher_ = tunnel.describe();
    if (plan_.work == Work::churn) {
        tunnel.close();
        loop_.defer([this, &tunnel] {
            const auto place = places_.find(&tunnel);
            tunnels_.erase(place->second);
            places_.erase(place);
        });
    }
    loop_.defer([this] { open_some(); });
}

void Load::session_ended()
{
    ++counts_.closed;
}

void Load::open_some()
{
    while (started_ < wanted_ && started_ - counts_.opened < plan_.concurrency) {
        tunnels_.emplace_front(client_, source(started_++));
        places_[&tunnels_.front()] = tunnels_.begin();
        tunnels_.front().open();
    }
}

void Load::open_until(std::uint32_t tunnels)
{
    wanted_ = tunnels;
    open_some();
    const std::uint64_t limit = now_ns() + set_up_patience_ns;
    while (counts_.opened < wanted_) {
        loop_.run_once(net::Millis{100});
        if (now_ns() > limit)
            give_up("only " + std::to_string(counts_.opened) + " of " + std::to_string(wanted_) + " tunnels opened");
    }
}

void Load::wait(std::uint32_t milliseconds)
{
    const std::uint64_t end = now_ns() + std::uint64_t{milliseconds} * 1'000'000;
    for (std::uint64_t now = now_ns(); now < end && !counts_.exhausted; now = now_ns())
        loop_.run_once(net::Millis{(end - now) / 1'000'000 + 1});
}

Load::Snapshot Load::look() const
{
    Snapshot now;
    for (const int pid : plan_.relay_pids) {
        now.relay_cpu.push_back(cpu_by_thread(pid));
        now.resident += resident(pid);
    }
    now.generator_cpu = own_cpu();
    now.machine_cpu = machine_cpu();
    now.messages = counts_.messages;
    now.bytes = counts_.bytes;
    now.verified = counts_.verified;
    now.at = now_ns();
    return now;
}

void Load::work()
{
    open_until(plan_.tunnels);
    for (Tunnel& tunnel : tunnels_)
        tunnel.start();
    wait(plan_.warm_up);
    const Snapshot before = look();
    counts_.recording = true;
    wait(plan_.milliseconds);
    report(before, look());
}

void Load::idle()
{
    open_until(plan_.warm_tunnels);
    wait(plan_.warm_up);
    const std::uint64_t first = look().resident;
    open_until(plan_.warm_tunnels + plan_.tunnels);
    wait(plan_.warm_up);
    const Snapshot before = look();
    std::cout << "{\"kib_per_tunnel\": "
              << (static_cast<double>(before.resident) - static_cast<double>(first)) / 1024 / plan_.tunnels << ", ";
    wait(plan_.milliseconds);
    report(before, look());
}

void Load::churn()
{
    backend_.expect_closing();
    open_until(plan_.warm_tunnels);
    const std::uint64_t limit = now_ns() + set_up_patience_ns;
    const auto wait_closed = [&] {
        while (counts_.closed < wanted_) {
            loop_.run_once(net::Millis{100});
            if (now_ns() > limit)
                give_up("only " + std::to_string(counts_.closed) + " tunnels were closed at the backend");
        }
    };
    wait_closed();
    const Snapshot before = look();
    open_until(plan_.warm_tunnels + plan_.tunnels);
    wait_closed();
    counts_.messages = plan_.tunnels;
    report(before, look());
}

void Load::report(const Snapshot& before, const Snapshot& after)
{
    const double seconds = static_cast<double>(after.at - before.at) / 1e9;
    std::vector<std::uint32_t>& latencies = counts_.latencies;
    std::sort(latencies.begin(), latencies.end());
    std::uint64_t relay = 0;
    std::uint64_t busiest = 0;
    for (std::size_t i = 0; i < after.relay_cpu.size(); ++i)
        for (const auto& [thread, cpu] : after.relay_cpu[i]) {
            const auto old = before.relay_cpu[i].find(thread);
            const std::uint64_t spent = cpu - (old == before.relay_cpu[i].end() ? 0 : old->second);
            relay += spent;
            busiest = std::max(busiest, spent);
        }
    const std::uint64_t messages = after.messages - before.messages;
    std::cout << std::setprecision(10) << (plan_.work == Work::idle ? "" : "{") << "\"seconds\": " << seconds
              << ", \"messages\": " << messages << ", \"bytes\": " << after.bytes - before.bytes
              << ", \"verified\": " << after.verified << ", \"relay_cpu\": " << static_cast<double>(relay) / 1e9
              << ", \"relay_busiest_thread_cpu\": " << static_cast<double>(busiest) / 1e9 << ", \"generator_cpu\": "
              << static_cast<double>(after.generator_cpu - before.generator_cpu) / 1e9 << ", \"machine_cpu\": "
              << static_cast<double>(after.machine_cpu - before.machine_cpu) / 1e9
              << ", \"p50_us\": " << percentile(latencies, 0.5) << ", \"p99_us\": " << percentile(latencies, 0.99)
              << ", \"cipher\": \"" << cipher_ << "\"}" << std::endl;
}

} // namespace bench
