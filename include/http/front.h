#pragma once

#include "access/authenticator.h"
#include "base/lane.h"
#include "base/unique_fd.h"
#include "directory/directory.h"
#include "http/engine.h"
#include "http/gate.h"
#include "http/rpc_connect.h"
#include "leg/arrival.h"
#include "leg/farewell.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/timer.h"
#include "net/tls.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

namespace http {

class Connection;

struct Limits {
    /// Of one request head. A Kerberos token of 64 KiB takes 88,000 bytes of it.
    std::size_t head_bytes = 96 * 1024;
    /// Client connections of this shard at once, the tunnels' included.
    std::size_t connections = 20000;
    /// Descriptors of the process for clients and all that they need.
    std::size_t descriptors = SIZE_MAX;
    /// Descriptors that a connection which is no tunnel yet can still need, with all other shards' like it.
    std::size_t descriptors_owed = 2;
    net::Millis handshake{10'000}; ///< for the whole TLS handshake
    net::Millis head{30'000};      ///< from the first byte of a head to its last, also for a reply to be taken
    net::Millis idle{60'000};      ///< between requests, and behind a reply for a body that nobody needs
    net::Millis judge{60'000};     ///< for the verdict on it
    net::Millis linger{2'000};     ///< for the client to take the last reply
};

/// What a front works with. All of it outlives the front; the lanes end before the loop.
struct Env {
    net::Loop& loop;
    base::Lane& directory;
    const auth::Backends& backends;
    directory::Directory& database;
    leg::Reception& reception;
    Limits limits;
    RpcConnect rpc_connect = RpcConnect::no;
};

/// One shard's HTTP side: takes accepted sockets, and gives those that turn out to carry a channel to the tunnel.
/// Belongs to the loop's thread.
class Front {
public:
    /// Throws std::runtime_error when the HTTP engine does not start or the directory cannot be opened.
    explicit Front(const Env& env);
    /// Closes what is open.
    ~Front();
    Front(const Front&) = delete;
    Front& operator=(const Front&) = delete;

    /// A new client. `tls` is null on a plain listener and is needed only during this call. Over a limit, the client
    /// is told so if he can be, and closed.
    void accept(base::UniqueFd socket, const net::Address& peer, const net::TlsServerContext* tls);
    /// A client on the very last descriptor: closed before this returns.
    void overflow(base::UniqueFd socket, bool tls);

    std::size_t connections() const noexcept { return connections_.size(); }
    /// Requests inside the HTTP engine.
    std::size_t exchanges() const noexcept { return engine_.open() + large_engine_.open(); }

    /// No new connection and no new channel from now on. Idle connections are closed, the others after their reply.
    void drain();
    bool draining() const noexcept { return gate_.draining(); }
    /// Closes every connection at once.
    void close_all();

private:
    friend class Connection;

    /// The engine for a head of `size` bytes.
    Engine& engine_for(std::size_t size) noexcept;
    bool descriptors_run_short(int newest) const noexcept;
    /// `reason` for the log, or null.
    void turn_away(base::UniqueFd socket, bool tls, std::uint32_t rpc_error, const char* reason);
    void close_now(base::UniqueFd socket, const std::string& reply) noexcept;
    void report_turned_away(const char* reason) noexcept;
    /// The connection is done; it is destroyed when nothing of it is on the stack any more.
    void forget(std::uint64_t id);

    Env env_;
    directory::DecisionCache decisions_;
    Gate gate_;
    Engine engine_;
    Engine large_engine_; // for long heads
    leg::Farewell farewell_;
    std::unordered_map<std::uint64_t, std::shared_ptr<Connection>> connections_;
    net::Millis reported_{-1}; // when a refused connection was last logged
    std::uint64_t unreported_ = 0;
};

} // namespace http
