#pragma once

#include "bench/pattern.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/tls.h"

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
    idle,  ///< nothing after the set-up
    churn, ///< tunnels are opened and closed
};

/// What one run of the generator is asked to do.
struct Plan {
    Relay relay = Relay::rpch;
    Hop hop = Hop::tcp;
    Work work = Work::echo;
    net::Address connect;      ///< the relay
    net::Address listen;       ///< the backend
    std::string target;        ///< of the tunnels: server:port
    std::string authorization; ///< value of the header field
    bool tls = false;
    std::uint32_t tunnels = 1;
    std::uint32_t warm_tunnels = 0; ///< idle: opened before the first look at the memory
    std::uint32_t concurrency = 32; ///< tunnels in set-up at a time
    std::uint32_t pdu = 32;         ///< bytes
    std::uint32_t window = 65536;   ///< of the client, bytes
    std::uint32_t milliseconds = 1000;
    std::uint32_t warm_up = 200;    ///< milliseconds
    std::vector<int> relay_pids;
};

/// What has happened so far.
struct Counts {
    std::uint64_t messages = 0;   ///< echo: PDUs that came back
    std::uint64_t bytes = 0;      ///< of the pattern, received and verified, in the direction of the work
    std::uint64_t verified = 0;   ///< the same in both directions
    std::uint32_t opened = 0;     ///< tunnels
    std::uint32_t closed = 0;     ///< tunnels, the backend's end seen closed
    bool recording = false;       ///< latencies
    bool exhausted = false;       ///< a channel's lifetime is nearly used up
    std::vector<std::uint32_t> latencies; ///< ns
};

/// A channel carries 1 GiB in its life; some is kept for RTS PDUs.
constexpr std::uint64_t stream_limit = (1u << 30) - (1u << 20);

[[noreturn]] inline void give_up(const std::string& reason)
{
    std::cerr << "bench-load: " << reason << '\n';
    std::exit(1);
}

} // namespace bench
