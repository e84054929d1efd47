#pragma once

#include "net/address.h"
#include "net/wheel.h"

namespace net {

/// Sets how long a TCP connection may be silent before the kernel probes the peer; whole seconds, at least
/// one. For sockets of a Listener or Connector, which have probing switched on.
void set_keep_alive(int fd, Millis idle) noexcept;

/// Whether this machine has the address, whatever the port.
bool is_own_address(Address address) noexcept;

/// Whether the routing knows an address of this machine from which `peer` can be reached.
bool has_source_towards(const Address& peer) noexcept;

} // namespace net
