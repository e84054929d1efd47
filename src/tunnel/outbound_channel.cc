#include "tunnel/outbound_channel.h"

#include "base/log.h"
#include "leg/reply.h"
#include "rpch/rts.h"
#include "tunnel/hub.h"

#include <algorithm>
#include <cassert>

namespace tunnel {
namespace {

/// MS-RPCH 2.1.2.1.4: the Content-Length is the lifetime of the channel. Clients ignore all else; what stands in between
/// must neither change nor gather what comes (X-Accel-Buffering: nginx, which would by default).
/// `last_token`, if any, is what the client still needs for its login.
std::string success_head(std::uint32_t content_length, const std::string* last_token)
{
    return "HTTP/1.1 200 Success\r\nContent-Type: application/rpc\r\nContent-Length: " + std::to_string(content_length)
           + (last_token ? "\r\nWWW-Authenticate: " + *last_token : std::string())
           + "\r\nCache-Control: no-store, no-transform\r\nX-Accel-Buffering: no\r\n\r\n";
}

std::uint32_t connection_timeout(const leg::Settings& settings, const leg::Arrival& arrival)
{
    if (!arrival.min_conn_timeout)
        return settings.connection_timeout;
    return rpch::clamp_connection_timeout(std::min<std::uint32_t>(*arrival.min_conn_timeout, 14'400) * 1000);
}

} // namespace

OutboundChannel::OutboundChannel(Hub& hub, Opening& opening)
    : Channel(hub, leg::Side::out, opening, opening.first_pdu.is(rpch::RtsId::out_r1_a3)),
      connection_timeout_(connection_timeout(hub.environment().settings, opening.arrival)),
      role_({.receive_window = hub.environment().settings.receive_window,
             .connection_timeout = connection_timeout_,
             .channel_lifetime = hub.environment().settings.channel_lifetime}),
      other_owner_(*this)
{
    if (!opening.arrival.last_token.empty())
        last_token_ = std::make_unique<const std::string>(std::move(opening.arrival.last_token));
}

void OutboundChannel::start(const Opening& opening)
{
    rpch::Effects effects;
    role_.on_first_pdu(opening.first_pdu, effects);
    run(effects);
    if (ended_)
        return;
    if (opening.arrival.http10 && role_.client_announced_window() == rpch::max_receive_window)
        role_.doubt_client();
    if (!leg_->start(opening.arrival.early))
        hop_failed(leg::no_watch());
}

bool OutboundChannel::admits(std::uint32_t size) const
{
    if (!role_.lifetime_admits(size))
        lifetime_used_up_ = true;
    return !lifetime_used_up_ && role_.admits(size);
}

void OutboundChannel::hop_connected()
{
    if (ended_)
        return;
    rpch::Effects effects;
    role_.on_server_connected(effects);
    run(effects);
}

void OutboundChannel::hop_failed(const leg::Failure& failure)
{
    if (ended_)
        return;
    log_refused(failure.reason);
    refuse(failure);
}

/// Before the tunnel stands: the client gets an answer, if it has none yet.
void OutboundChannel::refuse(const leg::Failure& failure)
{
    if (!responded_)
        leg_->outlet().put_control(base::bytes_of(leg::rpc_error_reply(failure.rpc_error)));
    if (!leg_->outlet().flush())
        return end(failure.reason + "; and the client is gone");
    end(failure.reason);
}

void OutboundChannel::hop_rts(const rpch::Rts& pdu)
{
    // A channel that goes on elsewhere still needs acknowledgements while it drains.
    if (ended_)
        return;
    rpch::Effects effects;
    role_.on_server_rts(pdu, effects);
    run(effects);
}

void OutboundChannel::hop_rpc(const rpch::Framer::Piece& piece)
{
    if (ended_ || draining_)
        return;
    rpch::Effects effects;
    if (piece.first) {
        if (const char* const error = role_.on_server_rpc(piece.frag_length, effects))
            return end(error);
        last_pdu_ = piece.frag_length;
    }
    // A PDU that has begun ends on the leg on which it began, whatever is promoted meanwhile.
    if (piece.first)
        rpc_leg_ = leg_.get();
    // The answer first: an acknowledgement that was held back until it came goes behind it.
    if (rpc_leg_)
        rpc_leg_->outlet().put(piece);
    run(effects);
}

std::size_t OutboundChannel::hop_allowance(bool ahead)
{
    if (ended_)
        return 0;
    const std::size_t waiting = leg_->outlet().waiting() + (other_ ? other_->outlet().waiting() : 0);
    if (!ahead)
        return waiting > 0 ? 0 : leg_->outlet().open() + room_for_whole_pdus();
    const std::size_t limit = hub_.environment().settings.receive_window + leg::Leg::control_room;
    return limit > waiting ? limit - waiting : 0;
}

void OutboundChannel::hop_closed(const std::string& reason)
{
    if (ended_ || draining_)
        return;
    // A fault or an answer that came just before the close is worth delivering.
    if (!responded_)
        return refuse({.reason = reason});
    draining_ = true;
    end_reason_ = std::make_unique<const std::string>(reason);
    clock_.set(drain_patience);
    flush_client();
}

void OutboundChannel::mate_ended(const std::string& reason, const leg::Failure* unreachable)
{
    if (ended_ || draining_)
        return;
    if (unreachable && !responded_)
        return refuse(*unreachable);
    if (!opened())
        return refuse({.reason = reason});
    end_reason_ = std::make_unique<const std::string>(reason);
    clock_.set(drain_patience);
}

void OutboundChannel::run(const rpch::Effects& effects)
{
    bool to_client = false;
    bool to_server = false;
    for (const rpch::Effect& effect : effects) {
        if (ended_)
            return;
        switch (effect.kind) {
        case rpch::Effect::Kind::connect_server: hop_->connect(); break;
        case rpch::Effect::Kind::respond:
            responded_ = to_client = true;
            recycling_.reset();
            leg_->outlet().put_control(base::bytes_of(success_head(effect.value, last_token_.get())));
            last_token_.reset();
            break;
        case rpch::Effect::Kind::send:
            if (effect.leg != rpch::Leg::server) {
                leg::Leg* const leg = effect.leg == rpch::Leg::client ? leg_.get() : other_.get();
                if (leg)
                    leg->outlet().put_control(effect.pdu);
                to_client = true;
            } else {
                hop_->send_rts(effect.pdu);
                to_server = true;
            }
            break;
        case rpch::Effect::Kind::flow:
            if (stall_)
                stall_->cancel();
            to_client = true;
            break;
        case rpch::Effect::Kind::opened:
            if (base::log::wanted(base::log::Level::info))
                base::log::info("opened", {{"id", visitor_.id}, {"vc", virtual_connection().prefix()},
                                           {"peer", visitor_.peer.text()}, {"user", visitor_.party().principal},
                                           {"target", visitor_.party().target}, {"server", visitor_.grant->route.text()},
                                           {"ms", (hub_.environment().loop.now() - began_).count()}});
            clock_.set(net::Millis(connection_timeout_ / 2));
            break;
        case rpch::Effect::Kind::close: return end(effect.reason);
        case rpch::Effect::Kind::send_last: {
            leg::Leg* const leg = effect.leg == rpch::Leg::client ? leg_.get() : other_.get();
            if (leg)
                leg->outlet().put_last(effect.pdu);
            departing_ = departing_ || effect.leg == rpch::Leg::predecessor;
            to_client = true;
            break;
        }
        case rpch::Effect::Kind::promote: promote_successor(); break;
        case rpch::Effect::Kind::drop: drop_other(); break;
        case rpch::Effect::Kind::finish:
            draining_ = true;
            end_reason_ = std::make_unique<const std::string>(effect.reason);
            clock_.set(drain_patience);
            to_client = true;
            hub_.relieve(*this);
            break;
        case rpch::Effect::Kind::connect_successor:
        case rpch::Effect::Kind::keep_alive: assert(!"no effect of the outbound proxy");
        }
    }
    if (to_server && !ended_)
        hop_->flush();
    if (to_client && !ended_)
        flush_client();
}

void OutboundChannel::leg_rts(const rpch::Rts& pdu)
{
    rpch::Effects effects;
    role_.on_client_rts(rpch::Leg::client, pdu, effects);
    run(effects);
}

void OutboundChannel::flush_client()
{
    flush_predecessor();
    if (ended_)
        return;
    leg::Outlet& outlet = leg_->outlet();
    if (!outlet.flush())
        return end("client: " + outlet.failure_text());
    if (role_.body_sent() != last_body_sent_) {
        last_body_sent_ = role_.body_sent();
        heard();
    }
    report_consumed(outlet);
    if (ended_)
        return;
    if (draining_ && outlet.idle())
        return end(*end_reason_);
    if (lifetime_used_up_ && outlet.gated())
        return end("the Content-Length of the OUT channel is used up");
    if (window_used_up() || predecessor_stands())
        watch_for_stall();
    if (!draining_)
        hop_->resume();
}

void OutboundChannel::on_clock()
{
    if (draining_)
        return end(*end_reason_ + "; the client did not take the rest");
    if (end_reason_)
        return end(*end_reason_);
    if (!opened())
        return end("the virtual connection was not established within the time limit");
    const net::Millis interval(connection_timeout_ / 2);
    if (silent() < interval)
        return clock_.set(interval - silent());
    clock_.set(interval);
    if (leg_->outlet().blocked())
        return; // what waits will do as well
    rpch::Effects effects;
    role_.on_idle(effects);
    run(effects);
}

/// What to read of the server at once. A window that is nearly used up is not filled to the last byte: the
/// part of a PDU that fits would have to wait for the rest, and every part costs a read and a write. A client
/// acknowledges when less than half is open, so more room comes.
std::size_t OutboundChannel::room_for_whole_pdus() const
{
    const std::uint32_t room = role_.room();
    if (room >= last_pdu_)
        return room - room % last_pdu_;
    return room >= role_.client_announced_window() / 2 ? room : 0;
}

bool OutboundChannel::window_used_up() const
{
    return role_.windowed() && (leg_->outlet().gated() || (opened() && room_for_whole_pdus() == 0));
}

bool OutboundChannel::predecessor_stands() const
{
    return departing_ && other_ && role_.windowed(rpch::Leg::predecessor) && other_->outlet().gated();
}

void OutboundChannel::watch_for_stall()
{
    if (!stall_)
        stall_ = std::make_unique<net::Timer>(hub_.environment().loop,
                                              net::Timer::Callback::of<&OutboundChannel::on_stall>(this));
    if (!stall_->armed())
        stall_->set(stall_patience);
}

void OutboundChannel::on_stall()
{
    const bool used_up = window_used_up();
    const bool before = predecessor_stands();
    if (!used_up && !before)
        return;
    if ((used_up && leg_->stream().unsent() > 0) || (before && other_->stream().unsent() > 0))
        return stall_->set(stall_patience);
    base::log::notice("window-lifted", {{"id", visitor_.id}, {"vc", virtual_connection().prefix()},
                                        {"peer", visitor_.peer.text()}, {"user", visitor_.party().principal},
                                        {"reason", "the client has read everything and acknowledges nothing: "
                                                   "it takes no part in flow control"}});
    if (used_up)
        role_.give_up_window();
    if (before)
        role_.give_up_window(rpch::Leg::predecessor);
    flush_client();
}

/// What has left for the client makes room for the server.
void OutboundChannel::report_consumed(leg::Outlet& outlet)
{
    const std::uint32_t consumed = outlet.take_consumed();
    if (consumed == 0)
        return;
    rpch::Effects effects;
    role_.on_consumed(consumed, effects);
    run(effects);
    if (!ended_ && role_.server_may_wait())
        watch_for_silence();
}

void OutboundChannel::on_silence()
{
    silence_.reset();
    rpch::Effects effects;
    role_.on_silence(effects);
    run(effects);
}

void OutboundChannel::end(const std::string& reason)
{
    if (ended_)
        return;
    ended_ = true;
    stall_.reset();
    drop_other();
    close(role_.body_sent(), hub_.find_inbound(virtual_connection()), reason);
    hub_.retire(*this);
}

} // namespace tunnel
