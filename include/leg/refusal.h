#pragma once

#include "leg/arrival.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace leg {

/// Whom the tunnel turns away: the log has one line for it, `refused`, whoever says no and why.
struct Refused {
    std::uint64_t id;                       ///< of the HTTP connection; 0: it came without
    const char* channel;                    ///< "in", "out", "connect"; "paired": a proxy's connection
    const rpch::Cookie* virtual_connection; ///< null: none was named
    const net::Address& peer;
    const Party& party;
};

/// At notice: what an administrator sees who looks for nothing but failures.
void log_refused(const Refused& who, std::string_view reason);

} // namespace leg
