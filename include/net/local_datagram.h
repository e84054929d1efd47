#pragma once

#include <string_view>

namespace net {

/// Sends one datagram to a Unix socket: a path, or "@name" for one of Linux's abstract names. False when `path` is
/// neither, or nobody listens there. Does not block for long and needs no loop.
bool send_local_datagram(std::string_view path, std::string_view text) noexcept;

} // namespace net
