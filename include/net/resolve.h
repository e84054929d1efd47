#pragma once

#include "net/address.h"

#include <cstdint>
#include <string>
#include <vector>

namespace net {

struct Resolved {
    std::vector<Address> addresses; ///< in the resolver's order, with the port; empty when there is none
    std::string error;              ///< why there is none, for the log
};

/// Looks a host name up. Blocks, for as long as the resolver likes: run it on a worker.
Resolved resolve(const std::string& host, std::uint16_t port);

} // namespace net
