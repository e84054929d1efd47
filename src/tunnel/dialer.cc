#include "tunnel/dialer.h"

#include <utility>

namespace tunnel {

std::uint32_t rpc_error_of(net::ConnectResult::Cause cause) noexcept
{
    switch (cause) {
    case net::ConnectResult::Cause::exhausted: return rpc_code::out_of_resources;
    case net::ConnectResult::Cause::too_busy: return rpc_code::server_too_busy;
    case net::ConnectResult::Cause::ok:
    case net::ConnectResult::Cause::not_resolved:
    case net::ConnectResult::Cause::refused:
    case net::ConnectResult::Cause::timed_out:
    case net::ConnectResult::Cause::unreachable: break;
    }
    return rpc_code::server_unavailable;
}

/// A look-up in flight. The worker holds a reference; the loop's thread clears `dialer` to cancel.
struct Dialer::Question {
    Dialer* dialer;
    directory::Decision decision;
};

Dialer::Dialer(const Environment& environment) noexcept
    : environment_(environment), connector_(environment.loop, environment.resolver)
{
    connector_.draw_from(environment.sources);
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
    const std::uint32_t code = rpc_error_of(result.cause);
    if (code != rpc_code::server_unavailable)
        return finish({{}, {code, again_ ? first_failure_ + "; then " + result.error : result.error}, route_});
    if (again_)
        return finish({{}, {code, first_failure_ + "; then " + result.error}, route_});
    first_failure_ = std::move(result.error);
    again_ = true;
    question_ = std::make_shared<Question>(Question{this, {}});
    // The hub and its environment may be gone when a worker comes to it; the directory and the loop are not.
    const bool submitted = environment_.workers.submit([question = question_, target = target_, &policy = environment_.policy,
                                                        &loop = environment_.loop] {
        question->decision = policy.decide(target);
        loop.post([question] {
            if (question->dialer)
                question->dialer->on_decided(question->decision);
        });
    });
    if (!submitted)
        finish({{}, {code, first_failure_}, route_});
}

void Dialer::on_decided(const directory::Decision& decision)
{
    question_.reset();
    if (decision.kind != directory::Decision::Kind::allowed || decision.route.transport != route_.transport)
        return finish({{}, {.reason = first_failure_ + "; and now: " + decision.reason}, route_});
    route_ = decision.route;
    connector_.start(route_.host, route_.port, timeout_, net::Connector::Callback::of<&Dialer::on_connected>(this));
}

void Dialer::finish(Outcome outcome)
{
    callback_(std::move(outcome));
}

} // namespace tunnel
