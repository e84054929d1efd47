#include "bench/tunnel.h"

#include "rpch/rts.h"

#include <algorithm>

namespace bench {
namespace {

/// For a step of a replacement that waits for others.
constexpr net::Millis patience{15'000};

/// Content-Length of OUT requests, MS-RPCH 2.1.2.1.2: of the first one and of a replacement.
constexpr std::uint32_t out_body = 76, next_out_body = 120;

bool in_leg(rpch::Leg leg)
{
    return leg == rpch::Leg::in || leg == rpch::Leg::in_successor || leg == rpch::Leg::in_predecessor;
}

/// Not all from one address: each has 28,000 ports.
net::Address source(std::uint32_t number)
{
    return *net::Address::from_host("127.77." + std::to_string(number % 200) + ".1", 0);
}

rpch::Client::Settings settings(const Plan& plan)
{
    return {.receive_window = plan.window,
            .in_lifetime = plan.lifetime,
            .largest_pdu = plan.pdu,
            .recycle = plan.relay == Relay::rpch};
}

} // namespace

Tunnel::Tunnel(const Common& common, std::uint32_t number)
    : common_(common), number_(number), role_(settings(common.plan), rpch::Client::Cookies::random()),
      in_time_(common.loop, net::Timer::Callback::of<&Tunnel::on_in_time>(this)),
      out_time_(common.loop, net::Timer::Callback::of<&Tunnel::on_out_time>(this))
{
}

void Tunnel::open()
{
    send_request(Leg::in);
    if (common_.plan.relay != Relay::single && state_ == State::opening)
        send_request(Leg::out);
}

void Tunnel::close()
{
    in_time_.cancel();
    out_time_.cancel();
    for (const std::unique_ptr<Request>& request : legs_)
        if (request)
            request->close();
}

void Tunnel::opened()
{
    state_ = State::opened;
    common_.host.tunnel_opened(*this);
}

void Tunnel::fail(const std::string& reason)
{
    if (state_ == State::failed)
        return;
    if (state_ == State::opened || !common_.plan.steps)
        give_up(reason + "; " + progress());
    state_ = State::failed;
    close();
    common_.host.tunnel_failed(*this, reason);
}

void Tunnel::send_request(Leg leg)
{
    const bool in = in_leg(leg);
    const std::vector<net::Address>& relays = in ? common_.plan.connect_in : common_.plan.connect_out;
    std::uint32_t& number = in ? in_requests_ : out_requests_;
    const std::uint32_t body = in ? common_.plan.lifetime : leg == Leg::out ? out_body : next_out_body;
    const Request::Kind kind = in ? Request::Kind::in : Request::Kind::out;
    const std::vector<std::string>& users = common_.plan.authorizations;
    at(leg) = std::make_unique<Request>(common_, static_cast<Request::Owner&>(*this), kind, body, users[number_ % users.size()]);
    // Of a replacement nothing may be read before it is promoted.
    if (leg == Leg::out_successor)
        at(leg)->channel().wait_to_listen();
    at(leg)->open(relays[number++ % relays.size()], source(number_));
}

Tunnel::Leg Tunnel::leg_of(const Request& request) const
{
    const auto same = [&](const std::unique_ptr<Request>& one) { return one.get() == &request; };
    return static_cast<Leg>(std::find_if(legs_.begin(), legs_.end(), same) - legs_.begin());
}

// What the connections tell.

void Tunnel::request_ready(Request& request)
{
    if (common_.plan.relay == Relay::single)
        return opened();
    rpch::Effects effects;
    const Leg leg = leg_of(request);
    if (leg == Leg::in)
        role_.on_in_request(effects);
    else if (leg == Leg::out)
        role_.on_out_request(effects);
    else
        role_.on_successor_request(leg, effects);
    run(effects);
}

void Tunnel::request_answered(Request&)
{
    rpch::Effects effects;
    role_.on_success_response(effects);
    run(effects);
}

void Tunnel::request_piece(Request&, const rpch::Framer::Piece& piece)
{
    if (piece.kind == rpch::Framer::Kind::rpc) {
        if (piece.first)
            if (const char* const error = role_.on_out_rpc(piece.frag_length))
                give_up(error);
        take_pattern(piece.bytes);
        consumed_ += static_cast<std::uint32_t>(piece.bytes.size());
        return;
    }
    rpch::Rts pdu;
    if (const rpch::DecodeResult result = rpch::decode(piece.bytes, pdu); !result.ok())
        give_up(result.error);
    rpch::Effects effects;
    role_.on_out_rts(pdu, effects);
    run(effects);
}

void Tunnel::request_taken(Request&)
{
    if (consumed_ == 0)
        return;
    if (common_.plan.relay != Relay::single) {
        rpch::Effects effects;
        role_.on_consumed(consumed_, effects);
        run(effects);
    }
    consumed_ = 0;
    arrived();
}

void Tunnel::request_drained(Request& request)
{
    rpch::Effects effects;
    role_.on_drained(leg_of(request), effects);
    run(effects);
}

void Tunnel::request_closed(Request& request, const std::string& reason)
{
    const Leg leg = leg_of(request);
    if (leg == Leg::in || leg == Leg::out)
        return fail(std::string(leg == Leg::in ? "IN" : "OUT") + " channel of the client: " + reason);
    rpch::Effects effects;
    role_.on_closed(leg, effects);
    drop(leg);
    run(effects);
}

std::string Tunnel::progress() const
{
    return "sent " + std::to_string(admitted_) + ", received " + std::to_string(received_) + " bytes, state " +
           std::to_string(static_cast<unsigned>(role_.state())) + ", IN " +
           std::to_string(static_cast<unsigned>(role_.in_state())) + " (request " + std::to_string(in_requests_) + "), OUT " +
           std::to_string(static_cast<unsigned>(role_.out_state())) + " (request " + std::to_string(out_requests_) + ")";
}

// What the role wants done.

void Tunnel::run(const rpch::Effects& effects)
{
    using Kind = rpch::Effect::Kind;
    for (const rpch::Effect& effect : effects) {
        switch (effect.kind) {
        case Kind::connect_successor: send_request(effect.leg); break;
        case Kind::send:
        case Kind::send_last: {
            Channel& channel = at(effect.leg)->channel();
            const net::Millis delay = delay_of(common_.plan.holds, effect.pdu, moves(effect.leg));
            common_.counts.held += delay > net::Millis{};
            effect.kind == Kind::send ? channel.control(effect.pdu, delay) : channel.last(effect.pdu, delay);
            channel.flush();
            break;
        }
        case Kind::promote: promote(effect.leg); break;
        case Kind::drop: drop(effect.leg); break;
        case Kind::flow:
            if (started_)
                pump();
            break;
        case Kind::opened: opened(); break;
        case Kind::close: return fail(effect.reason);
        case Kind::connect_server:
        case Kind::respond:
        case Kind::finish:
        case Kind::keep_alive: break; // of the proxies
        }
    }
    if (!effects.empty())
        watch_the_time();
}

void Tunnel::promote(Leg leg)
{
    const bool in = leg == Leg::in;
    const Leg successor = in ? Leg::in_successor : Leg::out_successor;
    const bool moved = moves(successor);
    Recycles& recycles = common_.counts.recycles;
    ++(in ? moved ? recycles.in_moved : recycles.in_stayed : moved ? recycles.out_moved : recycles.out_stayed);
    (in ? in_time_ : out_time_).cancel();
    at(in ? Leg::in_predecessor : Leg::out_predecessor) = std::move(at(leg));
    at(leg) = std::move(at(successor));
    if (in)
        at(leg)->channel().begin_at(admitted_);
    else
        at(leg)->channel().listen();
}

void Tunnel::drop(Leg leg)
{
    if (!at(leg))
        return;
    if (leg == Leg::in_successor || leg == Leg::out_successor)
        ++common_.counts.recycles.lost;
    at(leg)->close();
    common_.loop.defer([last = std::shared_ptr<Request>(std::move(at(leg)))] {});
}

/// Whether the replacement in which `leg` has a part goes to another address.
bool Tunnel::moves(Leg leg) const
{
    const bool in = in_leg(leg);
    const std::unique_ptr<Request>& successor = at(in ? Leg::in_successor : Leg::out_successor);
    const std::unique_ptr<Request>& predecessor = at(in ? Leg::in_predecessor : Leg::out_predecessor);
    const std::unique_ptr<Request>& other = successor ? successor : predecessor;
    return other && other->relay() != at(in ? Leg::in : Leg::out)->relay();
}

/// A step that others must take soon has a time limit; it begins anew with each one.
void Tunnel::watch_the_time()
{
    if (role_.state() != rpch::Client::State::opened)
        return; // the host watches that
    for (const Leg leg : {Leg::in, Leg::out}) {
        net::Timer& timer = leg == Leg::in ? in_time_ : out_time_;
        if (!role_.awaits(leg))
            timer.cancel();
        else if (!timer.armed())
            timer.set(patience);
    }
}

void Tunnel::on_time(Leg leg)
{
    rpch::Effects effects;
    role_.on_timeout(leg, effects);
    run(effects);
}

} // namespace bench
