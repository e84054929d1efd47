#pragma once

#include "leg/reply.h"

#include <cstdint>
#include <string>

namespace leg {

/// Why a hop could not be opened; the code goes to the client in `RPC Error:`.
struct Failure {
    std::uint32_t rpc_error = rpc_code::server_unavailable; ///< unless there is a better word
    std::string reason;
};

/// epoll takes no more descriptors, for the reason in errno. It is told in the log, too.
Failure no_watch();

} // namespace leg
