#include "ping/tunnel.h"

#include "ping/explain.h"
#include "rpch/rts.h"

#include <algorithm>
#include <cassert>
#include <chrono>

namespace ping {
namespace {

constexpr std::uint32_t conn_a1_size = 76; // the Content-Length of every first OUT request, 2.1.2.1.2

/// How long the other channel may take to say the same, once one was refused.
constexpr std::chrono::milliseconds second_opinion{300};

std::string seconds_text(std::uint32_t ms)
{
    return ms % 1000 ? std::to_string(ms) + " ms" : std::to_string(ms / 1000) + " s";
}

bool timeout_in_range(std::uint32_t ms)
{
    return ms >= rpch::min_connection_timeout && ms <= rpch::max_connection_timeout;
}

} // namespace

Tunnel::Tunnel(const Options& options, Report& report, Entrance& entrance)
    : Caller(report), options_(options), entrance_(entrance), in_(Place::in, report), out_(Place::out, report),
      role_({}, rpch::Client::Cookies::random())
{
}

bool Tunnel::open()
{
    if (!entrance_.enter(in_) || !entrance_.enter(out_))
        return false;
    if (send_requests() && await_opened())
        return true;
    report_refusals();
    return false;
}

bool Tunnel::send_requests()
{
    const rpch::Client::Settings settings;
    report_.begin(Place::in, "request");
    if (!in_.send(entrance_.request(method(Place::in), in_, settings.in_lifetime), Deadline(options_.timeout_s))) {
        in_failure_ = ended(in_, in_.error());
        return false;
    }
    rpch::Effects first;
    role_.on_in_request(first);
    if (!carry_out(first))
        return false;
    report_.passed("sent, with CONN/B1; silence is the good answer");

    report_.begin(Place::out, out_step_ = "request");
    if (!out_.send(entrance_.request(method(Place::out), out_, conn_a1_size), Deadline(options_.timeout_s))) {
        out_failure_ = ended(out_, out_.error());
        return false;
    }
    rpch::Effects second;
    role_.on_out_request(second);
    return carry_out(second);
}

bool Tunnel::await_opened()
{
    using State = rpch::Client::State;
    const auto left = [this](State state) {
        const Outcome outcome = pump([&] { return role_.state() != state; }, Deadline(options_.timeout_s));
        if (outcome == Outcome::timed_out)
            out_failure_ = explain_silence(role_.state(), options_);
        return outcome == Outcome::done;
    };
    const auto tell = [this](const std::string& detail) {
        if (timeout_in_range(role_.connection_timeout()))
            report_.passed(detail);
        else
            report_.warned(detail + ", outside 120 to 14400 s: some clients refuse that");
    };

    if (!left(State::out_channel_wait))
        return false;
    report_.passed(out_.response().line(), {}, out_.response().status);

    report_.begin(Place::out, out_step_ = "CONN/A3");
    if (!left(State::a3w))
        return false;
    tell("connection timeout " + seconds_text(role_.connection_timeout()));

    report_.begin(Place::out, out_step_ = "CONN/C2");
    if (!left(State::c2w))
        return false;
    tell("the tunnel is open; window " + std::to_string(role_.in_window()) + " bytes, connection timeout " +
         seconds_text(role_.connection_timeout()));
    return true;
}

void Tunnel::report_refusals()
{
    const auto until = Deadline::Clock::now() + second_opinion;
    while ((!in_failure_ || !out_failure_) && Deadline::Clock::now() < until) {
        take_events();
        Channel* const other[] = {in_failure_ ? &out_ : &in_};
        Channel::sleep(other, 10);
    }
    // An HTTP answer tells more than a mere close; of two answers the IN one comes first.
    const bool out_first = out_failure_ && (!in_failure_ || (out_failure_->http_status && !in_failure_->http_status));
    const auto tell = [this](Place place, const char* step, const std::optional<Failure>& failure) {
        if (!failure)
            return;
        report_.rename(place, step);
        report_.failed(*failure);
    };
    if (out_first)
        tell(Place::out, out_step_, out_failure_);
    tell(Place::in, "answer", in_failure_);
    if (!out_first)
        tell(Place::out, out_step_, out_failure_);
}

std::optional<rpch::RpcAnswer> Tunnel::exchange(base::Bytes pdu)
{
    const auto size = static_cast<std::uint32_t>(pdu.size());
    const Deadline deadline(options_.timeout_s);
    const auto give_up = [this](Outcome outcome) {
        failure_ = outcome == Outcome::timed_out ? explain_silence(role_.state(), options_)
                   : in_failure_                 ? *in_failure_
                                                 : *out_failure_;
        return std::nullopt;
    };

    if (!role_.lifetime_admits(size)) {
        in_failure_ = ended(in_, "its Content-Length is used up");
        return give_up(Outcome::failed);
    }
    if (const Outcome outcome = pump([&] { return role_.admits(size); }, deadline); outcome != Outcome::done)
        return give_up(outcome);
    role_.sent(size);
    trace_rpc(Place::in, ">", pdu);
    if (!send_in(pdu))
        return give_up(Outcome::failed);
    if (const Outcome outcome = pump([this] { return answered(); }, deadline); outcome != Outcome::done)
        return give_up(outcome);
    return answer();
}

Tunnel::Outcome Tunnel::pump(const std::function<bool()>& done, const Deadline& deadline)
{
    Channel* const channels[] = {&in_, &out_};
    while (!done()) {
        const bool moved = take_events();
        if (in_failure_ || out_failure_)
            return Outcome::failed;
        if (moved)
            continue;
        if (deadline.over())
            return Outcome::timed_out;
        if (until_ping() == 0) {
            rpch::Effects effects;
            role_.on_idle(effects);
            if (!carry_out(effects))
                return Outcome::failed;
        }
        Channel::sleep(channels, deadline.left_ms(until_ping()));
    }
    return Outcome::done;
}

bool Tunnel::take_events()
{
    bool any = false;
    if (!out_failure_) {
        const Channel::Event event = out_.next();
        any = event != Channel::Event::nothing;
        on_out_event(event);
    }
    if (!in_failure_) {
        const Channel::Event event = in_.next();
        any = any || event != Channel::Event::nothing;
        on_in_event(event);
    }
    return any;
}

void Tunnel::on_out_event(Channel::Event event)
{
    switch (event) {
    case Channel::Event::nothing:
        return;
    case Channel::Event::head:
        out_failure_ = entrance_.judge(out_);
        if (!out_failure_) {
            rpch::Effects effects;
            role_.on_success_response(effects);
            carry_out(effects);
        }
        return;
    case Channel::Event::body:
        on_out_bytes(out_.body());
        return;
    case Channel::Event::end:
        out_failure_ = ended(out_, "its response is complete");
        return;
    case Channel::Event::closed:
    case Channel::Event::failed:
        out_failure_ = ended(out_, out_.error());
        return;
    }
}

void Tunnel::on_in_event(Channel::Event event)
{
    switch (event) {
    case Channel::Event::nothing:
    case Channel::Event::body:
    case Channel::Event::end:
        return;
    case Channel::Event::head:
        in_failure_ = entrance_.judge(in_);
        if (!in_failure_)
            report_.warning("the proxy answers the IN channel with 200, which some clients do not expect");
        return;
    case Channel::Event::closed:
    case Channel::Event::failed:
        in_failure_ = ended(in_, in_.error());
        return;
    }
}

void Tunnel::on_out_bytes(base::Bytes bytes)
{
    while (!out_failure_ && !in_failure_) {
        const rpch::Framer::Piece piece = framer_.next(bytes);
        switch (piece.kind) {
        case rpch::Framer::Kind::more:
            return;
        case rpch::Framer::Kind::bad:
            return broken(piece.error);
        case rpch::Framer::Kind::rpc:
            on_rpc_piece(piece);
            break;
        case rpch::Framer::Kind::rts: {
            rpch::Rts rts;
            trace_rts(Place::out, "<", piece.bytes);
            if (const auto result = rpch::decode(piece.bytes, rts); !result.ok())
                return broken(result.error);
            rpch::Effects effects;
            role_.on_out_rts(rts, effects);
            carry_out(effects);
            break;
        }
        }
    }
}

void Tunnel::on_rpc_piece(const rpch::Framer::Piece& piece)
{
    if (piece.first)
        if (const char* reason = role_.on_out_rpc(piece.frag_length))
            return broken(reason);
    if (const char* reason = take(Place::out, piece))
        return broken(reason);
    if (!piece.last)
        return;
    rpch::Effects effects;
    role_.on_consumed(piece.frag_length, effects);
    carry_out(effects);
}

bool Tunnel::carry_out(const rpch::Effects& effects)
{
    for (const rpch::Effect& effect : effects) {
        switch (effect.kind) {
        case rpch::Effect::Kind::send:
            trace_rts(effect.leg == rpch::Leg::in ? Place::in : Place::out, ">", effect.pdu);
            if (effect.leg == rpch::Leg::in) {
                if (!send_in(effect.pdu))
                    return false;
            } else if (!out_.send(effect.pdu, Deadline(options_.timeout_s))) {
                out_failure_ = ended(out_, out_.error());
                return false;
            }
            break;
        case rpch::Effect::Kind::close:
            broken(effect.reason);
            return false;
        case rpch::Effect::Kind::opened:
        case rpch::Effect::Kind::flow: // whoever waits for it asks the role again
            break;
        case rpch::Effect::Kind::connect_server:
        case rpch::Effect::Kind::connect_successor:
        case rpch::Effect::Kind::send_last:
        case rpch::Effect::Kind::promote:
        case rpch::Effect::Kind::drop:
        case rpch::Effect::Kind::finish:
        case rpch::Effect::Kind::respond:
        case rpch::Effect::Kind::keep_alive:
            assert(!"not an effect of a client");
        }
    }
    return true;
}

bool Tunnel::send_in(base::Bytes bytes)
{
    in_sent_at_ = Deadline::Clock::now();
    if (in_.send(bytes, Deadline(options_.timeout_s)))
        return true;
    // The proxy may have refused the request and closed before it took all of it.
    const std::string error = in_.error();
    if (in_.next() == Channel::Event::head)
        in_failure_ = entrance_.judge(in_);
    if (!in_failure_)
        in_failure_ = ended(in_, error);
    return false;
}

int Tunnel::until_ping() const
{
    if (role_.state() != rpch::Client::State::opened)
        return 3'600'000;
    const auto due = in_sent_at_ + std::chrono::milliseconds(role_.ping_after());
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - Deadline::Clock::now()).count();
    return static_cast<int>(std::max<std::int64_t>(left, 0));
}

void Tunnel::broken(const char* reason)
{
    out_failure_ = explain_broken(reason);
}

Failure Tunnel::ended(const Channel& channel, const std::string& how) const
{
    if (role_.state() == rpch::Client::State::out_channel_wait)
        if (const auto failure = entrance_.explain_end(channel))
            return *failure;
    return explain_end(role_.state(), channel.place() == Place::in ? "IN" : "OUT", how, options_);
}

void Tunnel::trace_rts(Place place, const char* direction, base::Bytes pdu)
{
    if (!report_.tracing())
        return;
    rpch::Rts rts;
    const auto result = rpch::decode(pdu, rts);
    report_.trace(place, direction,
                  "RTS PDU, " + std::to_string(pdu.size()) +
                      " bytes: " + (result.ok() ? rpch::describe(rts) : std::string(result.error)));
}

} // namespace ping
