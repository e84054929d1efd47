#include "leg/dialer.h"

#include "net/ask.h"

#include <utility>

namespace leg {

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

Dialer::Dialer(const Environment& environment) noexcept
    : environment_(environment), connector_(environment.loop, environment.resolver)
{
    connector_.draw_from(environment.sources);
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
    net::ask(environment_.directory, "a second look-up of a target", environment_.loop, question_,
             [target = target_, &judge = environment_.judge] { return judge.decide(target); },
             [this](const std::optional<directory::Decision>& decision) { on_decided(decision); });
}

void Dialer::on_decided(const std::optional<directory::Decision>& decision)
{
    if (!decision)
        return finish({{}, {rpc_code::server_too_busy, first_failure_ + "; and too much waits for the directory"}, route_});
    if (!decision->allowed() || decision->route.transport != route_.transport)
        return finish({{}, {.reason = first_failure_ + "; and now: " + decision->reason}, route_});
    route_ = decision->route;
    connector_.start(route_.host, route_.port, timeout_, net::Connector::Callback::of<&Dialer::on_connected>(this));
}

void Dialer::finish(Outcome outcome)
{
    callback_(std::move(outcome));
}

} // namespace leg
