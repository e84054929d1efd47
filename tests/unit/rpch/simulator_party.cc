#include "unit/rpch/simulator_party.h"

namespace simulator {

using rpch::Effect;
using rpch::Effects;
using rpch::Leg;
using rpch::Role;
using rpch::RoleState;
using rpch::Where;

namespace {

Leg successor_of(Leg leg)
{
    return leg == Leg::client ? Leg::successor : leg == Leg::in ? Leg::in_successor : Leg::out_successor;
}

Leg predecessor_of(Leg leg)
{
    return leg == Leg::client ? Leg::predecessor : leg == Leg::in ? Leg::in_predecessor : Leg::out_predecessor;
}

} // namespace

// What all have in common.

void Party::attach(Port& port, Leg leg)
{
    port.owner = this;
    port.leg = leg;
    legs_[leg] = &port;
}

void Party::run(const Effects& effects)
{
    for (const Effect& effect : effects) {
        if (ended_)
            return;
        const auto found = legs_.find(effect.leg);
        Port* const port = found == legs_.end() ? nullptr : found->second;
        switch (effect.kind) {
        case Effect::Kind::connect_server:
        case Effect::Kind::connect_successor: world_.later(*this, effect.leg); break;
        case Effect::Kind::respond: write(*port, {.kind = Message::Kind::head}); break;
        case Effect::Kind::send:
            // Behind A9 only acknowledgements for the predecessor follow.
            if (!port || (port->last_gone && effect.leg != Leg::out_predecessor))
                world_.violation = name_ + " sends on a leg that is gone, or behind its last PDU";
            else
                write(*port, {.kind = Message::Kind::rts, .pdu = effect.pdu});
            break;
        case Effect::Kind::send_last:
            port->last = effect.pdu;
            flush(*port);
            break;
        case Effect::Kind::promote: {
            Port* const successor = legs_.at(successor_of(effect.leg));
            legs_.erase(successor_of(effect.leg));
            if (legs_.contains(predecessor_of(effect.leg)))
                world_.violation = name_ + " promotes while a predecessor is still there";
            attach(*legs_.at(effect.leg), predecessor_of(effect.leg));
            attach(*successor, effect.leg);
            promoted(effect.leg);
            break;
        }
        case Effect::Kind::drop:
            if (port) {
                legs_.erase(effect.leg);
                world_.close(*port);
            }
            break;
        case Effect::Kind::flow:
            if (port)
                flush(*port);
            flows(effect.leg);
            break;
        case Effect::Kind::opened: flows(Leg::client); break;
        case Effect::Kind::keep_alive: break;
        case Effect::Kind::finish:
            world_.leave_table(*this);
            finishing_ = true;
            finish_if_idle();
            break;
        case Effect::Kind::close: return end(effect.reason);
        }
    }
}

void Party::write(Port& port, const Message& message)
{
    if (!port.closed && !port.peer->closed)
        port.peer->inbox.push_back(message);
}

void Party::put(Leg leg, const Message& message)
{
    Port& port = *legs_.at(leg);
    if (port.last || port.last_gone)
        world_.violation = name_ + " has an RPC PDU behind the last PDU";
    port.waiting.push_back(message);
    flush(port);
}

void Party::flush(Port& port)
{
    std::uint32_t gone = 0;
    while (!port.closed && !port.blocked && !port.waiting.empty() && admits(port.leg, port.waiting.front().size)) {
        const Message message = port.waiting.front();
        port.waiting.pop_front();
        gone += message.size;
        write(port, message);
        sent(port.leg, message.size);
    }
    if (gone > 0)
        consumed(gone);
    if (!port.closed && !port.blocked && port.waiting.empty() && port.last) {
        write(port, {.kind = Message::Kind::rts, .pdu = *port.last});
        port.last.reset();
        port.last_gone = true;
        drained(port.leg);
    }
    finish_if_idle();
}

void Party::finish_if_idle()
{
    if (!finishing_ || ended_)
        return;
    for (const auto& [leg, port] : legs_)
        if (!port->waiting.empty() || port->last)
            return;
    end("");
}

void Party::lost(Port& port)
{
    legs_.erase(port.leg);
    port.waiting.clear();
    Effects effects;
    closed(port.leg, effects);
    run(effects);
}

void Party::end(const std::string& reason)
{
    if (ended_)
        return;
    ended_ = true;
    if (!reason.empty())
        world_.reasons.push_back(name_ + ": " + reason);
    if (world_.reasons.size() > 12)
        world_.reasons.pop_front();
    for (const auto& [leg, port] : legs_)
        world_.close(*port);
    legs_.clear();
    world_.leave_table(*this);
}

std::size_t Party::waiting() const
{
    std::size_t bytes = 0;
    for (const auto& [leg, port] : legs_)
        for (const Message& message : port->waiting)
            bytes += message.size;
    return bytes;
}

std::string Party::stuck() const
{
    for (const auto& [leg, port] : legs_)
        if (!port->waiting.empty() && !port->blocked)
            return name_ + " holds an RPC PDU of " + std::to_string(port->waiting.front().size) + " bytes";
    return {};
}

// The inbound proxy.

InboundParty::InboundParty(World& world, std::size_t node)
    : Party(world, "inbound proxy " + std::to_string(node)),
      role_({.receive_window = world.settings_.window, .connection_timeout = 120'000})
{
}

bool InboundParty::admit(Port& port, const rpch::Rts& pdu)
{
    Effects effects;
    if (legs_.empty()) {
        attach(port, Leg::client);
        role_.on_first_pdu(pdu, effects);
    } else {
        if (role_.on_successor(pdu, effects))
            return false;
        attach(port, Leg::successor);
    }
    run(effects);
    return true;
}

bool InboundParty::reads(const Port& port) const
{
    if (port.leg == Leg::server)
        return true;
    return port.leg == Leg::client && role_.reads_client() && waiting() <= world_.settings_.window;
}

void InboundParty::receive(Port& port, const Message& message)
{
    Effects effects;
    if (message.kind == Message::Kind::rpc) {
        const char* const error =
            port.leg == Leg::client ? role_.on_client_rpc(message.size) : rpch::InboundProxy::on_server_rpc();
        return error ? end(error) : put(Leg::server, message);
    }
    if (port.leg == Leg::client)
        role_.on_client_rts(parse(message.pdu), effects);
    else
        role_.on_server_rts(parse(message.pdu), effects);
    run(effects);
}

void InboundParty::consumed(std::uint32_t size)
{
    Effects effects;
    role_.on_consumed(size, effects);
    run(effects);
}

void InboundParty::connect(Leg)
{
    attach(world_.connect(Role::server, 0), Leg::server);
    Effects effects;
    role_.on_server_connected({}, effects);
    run(effects);
}

void InboundParty::expire()
{
    Effects effects;
    if (role_.awaits())
        role_.on_timeout(effects);
    run(effects);
}

std::optional<rpch::RtsId> InboundParty::recognise(const Port& port, const rpch::Rts& pdu) const
{
    return rpch::InboundProxy::recognise(port.leg == Leg::server ? Where::leg : Where::request,
                                         static_cast<RoleState>(role_.state()), pdu);
}

// The outbound proxy.

OutboundParty::OutboundParty(World& world, std::size_t node)
    : Party(world, "outbound proxy " + std::to_string(node)),
      role_({.receive_window = world.settings_.window,
             .connection_timeout = 120'000,
             .channel_lifetime = world.settings_.out_lifetime})
{
}

bool OutboundParty::admit(Port& port, const rpch::Rts& pdu)
{
    Effects effects;
    if (legs_.empty()) {
        attach(port, Leg::client);
        role_.on_first_pdu(pdu, effects);
    } else {
        if (role_.on_successor(pdu, effects))
            return false;
        attach(port, Leg::successor);
    }
    run(effects);
    return true;
}

bool OutboundParty::admits(Leg leg, std::uint32_t size)
{
    if (role_.lifetime_admits(size, leg))
        return role_.admits(size, leg);
    world_.violation = name_ + " would exceed its Content-Length";
    return false;
}

void OutboundParty::receive(Port& port, const Message& message)
{
    Effects effects;
    if (message.kind == Message::Kind::rpc) {
        const char* const error = port.leg == Leg::server ? role_.on_server_rpc(message.size, effects)
                                                          : rpch::OutboundProxy::on_client_bytes();
        if (error)
            return end(error);
        put(Leg::client, message);
    } else if (port.leg == Leg::server) {
        role_.on_server_rts(parse(message.pdu), effects);
    } else {
        role_.on_client_rts(port.leg, parse(message.pdu), effects);
    }
    run(effects);
}

void OutboundParty::consumed(std::uint32_t size)
{
    Effects effects;
    role_.on_consumed(size, effects);
    run(effects);
}

bool OutboundParty::silence(bool rest)
{
    if (tell(role_, role_.server_may_wait()))
        return true;
    if (!rest || ended_)
        return false;
    for (const Leg leg : {Leg::predecessor, Leg::client}) {
        const auto found = legs_.find(leg);
        if (found == legs_.end() || !role_.windowed(leg))
            continue;
        Port& port = *found->second;
        if (port.waiting.empty() || port.blocked || !port.peer->inbox.empty() ||
            role_.admits(port.waiting.front().size, leg))
            continue;
        ++world_.windows_lifted;
        role_.give_up_window(leg);
        flush(port);
        return true;
    }
    return false;
}

/// The old response ends with OUT_R2/B3.
void OutboundParty::drained(Leg leg)
{
    if (leg != Leg::predecessor)
        return;
    Port* const port = legs_.at(leg);
    legs_.erase(leg);
    world_.close(*port);
    role_.on_drained(leg);
}

void OutboundParty::connect(Leg)
{
    attach(world_.connect(Role::server, 0), Leg::server);
    Effects effects;
    role_.on_server_connected(effects);
    run(effects);
}

void OutboundParty::expire()
{
    Effects effects;
    if (role_.awaits())
        role_.on_timeout(effects);
    run(effects);
}

std::optional<rpch::RtsId> OutboundParty::recognise(const Port& port, const rpch::Rts& pdu) const
{
    return rpch::OutboundProxy::recognise(port.leg == Leg::server ? Where::leg : Where::request,
                                          static_cast<RoleState>(role_.state()), pdu);
}

} // namespace simulator
