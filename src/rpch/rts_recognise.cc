#include "rpch/client.h"
#include "rpch/inbound_proxy.h"
#include "rpch/outbound_proxy.h"
#include "rpch/server.h"

namespace rpch {

std::optional<RtsId> recognise(Role receiver, Where where, RoleState states, const Rts& rts) noexcept
{
    switch (receiver) {
    case Role::client: return Client::recognise(where, states, rts);
    case Role::inbound_proxy: return InboundProxy::recognise(where, states, rts);
    case Role::server: return Server::recognise(where, states, rts);
    case Role::outbound_proxy: return OutboundProxy::recognise(where, states, rts);
    }
    return std::nullopt;
}

} // namespace rpch
