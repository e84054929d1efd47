#pragma once

#include "access/scheme.h"
#include "base/lane.h"
#include "base/unique_fd.h"
#include "daemon/config.h"
#include "directory/directory.h"
#include "http/front.h"
#include "net/address.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/sources.h"
#include "net/timer.h"
#include "net/tls.h"
#include "tunnel/hub.h"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace rpctunneld {

/// One event loop and all that lives in it: listeners, HTTP front, tunnels. A thread of its own from start() to the
/// end of join(); before and after that, everything belongs to the main thread.
class Shard {
public:
    Shard(unsigned number, net::Loop& loop);
    ~Shard();

    /// Binds. Nothing is accepted before start(). Throws std::runtime_error that names address and reason.
    net::Address listen(const net::Address& address, bool tls);
    /// The same for `pairing_listen`; `target` is fixed, or empty: the nodes name it.
    net::Address listen_for_proxies(const net::Address& address, const std::string& target);
    /// Builds what serves. Throws std::runtime_error.
    void open(base::Lane& directory, net::Resolver& resolver, const auth::Backends& backends, directory::Directory& database,
              const leg::Settings& settings, const leg::Nodes& nodes, const std::vector<net::Address>& sources,
              const http::Limits& limits, http::RpcConnect rpc_connect);
    tunnel::Hub& hub() noexcept { return *hub_; }
    void start();

    // From the main thread while the shard runs; each takes effect a moment later.
    void use_certificates(std::shared_ptr<const net::TlsServerContext> context);
    void recheck_routes();
    /// No new clients; tunnels end in order, until `bound` has passed. The loop goes on. `on_drained` is called in the shard's
    /// thread when drained() has become true.
    void drain(Millis bound, std::function<void()> on_drained);
    /// Nothing is left here, or the time for it is up. All shards stop together, for they send each other streams.
    bool drained() const noexcept { return drained_; }
    /// Ends what is left, and the loop.
    void stop();
    void join();

private:
    struct Door {
        Door(Shard& owner, const net::Address& address, bool with_tls);
        void on_accept(base::UniqueFd&& socket, const net::Address& peer);
        void on_overflow(base::UniqueFd&& socket, const net::Address&);

        Shard& shard;
        const bool tls;
        net::Listener listener;
    };

    struct PairingDoor {
        PairingDoor(Shard& owner, const net::Address& address, const std::string& fixed_target);
        void on_accept(base::UniqueFd&& socket, const net::Address& peer);
        void on_overflow(base::UniqueFd&& socket, const net::Address& peer);

        Shard& shard;
        const std::string target;
        net::Listener listener;
    };

    void begin_drain(Millis bound, std::function<void()> drained);
    void on_drain_check();
    void end();

    const unsigned number_;
    net::Loop& loop_;
    std::shared_ptr<const net::TlsServerContext> context_;
    net::Sources sources_;
    std::optional<tunnel::Hub> hub_;
    std::optional<http::Front> front_;
    std::vector<std::unique_ptr<Door>> doors_;
    std::vector<std::unique_ptr<PairingDoor>> pairing_doors_;
    net::Timer drain_check_;
    net::Millis drain_until_{};
    std::function<void()> on_drained_;
    std::atomic<bool> drained_{false};
    std::thread thread_;
};

} // namespace rpctunneld
