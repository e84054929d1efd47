#pragma once

#include "net/wheel.h"

namespace net {

/// Sets how long a TCP connection may be silent before the kernel probes the peer; whole seconds, at least
/// one. Has no effect on other sockets.
void set_keep_alive(int fd, Millis idle) noexcept;

} // namespace net
