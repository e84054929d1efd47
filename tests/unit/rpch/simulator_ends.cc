#include "unit/rpch/simulator_party.h"

namespace simulator {

using rpch::Effects;
using rpch::Leg;
using rpch::Role;
using rpch::RoleState;
using rpch::Where;

namespace {

/// PDUs that an application hands over before it waits for the channel.
constexpr std::size_t impatience = 1;

} // namespace

// The client.

ClientParty::ClientParty(World& world)
    : Party(world, "client"), role_({.receive_window = world.settings_.window,
                                     .in_lifetime = world.settings_.in_lifetime,
                                     .largest_pdu = world.settings_.largest_pdu,
                                     .recycle = true},
                                    rpch::Client::Cookies::random())
{
}

void ClientParty::open()
{
    in_node_ = world_.random(static_cast<std::uint32_t>(world_.nodes_.size()));
    out_node_ = world_.random(static_cast<std::uint32_t>(world_.nodes_.size()));
    attach(world_.connect(Role::inbound_proxy, in_node_), Leg::in);
    attach(world_.connect(Role::outbound_proxy, out_node_), Leg::out);
    Effects effects;
    role_.on_in_request(effects);
    role_.on_out_request(effects);
    run(effects);
}

void ClientParty::connect(Leg leg)
{
    const bool in = leg == Leg::in_successor;
    // The attempt may have been given up meanwhile.
    if (ended_ || (in ? role_.in_state() != RoleState::opened_a4w : role_.out_state() != RoleState::opened_a6w) ||
        legs_.contains(leg))
        return;
    std::size_t& next = in ? next_in_node_ : next_out_node_;
    next = world_.node_for_successor(in ? in_node_ : out_node_);
    attach(world_.connect(in ? Role::inbound_proxy : Role::outbound_proxy, next), leg);
    Effects effects;
    role_.on_successor_request(leg, effects);
    run(effects);
}

void ClientParty::promoted(Leg leg)
{
    ++(leg == Leg::in ? world_.in_recycled : world_.out_recycled);
    (leg == Leg::in ? in_node_ : out_node_) = leg == Leg::in ? next_in_node_ : next_out_node_;
}

bool ClientParty::recycle()
{
    Effects effects;
    const bool possible = !ended_ && role_.recycle_in(effects);
    run(effects);
    return possible;
}

bool ClientParty::reads(const Port& port) const
{
    return port.leg != Leg::out_successor || port.inbox.front().kind == Message::Kind::head;
}

void ClientParty::receive(Port& port, const Message& message)
{
    Effects effects;
    if (message.kind == Message::Kind::head) {
        role_.on_success_response(effects, port.leg);
    } else if (message.kind == Message::Kind::rts) {
        role_.on_out_rts(parse(message.pdu), effects);
    } else {
        if (const char* const error = role_.on_out_rpc(message.size))
            return end(error);
        if (message.number != world_.down_received++)
            world_.violation =
                "RPC PDU " + std::to_string(message.number) + " of the server lost, repeated or out of order";
        unread_.push_back(message.size);
        ++unconsumed;
    }
    run(effects);
}

void ClientParty::consume()
{
    --unconsumed;
    const std::uint32_t size = unread_.front();
    unread_.pop_front();
    Effects effects;
    if (!ended_)
        role_.on_consumed(size, effects);
    run(effects);
}

bool ClientParty::wants_to_send() const
{
    stands_ = stands_ || role_.room() == 0;
    return !ended_ && !stands_ && legs_.at(Leg::in)->waiting.size() < impatience;
}

void ClientParty::produce()
{
    put(Leg::in, {.kind = Message::Kind::rpc,
                  .number = world_.up_sent++,
                  .size = 16 + world_.random(world_.settings_.largest_pdu - 16)});
}

void ClientParty::sent(Leg leg, std::uint32_t size)
{
    role_.sent(size, leg);
    if (role_.recycling_due())
        recycle();
}

void ClientParty::drained(Leg leg)
{
    Effects effects;
    role_.on_drained(leg, effects);
    run(effects);
}

void ClientParty::expire()
{
    for (const Leg leg : {Leg::in, Leg::out}) {
        Effects effects;
        if (!ended_ && role_.awaits(leg))
            role_.on_timeout(leg, effects);
        run(effects);
    }
}

std::optional<rpch::RtsId> ClientParty::recognise(const Port&, const rpch::Rts& pdu) const
{
    const auto state = role_.state();
    const RoleState states = state == rpch::Client::State::a3w   ? RoleState::wait_a3w
                             : state == rpch::Client::State::c2w ? RoleState::wait_c2
                                                                 : role_.in_state() | role_.out_state();
    return rpch::Client::recognise(Where::response, states, pdu);
}

// The server.

ServerParty::ServerParty(World& world)
    : Party(world, "server"),
      role_({.receive_window = world.settings_.window, .largest_pdu = world.settings_.largest_pdu})
{
}

RoleState ServerParty::states() const
{
    return role_.state() == rpch::Server::State::opened ? role_.in_state() | role_.out_state()
                                                        : static_cast<RoleState>(role_.state());
}

bool ServerParty::admit(Port& port, const rpch::Rts& pdu)
{
    if (ended_)
        return false;
    Effects effects;
    const rpch::Server::Admission admission = role_.on_newcomer(pdu, effects);
    if (admission.refusal)
        return false;
    // A dropped predecessor makes room before the successor is promoted.
    attach(port, admission.leg);
    run(effects);
    return true;
}

bool ServerParty::recycle()
{
    Effects effects;
    const bool possible = !ended_ && role_.recycle_out(effects);
    run(effects);
    return possible;
}

void ServerParty::receive(Port& port, const Message& message)
{
    const bool in = port.leg == Leg::in || port.leg == Leg::in_successor;
    Effects effects;
    if (message.kind == Message::Kind::rpc) {
        if (const char* const error = in ? role_.on_in_rpc(port.leg, message.size) : rpch::Server::on_out_rpc())
            return end(error);
        if (message.number != world_.up_received++)
            world_.violation =
                "RPC PDU " + std::to_string(message.number) + " of the client lost, repeated or out of order";
        unread_.push_back(message.size);
        ++unconsumed;
    } else if (in) {
        role_.on_in_rts(port.leg, parse(message.pdu), effects);
    } else {
        role_.on_out_rts(port.leg, parse(message.pdu), effects);
    }
    run(effects);
}

void ServerParty::consume()
{
    --unconsumed;
    const std::uint32_t size = unread_.front();
    unread_.pop_front();
    Effects effects;
    if (!ended_)
        role_.on_consumed(size, effects);
    run(effects);
}

bool ServerParty::wants_to_send() const
{
    stands_ = stands_ || role_.room() == 0;
    return !ended_ && !stands_ && legs_.at(Leg::out)->waiting.size() < impatience;
}

void ServerParty::produce()
{
    put(Leg::out, {.kind = Message::Kind::rpc,
                   .number = world_.down_sent++,
                   .size = 16 + world_.random(world_.settings_.largest_pdu - 16)});
}

void ServerParty::sent(Leg leg, std::uint32_t size)
{
    role_.sent(size, leg);
    if (role_.recycling_due())
        recycle();
}

void ServerParty::expire()
{
    for (const Leg leg : {Leg::in, Leg::out}) {
        Effects effects;
        if (!ended_ && role_.awaits(leg))
            role_.on_timeout(leg, effects);
        run(effects);
    }
}

std::optional<rpch::RtsId> ServerParty::recognise(const Port& port, const rpch::Rts& pdu) const
{
    const Where where = port.leg == Leg::in             ? Where::in_leg
                        : port.leg == Leg::out          ? Where::out_leg
                        : port.leg == Leg::in_successor ? Where::in_other
                                                        : Where::out_other;
    return rpch::Server::recognise(where, states(), pdu);
}

} // namespace simulator
