#pragma once

#include <cstdint>

namespace leg {

/// What the configuration says about virtual connections. Immutable while a hub uses it.
struct Settings {
    std::uint32_t receive_window = 65536;          ///< bytes, announced on every hop; 8192..262144
    std::uint32_t connection_timeout = 120'000;    ///< ms, announced to clients; 120000..14400000
    std::uint32_t channel_lifetime = 1'073'741'824; ///< bytes, Content-Length of OUT responses
    std::uint32_t setup_timeout = 60'000;          ///< ms, for a channel to find its mate
    std::uint32_t connect_timeout = 10'000;        ///< ms, for the connection to the server
    bool require_banner = false;                   ///< no "ncacn_http/1.0": server unavailable
    std::uint32_t descriptors = 0xffffffff;        ///< for proxies' connections and all that they need, as their numbers go
    std::uint32_t paired_limit = 20'000;           ///< proxies' connections to the virtual servers of one shard
};

} // namespace leg
