#include "daemon/shard.h"

#include "base/log.h"
#include "base/shortage.h"

#include <algorithm>

namespace rpctunneld {
namespace {

// How often a draining shard looks whether the last tunnel has gone.
constexpr net::Millis drain_step{20};

} // namespace

Shard::Door::Door(Shard& owner, const net::Address& address, bool with_tls)
    : shard(owner), tls(with_tls),
      listener(owner.loop_, address, net::Listener::Callback::of<&Door::on_accept>(this),
               net::Listener::Callback::of<&Door::on_overflow>(this))
{
}

void Shard::Door::on_accept(base::UniqueFd&& socket, const net::Address& peer)
{
    shard.front_->accept(std::move(socket), peer, tls ? shard.context_.get() : nullptr);
}

void Shard::Door::on_overflow(base::UniqueFd&& socket, const net::Address&)
{
    shard.front_->overflow(std::move(socket), tls);
}

Shard::PairingDoor::PairingDoor(Shard& owner, const net::Address& address, const std::string& fixed_target)
    : shard(owner), target(fixed_target),
      listener(owner.loop_, address, net::Listener::Callback::of<&PairingDoor::on_accept>(this),
               net::Listener::Callback::of<&PairingDoor::on_overflow>(this))
{
}

void Shard::PairingDoor::on_accept(base::UniqueFd&& socket, const net::Address& peer)
{
    shard.hub_->pairing().arrive(std::move(socket), peer, target);
}

void Shard::PairingDoor::on_overflow(base::UniqueFd&& socket, const net::Address& peer)
{
    socket.reset();
    base::report_shortage(base::Resource::descriptors, "a connection of " + peer.text() + " to pairing_listen",
                          "none is left");
}

Shard::Shard(unsigned number, net::Loop& loop)
    : number_(number), loop_(loop), drain_check_(loop, net::Timer::Callback::of<&Shard::on_drain_check>(this))
{
}

Shard::~Shard()
{
    if (!thread_.joinable())
        return;
    stop();
    join();
}

net::Address Shard::listen(const net::Address& address, bool tls)
{
    doors_.push_back(std::make_unique<Door>(*this, address, tls));
    return doors_.back()->listener.local();
}

net::Address Shard::listen_for_proxies(const net::Address& address, const std::string& target)
{
    pairing_doors_.push_back(std::make_unique<PairingDoor>(*this, address, target));
    return pairing_doors_.back()->listener.local();
}

void Shard::open(base::Lane& directory, net::Resolver& resolver, const auth::Backends& backends, directory::Directory& database,
                 const leg::Settings& settings, const leg::Nodes& nodes, const std::vector<net::Address>& sources,
                 const http::Limits& limits, http::RpcConnect rpc_connect)
{
    sources_ = net::Sources(sources, number_);
    hub_.emplace(leg::Environment{loop_, directory, resolver, database.judge, settings, nodes, sources_});
    front_.emplace(http::Env{loop_, directory, backends, database, *hub_, limits, rpc_connect});
}

void Shard::start()
{
    thread_ = std::thread([this] { loop_.run(); });
}

void Shard::use_certificates(std::shared_ptr<const net::TlsServerContext> context)
{
    if (!thread_.joinable()) {
        context_ = std::move(context);
        return;
    }
    loop_.post([this, context = std::move(context)] { context_ = context; });
}

void Shard::recheck_routes()
{
    loop_.post([this] { hub_->recheck_routes(); });
}

void Shard::drain(Millis bound, std::function<void()> drained)
{
    loop_.post([this, bound, drained = std::move(drained)] { begin_drain(bound, drained); });
}

void Shard::stop()
{
    loop_.post([this] { end(); });
}

void Shard::begin_drain(Millis bound, std::function<void()> drained)
{
    on_drained_ = std::move(drained);
    drain_until_ = loop_.now() + bound;
    front_->drain();
    // Those whom the kernel has taken in already hear from the front that it is draining.
    for (const auto& door : doors_)
        door->listener.finish();
    for (const auto& door : pairing_doors_)
        door->listener.finish();
    if (hub_->environment().nodes.alone() || bound == Millis(0))
        hub_->close_all("the daemon stops"); // nobody is there to take the clients
    else
        hub_->drain(bound);
    drain_check_.set(net::Millis(0));
}

void Shard::on_drain_check()
{
    const std::size_t left = front_->connections() + hub_->size() + hub_->pairing().size();
    const bool time_is_up = loop_.now() >= drain_until_;
    if (const bool drained = time_is_up || left + hub_->leaving() == 0; drained_.exchange(drained) != drained && drained)
        on_drained_();
    if (!time_is_up) // even a shard with nothing left can get what another one still sends to it
        drain_check_.set(std::min(drain_step, drain_until_ - loop_.now()));
    else if (left != 0)
        base::log::warning("drain-cut", {{"shard", number_}, {"connections", front_->connections()}, {"tunnels", hub_->size()}});
}

void Shard::end()
{
    drain_check_.cancel();
    front_->close_all();
    hub_->close_all("the daemon stops");
    loop_.stop();
}

void Shard::join()
{
    if (thread_.joinable())
        thread_.join();
}

} // namespace rpctunneld
