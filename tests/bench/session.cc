#include "bench/session.h"

#include "bench/connection.h"

#include <algorithm>
#include <utility>

namespace bench {
namespace {

/// For a step of a replacement that waits for others.
constexpr net::Millis patience{15'000};

} // namespace

Session::Session(const Common& common, const rpch::Cookie& virtual_connection, std::unique_ptr<ServerEnd> end)
    : common_(common), virtual_connection_(virtual_connection), end_(std::move(end)),
      in_time_(common.loop, net::Timer::Callback::of<&Session::on_in_time>(this)),
      out_time_(common.loop, net::Timer::Callback::of<&Session::on_out_time>(this))
{
}

const char* Session::admit(Connection& connection, const rpch::Rts& pdu)
{
    rpch::Effects effects;
    const ServerEnd::Admission admission = end_->on_newcomer(pdu, effects);
    if (admission.refusal)
        return admission.refusal;
    at(admission.leg) = &connection;
    connection.join(shared_from_this(), admission.leg);
    run(effects);
    return nullptr;
}

void Session::attach(Connection& connection)
{
    at(Leg::in) = at(Leg::out) = &connection;
}

void Session::on_rts(Leg leg, const rpch::Rts& pdu)
{
    rpch::Effects effects;
    end_->on_rts(leg, pdu, effects);
    run(effects);
}

void Session::on_rpc(Leg leg, std::uint32_t size)
{
    if (const char* const error = end_->on_rpc(leg, size))
        give_up(std::string("backend: ") + error);
}

void Session::take(base::Bytes bytes)
{
    if (!common_.pattern.matches(received_, bytes))
        give_up("wrong bytes arrived at the backend, offset " + std::to_string(received_));
    received_ += bytes.size();
    common_.counts.up += bytes.size();
}

void Session::arrived(std::uint32_t size)
{
    if (end_) {
        rpch::Effects effects;
        end_->on_consumed(size, effects);
        run(effects);
    }
    const Plan& plan = common_.plan;
    const bool begins = wanted_ == 0 && received_ >= plan.pdu;
    switch (plan.work) {
    case Work::echo:
        wanted_ = received_;
        pump();
        break;
    case Work::down:
    case Work::both:
        if (begins) {
            wanted_ = bulk(plan);
            pump();
        }
        break;
    case Work::up:
        common_.counts.exhausted |= plan.relay != Relay::rpch && received_ >= stream_limit - (4u << 20);
        if (begins) {
            wanted_ = plan.pdu; // as a bind is answered: no client is sent an RTS PDU before
            pump();
        }
        break;
    case Work::idle:
    case Work::churn: break;
    }
}

/// Gives the OUT channel what the window and its lifetime admit.
void Session::pump()
{
    if (!at(Leg::out))
        return;
    const std::uint32_t pdu = common_.plan.pdu;
    if (!end_) {
        const std::uint64_t whole = (wanted_ - admitted_) / pdu * pdu;
        admitted_ += whole;
        at(Leg::out)->channel().stream(whole);
    }
    while (end_ && wanted_ - admitted_ >= pdu && end_->admits(pdu)) {
        admitted_ += pdu;
        at(Leg::out)->channel().stream(pdu);
        rpch::Effects effects;
        end_->sent(pdu, effects);
        run(effects);
    }
    at(Leg::out)->channel().flush();
}

void Session::on_drained(Leg leg)
{
    end_->on_drained(leg);
}

const char* Session::on_gone(Connection& connection)
{
    std::replace(legs_.begin(), legs_.end(), &connection, static_cast<Connection*>(nullptr));
    if (!end_)
        return nullptr;
    rpch::Effects effects;
    end_->on_closed(connection.leg(), effects);
    for (const rpch::Effect& effect : effects)
        if (effect.kind == rpch::Effect::Kind::close)
            return effect.reason;
    run(effects);
    return nullptr;
}

void Session::close(const std::string& reason)
{
    for (Connection*& leg : legs_)
        if (Connection* const connection = std::exchange(leg, nullptr))
            connection->close(reason);
}

bool Session::over() const noexcept
{
    return std::all_of(legs_.begin(), legs_.end(), [](const Connection* leg) { return !leg; });
}

// What the role wants done.

void Session::run(const rpch::Effects& effects)
{
    using Kind = rpch::Effect::Kind;
    for (const rpch::Effect& effect : effects) {
        Connection* const connection = at(effect.leg);
        switch (effect.kind) {
        case Kind::send:
        case Kind::send_last:
            if (connection) {
                Channel& channel = connection->channel();
                effect.kind == Kind::send ? channel.control(effect.pdu) : channel.last(effect.pdu);
                channel.flush();
            }
            break;
        case Kind::flow: pump(); break;
        case Kind::promote: promote(effect.leg); break;
        case Kind::drop:
            if (connection) {
                at(effect.leg) = nullptr;
                connection->drop();
            }
            break;
        case Kind::close: give_up(std::string("backend: ") + effect.reason);
        case Kind::opened:
        case Kind::connect_server:
        case Kind::connect_successor:
        case Kind::respond:
        case Kind::finish:
        case Kind::keep_alive: break; // of the proxies and the client
        }
    }
    if (!effects.empty())
        watch_the_time();
}

void Session::promote(Leg leg)
{
    const bool in = leg == Leg::in;
    const Leg successor = in ? Leg::in_successor : Leg::out_successor;
    const Leg predecessor = in ? Leg::in_predecessor : Leg::out_predecessor;
    (in ? in_time_ : out_time_).cancel();
    at(predecessor) = std::exchange(at(leg), std::exchange(at(successor), nullptr));
    at(leg)->become(leg);
    if (at(predecessor))
        at(predecessor)->become(predecessor);
    if (!in)
        at(leg)->channel().begin_at(admitted_);
}

void Session::watch_the_time()
{
    for (const Leg leg : {Leg::in, Leg::out}) {
        net::Timer& timer = leg == Leg::in ? in_time_ : out_time_;
        if (!end_->awaits(leg))
            timer.cancel();
        else if (!timer.armed())
            timer.set(patience);
    }
}

void Session::on_time(Leg leg)
{
    rpch::Effects effects;
    end_->on_timeout(leg, effects);
    run(effects);
}

} // namespace bench
