#pragma once

#include "base/unique_fd.h"

#include <optional>
#include <utility>

namespace net {

/// Two stream sockets of this process, connected to each other, that do not block and are closed on exec.
/// Nothing when descriptors or memory run out; then errno says which.
std::optional<std::pair<base::UniqueFd, base::UniqueFd>> socket_pair() noexcept;

} // namespace net
