#include "unit/rpch/simulator.h"

#include "unit/rpch/simulator_party.h"

#include "rpch/rts_builder.h"

#include <algorithm>

namespace simulator {

using rpch::Effects;
using rpch::Leg;
using rpch::Role;

namespace {

/// Of acknowledgements nothing is damaged: for a wrong channel they are discarded, and the sender waits.
bool damage_cookie(rpch::Rts& pdu)
{
    for (std::size_t i = pdu.count; i-- > 0;)
        if (pdu.list[i].type == rpch::CommandType::cookie) {
            pdu.list[i].cookie.bytes[7] ^= 0x55;
            return true;
        }
    return false;
}

} // namespace

World::World(const Settings& settings) : settings_(settings), random_(settings.seed), nodes_(settings.nodes)
{
    server_ = std::make_unique<ServerParty>(*this);
    auto client = std::make_unique<ClientParty>(*this);
    ClientParty& role = *client;
    client_ = std::move(client);
    role.open();
}

World::~World() = default;

Port& World::connect(Role to, std::size_t node)
{
    Connection& connection = connections_.emplace_back();
    connection.to = to;
    connection.node = node;
    connection.ends[0].peer = &connection.ends[1];
    connection.ends[1].peer = &connection.ends[0];
    return connection.ends[0];
}

bool World::step(bool traffic)
{
    using Kind = Choice::Kind;
    choices_.clear();
    for (Connection& connection : connections_)
        for (Port& port : connection.ends) {
            if (port.closed || connection.frozen)
                continue;
            if (!port.inbox.empty() &&
                (!port.owner || port.inbox.front().kind == Message::Kind::end || port.owner->reads(port)))
                choices_.push_back({.kind = Kind::deliver, .connection = &connection, .port = &port});
            if (port.blocked)
                choices_.push_back({.kind = Kind::unblock, .port = &port});
        }
    for (std::size_t i = 0; i < events_.size(); ++i)
        choices_.push_back({.kind = Kind::connect, .event = i});
    for (Party* const end : {client_.get(), server_.get()}) {
        if (end->unconsumed > 0)
            choices_.push_back({.kind = Kind::consume, .party = end});
        if (traffic && end->wants_to_send())
            choices_.push_back({.kind = Kind::produce, .party = end});
    }
    if (choices_.empty())
        return fall_silent(true);
    const Choice choice = choices_[random(static_cast<std::uint32_t>(choices_.size()))];
    switch (choice.kind) {
    case Kind::deliver: deliver(*choice.connection, *choice.port); break;
    case Kind::unblock:
        choice.port->blocked = false;
        choice.port->owner->flush(*choice.port);
        break;
    case Kind::connect: {
        const Event event = events_[choice.event];
        events_.erase(events_.begin() + static_cast<std::ptrdiff_t>(choice.event));
        event.party->connect(event.leg);
        break;
    }
    case Kind::consume: choice.party->consume(); break;
    case Kind::produce: choice.party->produce(); break;
    }
    if (traffic && random(40) == 0 && !connections_.empty()) {
        Connection& connection =
            *std::next(connections_.begin(), random(static_cast<std::uint32_t>(connections_.size())));
        if (Port& port = connection.ends[random(2)]; port.owner && !port.closed)
            port.blocked = true;
    }
    if (traffic && random(200) == 0)
        fall_silent(false);
    for (const auto& proxy : proxies_)
        most_waiting_ = std::max(most_waiting_, proxy->waiting());
    bury();
    return true;
}

void World::settle()
{
    for (std::size_t steps = 0; step(false); ++steps)
        if (steps == 1'000'000) {
            violation = "it never comes to rest";
            return;
        }
}

bool World::fall_silent(bool rest)
{
    bool told = server_->silence(rest);
    for (const auto& proxy : proxies_)
        told = proxy->silence(rest) || told;
    bury();
    return told;
}

std::string World::stuck() const
{
    for (const Party* const end : {client_.get(), server_.get()})
        if (!end->ended() && end->stuck().empty() && !end->wants_to_send())
            return end->name() + "'s application may not send";
    for (const auto& proxy : proxies_)
        if (const std::string text = proxy->stuck(); !text.empty())
            return text;
    return client_->stuck() + server_->stuck();
}

void World::expire()
{
    for (const auto& proxy : proxies_)
        proxy->expire();
    server_->expire();
    client_->expire();
    for (Connection& connection : connections_)
        connection.frozen = false;
    bury();
}

void World::deliver(Connection& connection, Port& port)
{
    const Message message = port.inbox.front();
    port.inbox.pop_front();
    if (message.kind == Message::Kind::end) {
        port.closed = true;
        if (port.owner)
            port.owner->lost(port);
        return;
    }
    if (!port.owner)
        return accept(connection, port, message);
    if (message.kind == Message::Kind::rts) {
        if (const auto id = port.owner->recognise(port, parse(message.pdu)))
            ++seen[*id];
    }
    port.owner->receive(port, message);
}

void World::accept(Connection& connection, Port& port, const Message& first)
{
    const rpch::Rts pdu = parse(first.pdu);
    rpch::RoleState states = rpch::RoleState::vc_unknown;
    Party* party = server_.get();
    if (connection.to != Role::server) {
        Node& node = nodes_[connection.node];
        Party*& place = connection.to == Role::inbound_proxy ? node.inbound : node.outbound;
        if (place)
            states = rpch::RoleState::vc_known;
        else if (connection.to == Role::inbound_proxy)
            place = proxies_.emplace_back(std::make_unique<InboundParty>(*this, connection.node)).get();
        else
            place = proxies_.emplace_back(std::make_unique<OutboundParty>(*this, connection.node)).get();
        party = place;
    } else {
        states = static_cast<ServerParty&>(*server_).states();
    }
    if (const auto id = rpch::recognise(connection.to, rpch::Where::first, states, pdu))
        ++seen[*id];
    if (!party->admit(port, pdu))
        close(port);
}

void World::close(Port& port)
{
    if (port.closed)
        return;
    port.closed = true;
    port.waiting.clear();
    port.inbox.clear();
    if (!port.peer->closed)
        port.peer->inbox.push_back({.kind = Message::Kind::end});
}

/// What is on its way is lost, and both ends hear of it.
void World::cut(Connection& connection)
{
    connection.frozen = false;
    for (Port& port : connection.ends)
        if (!port.closed) {
            port.inbox.clear();
            port.inbox.push_back({.kind = Message::Kind::end});
        }
}

bool World::recycle_in()
{
    return static_cast<ClientParty&>(*client_).recycle();
}

bool World::recycle_out()
{
    return static_cast<ServerParty&>(*server_).recycle();
}

/// Somebody who knows the virtual connection's cookie, but not those of the channels.
void World::forge()
{
    const rpch::Cookie vc = static_cast<ClientParty&>(*client_).virtual_connection();
    const std::size_t node = random(static_cast<std::uint32_t>(nodes_.size()));
    const bool in = random(2) == 0;
    Port& port = connect(in ? Role::inbound_proxy : Role::outbound_proxy, node);
    auto builder = [&](rpch::RtsId id) -> rpch::RtsBytes {
        rpch::RtsBuilder pdu(id);
        pdu.version().cookie(vc).cookie(rpch::Cookie::random()).cookie(rpch::Cookie::random());
        return in ? pdu.done() : pdu.receive_window(65536).done();
    };
    port.peer->inbox.push_back(
        {.kind = Message::Kind::rts, .pdu = builder(in ? rpch::RtsId::in_r1_a1 : rpch::RtsId::out_r1_a3)});
}

std::string World::break_something()
{
    std::vector<Connection*> open;
    for (Connection& connection : connections_)
        if (!connection.ends[0].closed && !connection.ends[1].closed)
            open.push_back(&connection);
    const std::uint32_t what = random(10);
    if (what < 3 || open.empty()) {
        forge();
        return "forged successor";
    }
    Connection& connection = *open[random(static_cast<std::uint32_t>(open.size()))];
    if (what < 5) {
        connection.frozen = true;
        return "frozen connection";
    }
    if (what < 7)
        for (Port& port : connection.ends)
            for (Message& message : port.inbox)
                if (message.kind == Message::Kind::rts)
                    if (rpch::Rts pdu = parse(message.pdu); damage_cookie(pdu)) {
                        message.pdu = rpch::encode(pdu);
                        return "wrong cookie";
                    }
    cut(connection);
    return "lost connection";
}

void World::close_client()
{
    client_->end("the user leaves");
}

bool World::client_alive() const
{
    return !client_->ended();
}

bool World::server_alive() const
{
    return !server_->ended();
}

std::size_t World::connections() const
{
    return static_cast<std::size_t>(std::ranges::count_if(connections_, [](const Connection& connection) {
        return !connection.ends[0].closed || !connection.ends[1].closed;
    }));
}

void World::leave_table(Party& party)
{
    for (Node& node : nodes_) {
        if (node.inbound == &party)
            node.inbound = nullptr;
        if (node.outbound == &party)
            node.outbound = nullptr;
    }
}

/// Forgets what has ended.
void World::bury()
{
    for (auto proxy = proxies_.begin(); proxy != proxies_.end();) {
        if (!(*proxy)->ended()) {
            ++proxy;
            continue;
        }
        std::erase_if(events_, [&](const Event& event) { return event.party == proxy->get(); });
        for (Connection& connection : connections_)
            for (Port& port : connection.ends)
                if (port.owner == proxy->get())
                    port.owner = nullptr;
        proxy = proxies_.erase(proxy);
    }
    connections_.remove_if(
        [](const Connection& connection) { return connection.ends[0].closed && connection.ends[1].closed; });
}

std::size_t World::node_for_successor(std::size_t now)
{
    if (settings_.same_node)
        return *settings_.same_node ? now
                                    : (now + 1 + random(static_cast<std::uint32_t>(nodes_.size() - 1))) % nodes_.size();
    return random(static_cast<std::uint32_t>(nodes_.size()));
}

std::string World::describe() const
{
    std::string text = "seed " + std::to_string(settings_.seed) + ", up " + std::to_string(up_received) + '/' +
                       std::to_string(up_sent) + ", down " + std::to_string(down_received) + '/' +
                       std::to_string(down_sent) + ", recycled " + std::to_string(in_recycled) + '+' +
                       std::to_string(out_recycled) + ", proxies " + std::to_string(proxies_.size()) +
                       ", connections " + std::to_string(connections());
    if (!violation.empty())
        text += ", violation: " + violation;
    for (const std::string& reason : reasons)
        text += "; " + reason;
    return text;
}

} // namespace simulator
