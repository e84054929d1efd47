#include "http/front.h"

#include "base/log.h"
#include "http/connection.h"
#include "leg/failure.h"
#include "leg/reply.h"
#include "net/stream.h"

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

namespace http {

namespace {

/// Nearly every head is shorter. The library takes a pool for one of this size, 32 KiB, from the heap; larger ones it
/// maps and unmaps for each request, which costs more than all else it does.
constexpr std::size_t small_head = 8 * 1024;
/// The library copies a Cookie, which can be all of the head, and keeps 56 bytes for each field, cookie and argument of
/// the query; then it needs room for the reply's head. Heads that need more are refused.
constexpr std::size_t pool_margin = 16 * 1024;
constexpr std::size_t pool_for(std::size_t head) { return 2 * head + pool_margin; }
/// One line a second tells of connections that were turned away.
constexpr net::Millis report_interval{1000};
/// Clients who are turned away in order, with time to read why; the others are closed at once, since these too take
/// descriptors.
constexpr std::size_t most_farewells = 16;
constexpr char no_descriptors[] = "no descriptors are left for it: raise LimitNOFILE of the service (ulimit -n)";

/// Connections are named in the log; one sequence for all shards.
std::atomic<std::uint64_t> last_id{0};

unsigned exchange_limit(const Limits& limits) noexcept
{
    return static_cast<unsigned>(std::min<std::size_t>(limits.connections, 1'000'000));
}

/// Over TLS nothing can be said without a handshake, which costs as much as what is refused.
std::string refusal(bool tls, std::uint32_t rpc_error)
{
    return tls ? std::string() : leg::rpc_error_reply(rpc_error);
}

} // namespace

Front::Front(const Env& env)
    : env_(env), decisions_(env.database), gate_(env.backends, env.database, decisions_, env.rpc_connect),
      engine_(env.loop, exchange_limit(env.limits), pool_for(small_head)),
      large_engine_(env.loop, exchange_limit(env.limits), pool_for(env.limits.head_bytes)), farewell_(env.loop)
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
    using namespace leg::rpc_code;
    if (draining()) // of which the log has told
        return turn_away(std::move(socket), tls != nullptr, server_too_busy, nullptr);
    if (connections_.size() + env_.reception.clients() >= env_.limits.connections)
        return turn_away(std::move(socket), tls != nullptr, server_too_busy, "connection_limit is reached");
    if (descriptors_run_short(socket.get()))
        return turn_away(std::move(socket), tls != nullptr, out_of_resources, no_descriptors);
    std::unique_ptr<net::TlsSession> session;
    if (tls) {
        session = tls->accept(socket.get());
        if (!session)
            return turn_away(std::move(socket), true, out_of_resources, "no memory for TLS");
    }
    const std::uint64_t id = ++last_id;
    const auto connection = std::make_shared<Connection>(*this, id, std::move(socket), peer, std::move(session));
    connections_.emplace(id, connection);
    if (!connection->start())
        connection->close(leg::no_watch().reason);
}

/// The kernel gives out the lowest number that is free, so the newest one tells how many are in use.
bool Front::descriptors_run_short(int newest) const noexcept
{
    const std::size_t owed = connections_.size() * env_.limits.descriptors_owed;
    return static_cast<std::size_t>(newest) + owed >= env_.limits.descriptors;
}

void Front::overflow(base::UniqueFd socket, bool tls)
{
    close_now(std::move(socket), refusal(tls, leg::rpc_code::out_of_resources));
    report_turned_away(no_descriptors);
}

void Front::close_now(base::UniqueFd socket, const std::string& reply) noexcept
{
    // What the client has said already must not be left unread: closing would be a reset.
    net::Stream stream(std::move(socket));
    (void)stream.read(env_.loop.scratch());
    (void)stream.write(base::bytes_of(reply));
}

void Front::turn_away(base::UniqueFd socket, bool tls, std::uint32_t rpc_error, const char* reason)
{
    const std::string reply = refusal(tls, rpc_error);
    if (farewell_.size() < most_farewells)
        farewell_.say(net::Stream(std::move(socket)), base::bytes_of(reply));
    else
        close_now(std::move(socket), reply);
    if (reason)
        report_turned_away(reason);
}

void Front::report_turned_away(const char* reason) noexcept
{
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
    gate_.drain();
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
