#include "pairing/remote_proxy.h"

#include "base/log.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace pairing {
namespace {

leg::Side side_of(const rpch::Rts& first_pdu)
{
    return first_pdu.is(rpch::RtsId::conn_b2) || first_pdu.is(rpch::RtsId::in_r1_a2) ? leg::Side::in : leg::Side::out;
}

} // namespace

RemoteProxy::RemoteProxy(const leg::Environment& environment, Joining&& joining, VirtualServer& server, Host& host)
    : environment_(environment), host_(host), server_(&server), side_(side_of(joining.first_pdu)), peer_(joining.peer),
      virtual_connection_(joining.virtual_connection), joining_(std::make_unique<Joining>(std::move(joining))),
      leg_(environment.loop, std::move(joining_->stream), static_cast<leg::Leg::Owner&>(*this))
{
}

void RemoteProxy::start()
{
    server_->attach(*this);
    // It is not read before the service is reached, but its end is heard.
    if (joining_ && !over_ && !leg_.start({}))
        lose(leg::no_watch().reason);
}

void RemoteProxy::server_reached()
{
    const std::unique_ptr<Joining> joining = std::move(joining_);
    base::log::info("joined", {{"vc", virtual_connection_.prefix()}, {"channel", name(side_)},
                               {"peer", peer_.text()}, {"client", joining->client.text()},
                               {"user", joining->party.principal}, {"target", joining->party.target}});
    server_->introduce(*this, joining->first_pdu);
    if (over_)
        return;
    if (leg_.started())
        leg_.take(joining->early);
    else if (!leg_.start(joining->early))
        lose(leg::no_watch().reason);
}

void RemoteProxy::server_rts(base::Bytes pdu)
{
    leg_.outlet().put_control(pdu);
    flush();
}

void RemoteProxy::server_last(base::Bytes pdu)
{
    leg_.outlet().put_last(pdu);
    last_put_ = true;
    flush();
}

std::size_t RemoteProxy::server_allowance(std::uint32_t room, std::uint32_t coming)
{
    // What waits here waits for the window or for the socket: no more is read before it has left.
    return leg_.outlet().waiting() > 0 ? 0 : std::size_t{room} + coming;
}

void RemoteProxy::server_ended(const std::string& reason)
{
    server_ = nullptr;
    end_reason_ = reason;
    drain_limit_ = std::make_unique<net::Timer>(environment_.loop, net::Timer::Callback::of<&RemoteProxy::on_drain_timeout>(this));
    drain_limit_->set(drain_patience);
    flush();
}

std::size_t RemoteProxy::leg_allowance()
{
    if (!server_ || joining_)
        return 0;
    if (side_ == leg::Side::out)
        return net::Loop::scratch_size; // only RTS PDUs come
    const std::size_t limit = environment_.settings.receive_window + leg::Leg::control_room;
    const std::size_t waiting = server_->waiting();
    return limit > waiting ? limit - waiting : 0;
}

void RemoteProxy::leg_rpc(const rpch::Framer::Piece& piece)
{
    if (!server_)
        return;
    if (side_ == leg::Side::out)
        return server_->end(rpch::Server::on_out_rpc());
    if (!piece.first || server_->received(*this, piece.frag_length))
        server_->put_rpc(piece);
}

void RemoteProxy::leg_rts(const rpch::Rts& pdu)
{
    if (server_)
        server_->receive_rts(*this, pdu);
}

void RemoteProxy::leg_delivered()
{
    if (server_ && side_ == leg::Side::in)
        server_->flush();
}

bool RemoteProxy::admits(std::uint32_t size) const
{
    // Behind the end nobody counts any more, and the proxy takes what is left.
    return !server_ || server_->admits(*this, size);
}

void RemoteProxy::sent(std::uint32_t size)
{
    if (server_)
        server_->sent(*this, size);
}

void RemoteProxy::flush()
{
    if (over_)
        return;
    if (!leg_.outlet().flush())
        return lose(leg_.outlet().failure_text());
    if (!leg_.outlet().idle())
        return;
    if (!server_)
        return finish();
    if (std::exchange(last_put_, false))
        server_->drained(*this);
    if (side_ == leg::Side::out)
        server_->resume();
}

void RemoteProxy::lose(const std::string& reason)
{
    if (over_)
        return;
    end_reason_ = reason;
    VirtualServer* const server = std::exchange(server_, nullptr);
    finish();
    if (server)
        server->closed(*this);
}

void RemoteProxy::on_drain_timeout()
{
    finish();
}

void RemoteProxy::abandon()
{
    server_ = nullptr;
    finish();
}

void RemoteProxy::finish()
{
    assert(!over_);
    over_ = true;
    drain_limit_.reset();
    base::log::info("left", {{"vc", virtual_connection_.prefix()}, {"channel", name(side_)},
                             {"peer", peer_.text()}, {"reason", end_reason_}});
    if (leg_.gone())
        leg_.close();
    host_.proxy_ended(*this, leg_.release());
}

} // namespace pairing
