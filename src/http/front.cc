#include "http/front.h"

#include "base/log.h"
#include "http/connection.h"
#include "net/stream.h"
#include "tunnel/reply.h"

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

namespace http {

namespace {

/// Nearly every head is shorter. The library takes a pool of this size from the heap; larger ones it maps and unmaps
/// for each request, which costs more than all else it does.
constexpr std::size_t small_head = 8 * 1024;
constexpr std::size_t small_pool = 32 * 1024;
/// Room in a large pool for what the library keeps of a head besides its text, and for the reply's head.
constexpr std::size_t pool_margin = 32 * 1024;
/// One line a second tells of connections that were turned away.
constexpr net::Millis report_interval{1000};
constexpr std::uint32_t server_too_busy = 0x6bb;

/// Connections are named in the log; one sequence for all shards.
std::atomic<std::uint64_t> last_id{0};

unsigned exchange_limit(const Limits& limits) noexcept
{
    return static_cast<unsigned>(std::min<std::size_t>(limits.connections, 1'000'000));
}

} // namespace

Front::Front(const Env& env)
    : env_(env), decisions_(env.policy), gate_(env.backends, env.policy, decisions_, env.rpc_connect),
      engine_(env.loop, exchange_limit(env.limits), small_pool),
      large_engine_(env.loop, exchange_limit(env.limits), env.limits.head_bytes + pool_margin)
{
}

Engine& Front::engine_for(std::size_t size) noexcept
{
    return size <= small_head ? engine_ : large_engine_;
}

Front::~Front()
{
    close_all();
}

void Front::accept(base::UniqueFd socket, const net::Address& peer, const net::TlsServerContext* tls)
{
    if (draining_)
        return turn_away(std::move(socket), tls != nullptr, "draining");
    if (connections_.size() + env_.reception.clients() >= env_.limits.connections)
        return turn_away(std::move(socket), tls != nullptr, "connection limit");
    std::unique_ptr<net::TlsSession> session;
    if (tls) {
        session = tls->accept(socket.get());
        if (!session)
            return turn_away(std::move(socket), true, "no memory for TLS");
    }
    const std::uint64_t id = ++last_id;
    const auto connection = std::make_shared<Connection>(*this, id, std::move(socket), peer, std::move(session));
    connections_.emplace(id, connection);
    if (!connection->start())
        connection->close("no room for another watch");
}

void Front::turn_away(base::UniqueFd socket, bool tls, const char* reason) noexcept
{
    if (!tls) { // as much as can be said without waiting for him
        const std::string reply = tunnel::rpc_error_reply(server_too_busy);
        net::Stream stream(std::move(socket));
        stream.write({reinterpret_cast<const std::uint8_t*>(reply.data()), reply.size()});
        stream.shutdown_write();
    }
    ++unreported_;
    const net::Millis now = env_.loop.now();
    if (reported_.count() >= 0 && now - reported_ < report_interval)
        return;
    base::log::warning("turned-away", {{"reason", reason}, {"count", unreported_}, {"open", connections_.size()}});
    reported_ = now;
    unreported_ = 0;
}

void Front::forget(std::uint64_t id)
{
    auto node = connections_.extract(id);
    if (node)
        env_.loop.defer([connection = std::move(node.mapped())] {});
}

void Front::drain()
{
    draining_ = true;
    std::vector<std::shared_ptr<Connection>> all;
    for (const auto& [id, connection] : connections_)
        all.push_back(connection);
    for (const auto& connection : all)
        connection->drain();
}

void Front::close_all()
{
    while (!connections_.empty())
        connections_.begin()->second->close({});
}

} // namespace http
