#include "tunnel/mixed_proxy.h"

#include "base/log.h"
#include "leg/refusal.h"
#include "net/socket_options.h"

#include <utility>

namespace tunnel {

MixedProxy::Replies MixedProxy::http_replies()
{
    return {"HTTP/1.1 200 OK\r\n\r\n", leg::rpc_error_reply};
}

MixedProxy::MixedProxy(const leg::Environment& environment, leg::Farewell& farewell, leg::Arrival&& arrival, Replies replies,
                       Host& host, net::Millis patience)
    : environment_(environment), farewell_(farewell), arrival_(std::move(arrival)), replies_(std::move(replies)),
      host_(host), client_(*this, server_, "client"), server_(*this, client_, "server"),
      clock_(environment.loop, net::Timer::Callback::of<&MixedProxy::on_clock>(this)), patience_(patience),
      began_(environment.loop.now())
{
}

// Until the server is reached.

void MixedProxy::start()
{
    client_watch_.emplace(environment_.loop, net::Watch::Callback::of<&MixedProxy::on_client_event>(this));
    if (!client_watch_->add(arrival_.stream.fd(), EPOLLRDHUP | EPOLLET))
        return fail(leg::no_watch());
    dialer_ = std::make_unique<leg::Dialer>(environment_);
    dialer_->start(arrival_.grant.route, arrival_.grant.party.target, net::Millis(environment_.settings.connect_timeout),
                   leg::Dialer::Callback::of<&MixedProxy::on_dialed>(this));
}

void MixedProxy::on_client_event(std::uint32_t events)
{
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        end("client: closed by the peer");
}

void MixedProxy::on_dialed(leg::Dialer::Outcome outcome)
{
    dialer_.reset();
    arrival_.grant.route = outcome.route;
    if (!outcome.fd)
        return fail(outcome.failure);
    net::set_keep_alive(outcome.fd.get(), net::Millis(environment_.settings.connection_timeout));
    server_.leg.emplace(environment_.loop, net::Stream(std::move(outcome.fd)), static_cast<leg::Leg::Owner&>(server_));
    const bool greets = arrival_.grant.route.transport == directory::Transport::ncacn_http;
    if (greets) {
        server_.leg->expect_banner();
        clock_.set(net::Millis(environment_.settings.connect_timeout));
    }
    if (!server_.leg->start({}))
        return fail(leg::no_watch());
    if (!greets)
        on_reached();
}

void MixedProxy::fail(const leg::Failure& failure)
{
    client_watch_.reset();
    leg::log_refused({arrival_.id, name(leg::Method::connect), nullptr, arrival_.peer, arrival_.grant.party}, failure.reason);
    const std::string reply = replies_.unreached ? replies_.unreached(failure.rpc_error) : std::string();
    farewell_.say(std::move(arrival_.stream), base::bytes_of(reply));
    end(failure.reason);
}

void MixedProxy::on_reached()
{
    reached_ = true;
    clock_.cancel();
    client_watch_.reset();
    net::set_keep_alive(arrival_.stream.fd(), net::Millis(environment_.settings.connection_timeout));
    client_.leg.emplace(environment_.loop, std::move(arrival_.stream), static_cast<leg::Leg::Owner&>(client_));
    if (base::log::wanted(base::log::Level::info))
        base::log::info("opened", {{"id", arrival_.id}, {"channel", "connect"}, {"peer", arrival_.peer.text()},
                                   {"user", arrival_.grant.party.principal}, {"target", arrival_.grant.party.target},
                                   {"server", arrival_.grant.route.text()},
                                   {"ms", (environment_.loop.now() - began_).count()}});
    const std::string reply = std::move(replies_.reached);
    const std::vector<std::uint8_t> early = std::move(arrival_.early);
    if (!reply.empty())
        client_.leg->outlet().put_control(base::bytes_of(reply));
    client_.flush();
    if (!ended_ && !client_.leg->start(early))
        end(leg::no_watch().reason);
}

// The splice.

std::size_t MixedProxy::End::leg_allowance()
{
    if (proxy.ended_)
        return 0;
    if (!proxy.reached_) // the server's, for the banner
        return net::Loop::scratch_size;
    return !other.deaf && other.leg->outlet().idle() ? net::Loop::scratch_size : 0;
}

void MixedProxy::End::leg_rpc(const rpch::Framer::Piece& piece)
{
    if (proxy.ended_ || other.deaf)
        return;
    if (!proxy.reached_)
        return proxy.fail({.reason = proxy.arrival_.grant.route.text() + " sent no ncacn_http/1.0 banner"});
    received += piece.bytes.size();
    heard = proxy.environment_.loop.now();
    other.leg->outlet().put(piece);
}

void MixedProxy::End::leg_rts(const rpch::Rts&)
{
    if (!proxy.reached_)
        return proxy.fail({.reason = proxy.arrival_.grant.route.text() + " sent no ncacn_http/1.0 banner"});
    proxy.end(std::string(name) + ": RTS PDU in version 1 of the protocol");
}

void MixedProxy::End::leg_delivered()
{
    if (proxy.reached_)
        other.flush();
}

/// Writes what waits; when that was all, more may be read for it.
void MixedProxy::End::flush()
{
    if (proxy.ended_ || deaf)
        return;
    if (!leg->outlet().flush()) {
        deaf = true;
        proxy.on_leaving(*this, leg->outlet().failure_text());
        if (other.deaf)
            return proxy.end(proxy.end_reason_);
        leg->resume();
    } else if (leg->outlet().idle() && other.leg) {
        other.leg->resume();
    }
}

// One side ends first. What it has sent before is worth delivering: a fault, a last answer. Since nothing is read that
// cannot be written, its end is not seen before all of that has been.

void MixedProxy::on_closed(End& from, const std::string& reason)
{
    if (ended_)
        return;
    if (!reached_)
        return fail({.reason = arrival_.grant.route.text() + ": " + reason});
    end(end_reason_.empty() ? std::string(from.name) + ": " + reason : end_reason_);
}

/// Nothing can be written to a side any more, and there may be something to read of it.
void MixedProxy::on_leaving(const End& from, const std::string& reason)
{
    if (!end_reason_.empty())
        return;
    end_reason_ = std::string(from.name) + ": " + reason;
    clock_.set(patience_);
}

void MixedProxy::on_clock()
{
    if (!reached_)
        return fail({.reason = arrival_.grant.route.text() + " sent no ncacn_http/1.0 banner"});
    end(end_reason_ + "; the other side did not take the rest");
}

void MixedProxy::close(End& which)
{
    if (!which.leg)
        return;
    // What came in front of something that may not come is as good as if it had come alone.
    if (!which.leg->gone() && which.leg->outlet().flush())
        farewell_.say(which.leg->release());
    else
        which.leg->close();
}

void MixedProxy::end(const std::string& reason)
{
    if (ended_)
        return;
    ended_ = true;
    clock_.cancel();
    dialer_.reset();
    client_watch_.reset();
    if (base::log::wanted(base::log::Level::info))
        base::log::info("closed", {{"id", arrival_.id}, {"channel", "connect"}, {"peer", arrival_.peer.text()},
                                   {"user", arrival_.grant.party.principal}, {"target", arrival_.grant.party.target},
                                   {"server", arrival_.grant.route.text()}, {"bytes_in", client_.received},
                                   {"bytes_out", server_.received},
                                   {"ms", (environment_.loop.now() - began_).count()},
                                   {"silent_in_ms", (environment_.loop.now() - client_.heard).count()},
                                   {"silent_out_ms", (environment_.loop.now() - server_.heard).count()},
                                   {"reason", reason}});
    close(client_);
    close(server_);
    if (arrival_.stream)
        farewell_.say(std::move(arrival_.stream));
    host_.mixed_proxy_ended(*this);
}

} // namespace tunnel
