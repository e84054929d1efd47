#include "net/sources.h"

#include <algorithm>

namespace net {

Sources::Sources(const std::vector<Address>& addresses, std::size_t first)
{
    for (Address address : addresses) {
        address.set_port(0);
        kind_of(address).addresses.push_back(address);
    }
    for (Kind& kind : kinds_)
        kind.turn = first;
}

Sources::Kind& Sources::kind_of(const Address& address) noexcept
{
    return kinds_[(address.ipv6() ? 2u : 0u) + (address.loopback() ? 1u : 0u)];
}

Sources::Turn Sources::next(const Address& peer) noexcept
{
    Kind& kind = kind_of(peer);
    return {kind.addresses, kind.turn++};
}

void Sources::note_used_up(const Address& source, const Address& peer, Millis now) noexcept
{
    until_ = now + rest;
    used_up_[oldest_++ % used_up_.size()] = {source, peer, until_};
}

bool Sources::used_up(const Address& source, const Address& peer, Millis now) const noexcept
{
    return now < until_ && std::any_of(used_up_.begin(), used_up_.end(), [&](const UsedUp& one) {
        return now < one.until && one.peer == peer && one.source == source;
    });
}

} // namespace net
