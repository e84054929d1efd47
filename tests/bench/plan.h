#pragma once

#include "bench/hold.h"
#include "net/address.h"

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

namespace bench {

/// What lies between the client end and the backend end.
enum class Relay : std::uint8_t {
    rpch,   ///< rpctunneld: two HTTP requests a tunnel
    pair,   ///< a TCP relay: two connections a tunnel, the same RTS PDUs and flow control end to end
    single, ///< a TCP relay: one connection a tunnel, no flow control
};

/// What the backends behind `Relay::rpch` are.
enum class Hop : std::uint8_t { tcp, http };

enum class Work : std::uint8_t {
    echo,  ///< each tunnel has one PDU on the way: it comes back
    up,    ///< as many bytes as go, to the backend
    down,  ///< as many bytes as go, to the client
    both,  ///< up and down at the same time
    idle,  ///< nothing after the set-up
    churn, ///< tunnels are opened and closed
};

/// What one run of the generator is asked to do.
struct Plan {
    Relay relay = Relay::rpch;
    Hop hop = Hop::tcp;
    Work work = Work::echo;
    /// The relays. A tunnel sends its n-th request of a kind to the next address of the list in turn, those for
    /// successors of its channels included.
    std::vector<net::Address> connect_in, connect_out;
    net::Address listen;       ///< the backend
    std::string target;        ///< of the tunnels: server:port
    std::vector<std::string> authorizations; ///< values of the header field, or "NTLM NAME:PASSWORD"; tunnels take turns
    bool tls = false;
    std::uint32_t tunnels = 1;
    std::uint32_t warm_tunnels = 0; ///< opened before the first look at the memory, and without work
    std::uint32_t concurrency = 32; ///< tunnels in set-up at a time
    std::uint32_t rate = 0;         ///< tunnels that begin to open in a second; 0: as soon as `concurrency` admits
    std::uint32_t pace = 0;         ///< echo: PDUs a second, of all tunnels; 0: each when the last one is back
    std::uint32_t pdu = 32;         ///< bytes
    std::uint32_t window = 65536;   ///< of the client, bytes
    std::uint32_t lifetime = 1u << 30;        ///< Content-Length of every IN request, bytes
    std::uint32_t recycle_in_every = 0;       ///< echo: PDUs that came back; 0: only when the lifetime ends
    std::vector<Hold> holds;
    // Bounded work: each tunnel carries so much and no more. Both 0: as much as goes in `milliseconds`.
    std::uint64_t calls = 0; ///< echo: PDUs that come back
    std::uint64_t mib = 0;   ///< up, down, both: in each direction of the work
    std::uint32_t milliseconds = 1000;
    std::uint32_t warm_up = 200;    ///< milliseconds
    bool steps = false;             ///< what happens when is told on standard input, see Steps
    bool poll = false;              ///< the core is never left to sleep while a step is awaited or tunnels open
    std::vector<int> relay_pids;
};

/// Channels that were replaced, as the client sees it.
struct Recycles {
    std::uint64_t in_moved = 0, in_stayed = 0;   ///< IN_R1, IN_R2: to another address or to the same
    std::uint64_t out_moved = 0, out_stayed = 0; ///< OUT_R1, OUT_R2
    std::uint64_t lost = 0;                      ///< successors that were refused or given up
};

/// What has happened so far.
struct Counts {
    std::uint64_t messages = 0;   ///< echo: PDUs that came back
    std::uint64_t up = 0;         ///< bytes of the pattern that the backend received and verified
    std::uint64_t down = 0;       ///< the same of the client
    Recycles recycles;
    std::uint64_t held = 0;       ///< RTS PDUs of the client that were held back
    std::uint32_t opened = 0;     ///< tunnels
    std::uint32_t closed = 0;     ///< tunnels, the backend's end seen closed
    std::uint32_t failed = 0;     ///< tunnels that could not be opened
    std::string failure;          ///< why the first of these
    bool recording = false;       ///< latencies
    bool exhausted = false;       ///< a channel that is not replaced nears the end of its life
    std::vector<std::uint64_t> latencies; ///< ns, of PDUs, from the time when they were due
    std::vector<std::uint64_t> delays;    ///< ns: how long after that they were sent
    std::vector<std::uint64_t> openings;  ///< ns, of tunnels, from the time when they were due
};

/// A channel that is not replaced carries 1 GiB in its life; some is kept for RTS PDUs.
constexpr std::uint64_t stream_limit = (1u << 30) - (1u << 20);

/// How many bytes each end of a tunnel sends when the plan is bulk in its direction: whole PDUs.
inline std::uint64_t bulk(const Plan& plan)
{
    const std::uint64_t whole = (plan.mib << 20) + plan.pdu - 1;
    return plan.mib ? whole - whole % plan.pdu : plan.relay == Relay::rpch ? std::uint64_t{1} << 62 : stream_limit;
}

[[noreturn]] inline void give_up(const std::string& reason)
{
    std::cerr << "bench-load: " << reason << '\n';
    std::exit(1);
}

} // namespace bench
