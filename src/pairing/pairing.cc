#include "pairing/pairing.h"

#include "base/shortage.h"
#include "leg/refusal.h"

#include <utility>

namespace pairing {

void Pairing::arrive(base::UniqueFd socket, const net::Address& peer, const std::string& target)
{
    const bool run_short = static_cast<std::uint32_t>(socket.get()) >= environment_.settings.descriptors;
    Joiner& joiner = joiners_.emplace_back(environment_.loop, *this, std::move(socket), peer, target);
    joiner.self = std::prev(joiners_.end());
    if (size() > environment_.settings.paired_limit)
        return joiner.end("connection_limit is reached");
    if (run_short) {
        base::report_shortage(base::Resource::descriptors, "a connection to pairing_listen", "too few are left");
        return joiner.end("no descriptors are left for it");
    }
    joiner.start(environment_.nodes, net::Millis(environment_.settings.setup_timeout));
}

void Pairing::joiner_ready(Joiner& joiner, Joining&& joining)
{
    environment_.loop.defer([this, self = joiner.self] { joiners_.erase(self); });
    environment_.loop.part_with(joining.stream);
    if (joining.version_1)
        return judge(std::move(joining));
    Pairing& home = *all_[joining.virtual_connection.hash() % all_.size()];
    if (&home == this)
        return admit(std::move(joining));
    auto parcel = std::make_shared<Joining>(std::move(joining));
    home.environment_.loop.post([&home, parcel] { home.admit(std::move(*parcel)); });
}

void Pairing::joiner_failed(Joiner& joiner, const std::string& reason)
{
    refuse(joiner.joining(), reason);
    environment_.loop.defer([this, self = joiner.self] { joiners_.erase(self); });
}

void Pairing::refuse(Joining& joining, const std::string& reason)
{
    leg::log_refused({0, "paired", &joining.virtual_connection, joining.peer, joining.party}, reason);
    farewell_.say(std::move(joining.stream));
}

void Pairing::admit(Joining&& joining)
{
    if (closed_)
        return refuse(joining, "the daemon stops");
    if (VirtualServer* const server = find(joining.virtual_connection))
        return attach(std::move(joining), *server);
    if (!joining.first_pdu.is(rpch::RtsId::conn_a2) && !joining.first_pdu.is(rpch::RtsId::conn_b2))
        return refuse(joining, "the first PDU does not begin a virtual connection, and none has this cookie");
    judge(std::move(joining));
}

/// The allowlist decides here too, whatever another node has decided before.
void Pairing::judge(Joining&& joining)
{
    const std::string target = joining.party.target;
    judged_.ask(environment_, "a connection to pairing_listen", std::move(joining), target,
                [this](Joining&& judged, std::uint64_t generation, const std::optional<directory::Decision>& answer) {
                    on_judged(std::move(judged), generation, answer);
                });
}

void Pairing::on_judged(Joining&& joining, std::uint64_t generation, const std::optional<directory::Decision>& answer)
{
    if (closed_)
        return refuse(joining, "the daemon stops");
    if (!answer)
        return refuse(joining, "too much waits for the directory");
    if (generation != environment_.judge.generation())
        return judge(std::move(joining));
    const directory::Decision& decision = *answer;
    if (!decision.allowed())
        return refuse(joining, decision.rule + ": " + decision.reason);
    if (decision.route.transport != directory::Transport::ncacn_ip_tcp)
        return refuse(joining, "only services of the transport ncacn_ip_tcp are paired here, and the target is at " +
                                   decision.route.text());
    if (joining.version_1)
        return splice(std::move(joining), decision);
    // Its mate can have come meanwhile.
    VirtualServer* const server = find(joining.virtual_connection);
    const leg::Grant grant = leg::Grant::of(joining.party, decision);
    attach(std::move(joining), server ? *server : make(joining.virtual_connection, grants_.share(grant)));
}

void Pairing::attach(Joining&& joining, VirtualServer& server)
{
    if (server.party() != joining.party)
        return refuse(joining, "the virtual connection belongs to another user or has another target");
    const auto proxy = std::make_shared<RemoteProxy>(environment_, std::move(joining), server, *this);
    proxies_.emplace(proxy.get(), proxy);
    proxy->start();
}

void Pairing::splice(Joining&& joining, const directory::Decision& decision)
{
    leg::Arrival arrival;
    arrival.method = leg::Method::connect;
    arrival.stream = std::move(joining.stream);
    arrival.early = std::move(joining.early);
    arrival.peer = joining.peer;
    arrival.grant = leg::Grant::of(std::move(joining.party), decision);
    splicer_.splice(std::move(arrival));
}

// The tables.

VirtualServer* Pairing::find(const rpch::Cookie& virtual_connection)
{
    const auto found = servers_.find(virtual_connection);
    return found == servers_.end() ? nullptr : found->second.get();
}

VirtualServer& Pairing::make(const rpch::Cookie& virtual_connection, leg::Grants::Shared grant)
{
    std::unique_ptr<VirtualServer>& server = servers_[virtual_connection];
    server = std::make_unique<VirtualServer>(environment_, virtual_connection, std::move(grant), *this);
    return *server;
}

VirtualServer* Pairing::find_virtual_server(const leg::Visitor& visitor, bool may_make)
{
    VirtualServer* const server = find(visitor.virtual_connection);
    if (server || !may_make)
        return server;
    return &make(visitor.virtual_connection, visitor.grant);
}

// What has ended may still be on the stack: it is destroyed at the end of the round.

void Pairing::virtual_server_ended(VirtualServer& server)
{
    const auto found = servers_.find(server.virtual_connection());
    if (found == servers_.end() || found->second.get() != &server)
        return;
    environment_.loop.defer([last = std::shared_ptr<VirtualServer>(std::move(found->second))] {});
    servers_.erase(found);
}

void Pairing::proxy_ended(RemoteProxy& proxy, net::Stream stream)
{
    farewell_.say(std::move(stream));
    const auto found = proxies_.find(&proxy);
    environment_.loop.defer([last = std::move(found->second)] {});
    proxies_.erase(found);
}

std::vector<rpch::Cookie> Pairing::virtual_connections() const
{
    std::vector<rpch::Cookie> cookies;
    cookies.reserve(servers_.size());
    for (const auto& entry : servers_)
        cookies.push_back(entry.first);
    return cookies;
}

void Pairing::end(const rpch::Cookie& virtual_connection, const std::string& reason)
{
    if (VirtualServer* const server = find(virtual_connection))
        server->end(reason);
}

void Pairing::close_all(const std::string& reason)
{
    closed_ = true;
    while (!servers_.empty())
        servers_.begin()->second->end(reason);
    while (!proxies_.empty())
        proxies_.begin()->second->abandon();
    for (Joiner& joiner : joiners_)
        joiner.end(reason);
    judged_.end([&](Joining&& joining) { refuse(joining, reason); });
}

} // namespace pairing
