#pragma once

#include "leg/environment.h"
#include "leg/farewell.h"
#include "leg/inquiries.h"
#include "pairing/joiner.h"
#include "pairing/remote_proxy.h"
#include "pairing/virtual_server.h"

#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace pairing {

/// The server side of one shard, MS-RPCH 3.2.5: the table of virtual servers, keyed by the cookie of the virtual
/// connection, and the proxies that come to them by TCP. Lives in its loop's thread; only join() comes before.
///
/// A proxy's connection arrives on any shard and moves to the home shard of its virtual connection, where the
/// channels of this node reach the same table in memory.
class Pairing final : public VirtualServer::Finder, public Joiner::Host, public RemoteProxy::Host, public VirtualServer::Host {
public:
    /// What is done with a client that speaks version 1 of the protocol: its server's part is a splice.
    class Splicer {
    public:
        virtual void splice(leg::Arrival&& arrival) = 0;

    protected:
        ~Splicer() = default;
    };

    Pairing(const leg::Environment& environment, leg::Grants& grants, leg::Farewell& farewell, Splicer& splicer)
        : environment_(environment), grants_(grants), farewell_(farewell), splicer_(splicer), all_{this}
    {
    }

    /// Tells the pairing side of all shards, itself included, before the loops run.
    void join(std::span<Pairing* const> all) { all_.assign(all.begin(), all.end()); }

    /// A connection on a pairing port; `target` is the port's fixed one, or empty.
    void arrive(base::UniqueFd socket, const net::Address& peer, const std::string& target);

    VirtualServer* find_virtual_server(const leg::Visitor& visitor, bool make) override;

    /// The virtual connections that meet here, whatever way their channels come.
    std::vector<rpch::Cookie> virtual_connections() const;
    bool meets_here(const rpch::Cookie& virtual_connection) const { return servers_.contains(virtual_connection); }
    void end(const rpch::Cookie& virtual_connection, const std::string& reason);
    void close_all(const std::string& reason);

    std::size_t virtual_servers() const noexcept { return servers_.size(); }
    /// Proxies' connections.
    std::size_t size() const noexcept { return joiners_.size() + judged_.size() + proxies_.size(); }

private:
    void joiner_ready(Joiner& joiner, Joining&& joining) override;
    void joiner_failed(Joiner& joiner, const std::string& reason) override;
    void proxy_ended(RemoteProxy& proxy, net::Stream stream) override;
    void virtual_server_ended(VirtualServer& server) override;

    void admit(Joining&& joining);
    void judge(Joining&& joining);
    void on_judged(Joining&& joining, std::uint64_t generation, const std::optional<directory::Decision>& answer);
    void attach(Joining&& joining, VirtualServer& server);
    void splice(Joining&& joining, const directory::Decision& decision);
    void refuse(Joining& joining, const std::string& reason);
    VirtualServer* find(const rpch::Cookie& virtual_connection);
    VirtualServer& make(const rpch::Cookie& virtual_connection, leg::Grants::Shared grant);

    const leg::Environment& environment_;
    leg::Grants& grants_;
    leg::Farewell& farewell_;
    Splicer& splicer_;
    std::vector<Pairing*> all_;
    std::list<Joiner> joiners_;
    leg::Inquiries<Joining> judged_;
    std::unordered_map<const RemoteProxy*, std::shared_ptr<RemoteProxy>> proxies_;
    std::unordered_map<rpch::Cookie, std::unique_ptr<VirtualServer>> servers_;
    bool closed_ = false;
};

} // namespace pairing
