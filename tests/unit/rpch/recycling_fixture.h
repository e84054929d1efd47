#pragma once

#include "rpch/client.h"
#include "rpch/inbound_proxy.h"
#include "rpch/outbound_proxy.h"
#include "rpch/rts_fields.h"
#include "rpch/server.h"
#include "unit/rpch/role_fixture.h"

/// Roles that are Opened, and what the tests of recycling do with them: one event, its effects as words.
namespace recycling_test {

using namespace role_test;
using rpch::Client;
using rpch::Effects;
using rpch::InboundProxy;
using rpch::Leg;
using rpch::OutboundProxy;
using rpch::RoleState;
using rpch::Rts;
using rpch::RtsId;
using rpch::Server;

inline InboundProxy new_inbound()
{
    return InboundProxy({.receive_window = 65536, .connection_timeout = 120'000});
}

inline InboundProxy opened_inbound()
{
    InboundProxy proxy = new_inbound();
    Effects effects;
    proxy.on_first_pdu(make(RtsId::conn_b1, {vc, in}), effects);
    proxy.on_server_connected({}, effects);
    proxy.on_server_rts(make(RtsId::conn_b3), effects);
    return proxy;
}

inline OutboundProxy new_outbound()
{
    return OutboundProxy({.receive_window = 65536, .connection_timeout = 120'000, .channel_lifetime = 0x40000000});
}

/// After the server's first answer, of 60 bytes.
inline OutboundProxy opened_outbound()
{
    OutboundProxy proxy = new_outbound();
    Effects effects, established;
    proxy.on_first_pdu(make(RtsId::conn_a1, {vc, out}), effects);
    proxy.on_server_connected(effects);
    proxy.on_server_rts(make(RtsId::conn_c1), established);
    proxy.on_server_rpc(60, established);
    proxy.sent(60);
    return proxy;
}

inline Server opened_server()
{
    Server server({.receive_window = 65536});
    Effects effects;
    (void)server.on_newcomer(make(RtsId::conn_a2, {vc, out}), effects);
    (void)server.on_newcomer(make(RtsId::conn_b2, {vc, in}), effects);
    return server;
}

inline Client opened_client(const Client::Settings& settings = {.recycle = true})
{
    Client client(settings, {cookie(vc), cookie(in), cookie(out), cookie(group)});
    Effects effects;
    client.on_in_request(effects);
    client.on_out_request(effects);
    client.on_success_response(effects);
    client.on_out_rts(make(RtsId::conn_a3), effects);
    client.on_out_rts(make(RtsId::conn_c2), effects);
    return client;
}

inline std::string newcomer(Server& server, const Rts& pdu)
{
    Effects effects;
    return server.on_newcomer(pdu, effects).refusal ? "refused" : words(effects);
}

inline std::string from_inbound(Server& server, const Rts& pdu, Leg from = Leg::in)
{
    Effects effects;
    server.on_in_rts(from, pdu, effects);
    return words(effects);
}

inline std::string from_outbound(Server& server, const Rts& pdu, Leg from = Leg::out)
{
    Effects effects;
    server.on_out_rts(from, pdu, effects);
    return words(effects);
}

inline std::string recycle(Server& server)
{
    Effects effects;
    return server.recycle_out(effects) ? words(effects) : "no";
}

inline std::string from_client(InboundProxy& proxy, const Rts& pdu)
{
    Effects effects;
    proxy.on_client_rts(pdu, effects);
    return words(effects);
}

inline std::string from_client(OutboundProxy& proxy, Leg leg, const Rts& pdu)
{
    Effects effects;
    proxy.on_client_rts(leg, pdu, effects);
    return words(effects);
}

template <class Proxy> std::string from_server(Proxy& proxy, const Rts& pdu)
{
    Effects effects;
    proxy.on_server_rts(pdu, effects);
    return words(effects);
}

template <class Proxy> std::string successor(Proxy& proxy, const Rts& pdu)
{
    Effects effects;
    return proxy.on_successor(pdu, effects) ? "refused" : words(effects);
}

inline std::string idle(OutboundProxy& proxy)
{
    Effects effects;
    proxy.on_idle(effects);
    return words(effects);
}

inline std::string to_client(Client& client, const Rts& pdu)
{
    Effects effects;
    client.on_out_rts(pdu, effects);
    return words(effects);
}

template <class Role> std::string closed(Role& role, Leg leg)
{
    Effects effects;
    role.on_closed(leg, effects);
    return words(effects);
}

template <class Role, class... Which> std::string expired(Role& role, Which... which)
{
    Effects effects;
    role.on_timeout(which..., effects);
    return words(effects);
}

} // namespace recycling_test
