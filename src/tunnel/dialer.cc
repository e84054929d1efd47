#include "tunnel/dialer.h"

#include <utility>

namespace tunnel {

/// A look-up in flight. The worker holds a reference; the loop's thread clears `dialer` to cancel.
struct Dialer::Question {
    Dialer* dialer;
    directory::Decision decision;
};

Dialer::Dialer(net::Loop& loop, base::Workers& workers, directory::Policy& policy) noexcept
    : loop_(loop), workers_(workers), policy_(policy), connector_(loop, workers)
{
}

Dialer::~Dialer()
{
    if (question_)
        question_->dialer = nullptr;
}

void Dialer::start(const directory::Route& route, const std::string& target, net::Millis timeout, Callback callback)
{
    route_ = route;
    target_ = target;
    timeout_ = timeout;
    callback_ = callback;
    again_ = false;
    connector_.start(route_.host, route_.port, timeout_, net::Connector::Callback::of<&Dialer::on_connected>(this));
}

void Dialer::on_connected(net::ConnectResult result)
{
    if (result.ok())
        return finish({std::move(result.fd), {}, route_, again_});
    if (again_)
        return finish({{}, first_failure_ + "; then " + result.error, route_});
    first_failure_ = std::move(result.error);
    again_ = true;
    question_ = std::make_shared<Question>(Question{this, {}});
    const bool submitted = workers_.submit([question = question_, target = target_, &policy = policy_, &loop = loop_] {
        question->decision = policy.decide(target);
        loop.post([question] {
            if (question->dialer)
                question->dialer->on_decided(question->decision);
        });
    });
    if (!submitted)
        finish({{}, first_failure_, route_});
}

void Dialer::on_decided(const directory::Decision& decision)
{
    question_.reset();
    if (decision.kind != directory::Decision::Kind::allowed || decision.route.transport != route_.transport)
        return finish({{}, first_failure_ + "; and now: " + decision.reason, route_});
    route_ = decision.route;
    connector_.start(route_.host, route_.port, timeout_, net::Connector::Callback::of<&Dialer::on_connected>(this));
}

void Dialer::finish(Outcome outcome)
{
    callback_(std::move(outcome));
}

} // namespace tunnel
