#include "ping/echo.h"

#include "rpch/rts.h"
#include "rpch/rts_table.h"

#include <array>

namespace ping {
namespace {

/// What Windows sends as the body of an echo request.
constexpr std::array<std::uint8_t, 4> windows_body{0xf8, 0xe8, 0x18, 0x08};

Failure no_answer(const Options& options, const Channel& channel)
{
    Failure failure(Exit::protocol, 1728, channel.error());
    if (failure.detail.empty())
        failure.detail = "no answer in time";
    failure.meaning = "The proxy does not answer the echo request: " + failure.detail + ".";
    failure.advice = options.tls ? "A device in between may wait for a longer body, or not know the method."
                                 : "If it expects TLS, add -F 1, or give --proxy https://...";
    return failure;
}

bool is_echo(base::Bytes body)
{
    rpch::Rts rts;
    return body.size() == rpch::row(rpch::RtsId::echo).size && rpch::decode(body, rts).ok() &&
           rts.is(rpch::RtsId::echo);
}

/// One request and its answer; `usable` tells whether the connection can carry another.
bool echo_once(const Options& options, Report& report, Entrance& entrance, Channel& channel, bool with_body, bool& usable)
{
    report.begin(channel.place(), with_body ? "echo 4" : "echo 0");
    const Deadline deadline(options.timeout_s);
    usable = false;
    const bool sent = channel.send(entrance.request(method(channel.place()), channel, with_body ? windows_body.size() : 0),
                                   deadline) &&
                      (!with_body || channel.send(windows_body, deadline));
    // A proxy may have refused the request before it took all of it.
    const Channel::Event event = channel.wait(deadline);
    if (event != Channel::Event::head) {
        report.failed(entrance.explain_end(channel).value_or(no_answer(options, channel)));
        return false;
    }
    const web::Response response = channel.response();
    if (const auto failure = entrance.judge(channel)) {
        report.failed(*failure);
        return false;
    }
    std::vector<std::uint8_t> body;
    const bool complete = Proxy::take_body(channel, deadline, body);
    if (!sent || !is_echo(body)) {
        Failure failure(Exit::protocol, 1728);
        failure.http_status = 200;
        failure.detail = response.line() + ", but no echo PDU in the body (" + std::to_string(body.size()) + " bytes)";
        failure.meaning = "The web server accepts the request but does not answer as an RPC proxy.";
        failure.advice = "Check that " + options.path + " is an RPC proxy.";
        report.failed(failure);
        return false;
    }
    usable = complete && response.keeps_connection();
    if (usable)
        report.passed(response.line() + ", echo PDU of 20 bytes", {}, response.status);
    else
        report.warned(response.line() +
                      ", echo PDU of 20 bytes, but the connection does not stay open: NTLM could not work");
    return true;
}

} // namespace

bool echo(const Options& options, Report& report, Entrance& entrance)
{
    for (const Place place : {Place::in, Place::out}) {
        Channel channel(place, report);
        if (!entrance.enter(channel))
            return false;
        bool usable = true;
        for (std::uint32_t i = 0; i < options.count; ++i)
            for (const bool with_body : {false, true})
                if ((!usable && !entrance.enter(channel)) || !echo_once(options, report, entrance, channel, with_body, usable))
                    return false;
    }
    return true;
}

} // namespace ping
