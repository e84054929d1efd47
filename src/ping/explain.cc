#include "ping/explain.h"

#include "base/text.h"
#include "ping/explain_login.h"

namespace ping {
namespace {

constexpr std::uint32_t access_denied = 5;
constexpr std::uint32_t server_unavailable = 1722;
constexpr std::uint32_t call_failed = 1726;
constexpr std::uint32_t protocol_error = 1728;

Failure not_found(const web::Response& response, const Options& options)
{
    const std::string_view code = response.header("X-CasErrorCode");
    if (!code.empty()) {
        Failure failure(Exit::target_refused, server_unavailable);
        failure.detail = response.line() + ", X-CasErrorCode: " + std::string(code);
        if (base::equal_nocase(code, "MailboxGuidWithDomainNotFound")) {
            failure.meaning = "The proxy knows no mailbox " + options.server + ".";
            failure.advice = "Compare the GUID and the domain with the mailbox. On the proxy, \"rpctunnelctl mailbox "
                             "list\" shows the known ones.";
        } else {
            failure.meaning = "The proxy refuses the mailbox " + options.server + ": " + std::string(code) + ".";
        }
        return failure;
    }
    Failure failure(Exit::protocol, protocol_error);
    failure.meaning = "The web server at this address has nothing at " + options.path + ": it is no RPC proxy.";
    failure.advice = "Check the name and the port of the proxy, and that RPC over HTTP is installed there.";
    return failure;
}

Failure unavailable(const web::Response& response, const Options& options)
{
    Failure failure(Exit::server_unavailable, response.rpc_error());
    const std::string target = options.server.empty() ? "the server" : options.target();
    if (!failure.win32) {
        failure.win32 = server_unavailable;
        failure.meaning = "The web server answers that the service is not available, without an RPC error.";
        failure.advice = "Look at the web server itself: its application pool or the service behind it may be stopped.";
        return failure;
    }
    switch (*failure.win32) {
    case access_denied:
        failure.exit = Exit::access_denied;
        failure.meaning = "The proxy does not let this user reach " + target + ".";
        failure.advice =
            "Check on the proxy what this account may use, and whether anonymous or unencrypted access is refused.";
        break;
    case server_unavailable:
        failure.meaning = "The proxy does not allow " + target +
                          ", or nothing answers there. Both are reported with this number.";
        if (options.version1)
            failure.meaning += " In version 1, a server that does not greet with ncacn_http/1.0 counts as none.";
        failure.advice =
            "Compare the target with ValidPorts on the proxy (\"rpctunnelctl explain " + target +
            "\" tells the rule); then, from the proxy, see whether the name resolves and the port accepts connections.";
        break;
    case 1723:
        failure.meaning = "The proxy cannot serve this request now.";
        failure.advice = "Its log names the reason: it can be at a limit of its connections or of what it looks up, in the "
                         "middle of stopping, or unable to read its own accounts and rules (on rpctunneld, the database). If "
                         "it was only busy, a later try succeeds.";
        break;
    case 1706:
    case 1707:
        failure.exit = Exit::target_refused;
        failure.meaning = "The proxy takes " + target + " for no valid server and port.";
        failure.advice = "Check -s and -e.";
        break;
    case 1729:
    case 1764:
        failure.exit = Exit::target_refused;
        failure.meaning = "The proxy refuses to serve " + target + ".";
        break;
    case protocol_error:
        failure.exit = Exit::protocol;
        failure.meaning = "The proxy complains about a protocol error.";
        failure.advice = "Another device between here and the proxy may have changed the request.";
        break;
    case 1753:
        failure.meaning = "No RPC server has registered the endpoint on " + target + ".";
        failure.advice = "See whether the service is started on the server.";
        break;
    default:
        failure.meaning = "The proxy could not connect to " + target + ".";
        failure.advice = "Search for the number; the log of the proxy may tell more.";
    }
    return failure;
}

Failure other(const web::Response& response, const Options& options)
{
    Failure failure(Exit::protocol, protocol_error);
    const bool unknown_request = response.status == 400 || response.status == 405 || response.status == 411 ||
                                 response.status == 501;
    if (options.version1 && unknown_request) {
        failure.meaning = "The proxy does not serve RPC_CONNECT, version 1 of the protocol, at this address.";
        failure.advice = "Version 1 is usually off, and never served over TLS: on rpctunneld, rpc_connect switches it "
                         "on for plain listeners. Without --v1, version 2 is spoken.";
        return failure;
    }
    switch (response.status) {
    case 400:
    case 411:
    case 413:
    case 414:
    case 431:
        failure.meaning =
            "The web server does not accept the request. A device in between may allow no body of one gigabyte.";
        failure.advice =
            "Try against the proxy directly. A reverse proxy must allow large, long-lived and unbuffered requests.";
        break;
    case 405:
    case 501:
        failure.meaning = "The web server does not know the method: the RPC proxy is not installed there, or a device "
                          "in between filters it.";
        failure.advice = "Let RPC_IN_DATA and RPC_OUT_DATA through, and check that " + options.path +
                         " is an RPC proxy.";
        break;
    case 502:
    case 504:
        failure.exit = Exit::server_unavailable;
        failure.win32 = server_unavailable;
        failure.meaning = "A gateway answers in place of the RPC proxy and cannot reach it.";
        failure.advice = "Look at the reverse proxy or load balancer in front.";
        break;
    default:
        if (response.status >= 300 && response.status < 400) {
            failure.meaning = "The web server redirects to " + std::string(response.header("Location")) + ".";
            failure.advice = "Give that host as the proxy; RPC over HTTP does not follow redirects.";
        } else if (response.status == 200) {
            failure.meaning = "The web server answers like an ordinary web server and not like an RPC proxy.";
            failure.advice = "Check the name and the port of the proxy.";
        } else {
            failure.meaning = "The web server answers with a status that RPC over HTTP does not know.";
        }
    }
    return failure;
}

} // namespace

Failure explain_response(const web::Response& response, const Options& options)
{
    Failure failure;
    switch (response.status) {
    case 401:
        failure = explain_unauthorized(response, options, {});
        break;
    case 403:
        failure = Failure(Exit::http_authentication, access_denied);
        failure.meaning = "The proxy forbids this request.";
        failure.advice = options.tls ? "Check whether this account may use the RPC proxy at all."
                                     : "It may demand TLS: add -F 1, or give --proxy https://...";
        break;
    case 404:
        failure = not_found(response, options);
        break;
    case 503:
        failure = unavailable(response, options);
        break;
    default:
        failure = other(response, options);
    }
    failure.http_status = response.status;
    if (failure.detail.empty())
        failure.detail = response.line();
    return failure;
}

Failure explain_no_answer(const std::string& how, const Options& options)
{
    Failure failure(Exit::protocol, protocol_error, how.empty() ? "no answer" : how);
    failure.meaning = "The proxy does not answer like a web server: " + failure.detail + ".";
    failure.advice = options.tls ? "Check the port." : "If it expects TLS, add -F 1, or give --proxy https://...";
    return failure;
}

Failure explain_refusal(const rpch::RpcAnswer& answer, const std::string& target)
{
    static constexpr std::uint32_t nca_unknown_interface = 0x1c010003, nca_operation_range = 0x1c010002;
    Failure failure(Exit::access_denied, access_denied);
    const std::string proven = "The whole path works: " + target + " answered, but it ";
    char number[32];
    switch (answer.type) {
    case rpch::PacketType::bind_nak:
        failure.detail = "bind_nak, reason " + std::to_string(answer.reason);
        failure.meaning = proven + "lets nobody bind to its management interface without RPC authentication.";
        failure.advice = "For the proxy there is nothing to do.";
        return failure;
    case rpch::PacketType::fault:
        std::snprintf(number, sizeof number, "fault 0x%08x", answer.status);
        failure.detail = number;
        if (answer.status == nca_unknown_interface || answer.status == nca_operation_range) {
            failure.win32 = answer.status == nca_unknown_interface ? 1717 : 1745;
            failure.meaning = proven + "does not offer the management interface.";
        } else if (answer.status == access_denied) {
            failure.meaning = proven + "does not allow this call without RPC authentication.";
        } else {
            failure.win32 = answer.status;
            failure.meaning = proven + "refused the call.";
        }
        failure.advice = "For the proxy there is nothing to do.";
        return failure;
    default:
        failure.win32 = 1717;
        failure.detail = "bind_ack with rejection, result " + std::to_string(answer.result) + ", reason " +
                         std::to_string(answer.reason);
        failure.meaning = proven + "does not offer the management interface.";
        failure.advice = "For the proxy there is nothing to do.";
        return failure;
    }
}

Failure explain_broken(const char* reason)
{
    Failure failure(Exit::protocol, protocol_error, reason);
    failure.meaning = std::string("The proxy or the server broke the protocol: ") + reason + ".";
    failure.advice = "-v 3 shows what was received.";
    return failure;
}

Failure explain_end(rpch::Client::State state, const std::string& channel, const std::string& how,
                    const Options& options)
{
    Failure failure(Exit::protocol, protocol_error, channel + " channel: " + how);
    failure.meaning = "The " + channel + " channel ended ";
    switch (state) {
    case rpch::Client::State::out_channel_wait:
        failure.meaning += "without an HTTP answer: ";
        failure.advice = "The log of the proxy tells why.";
        if (!options.tls)
            failure.advice += " If it expects TLS, add -F 1.";
        break;
    case rpch::Client::State::a3w:
    case rpch::Client::State::c2w:
        failure.meaning += "before the tunnel was open: ";
        failure.advice = "The server may have refused the connection at once; the log of the proxy tells why.";
        break;
    case rpch::Client::State::opened:
    case rpch::Client::State::finished:
        failure.win32 = call_failed;
        failure.meaning += "during the call: ";
        failure.advice = "The server may have closed its connection, or a device in between cuts long requests.";
        break;
    }
    failure.meaning += how + ".";
    return failure;
}

Failure explain_plain_end(bool calling, const std::string& how)
{
    Failure failure(Exit::protocol, protocol_error, how.empty() ? "the response is complete" : how);
    if (calling) {
        failure.win32 = call_failed;
        failure.meaning = "The connection ended during the call: " + failure.detail + ".";
        failure.advice = "The server may have closed its connection, or a device in between cuts long requests.";
    } else {
        failure.meaning = "The proxy ended the connection without an answer: " + failure.detail + ".";
        failure.advice = "The log of the proxy tells why. If it expects TLS, it does not serve version 1.";
    }
    return failure;
}

Failure explain_plain_silence(const Options& options, bool calling)
{
    Failure failure(Exit::protocol, protocol_error, "nothing within " + std::to_string(options.timeout_s) + " s");
    if (calling) {
        failure.meaning = "The connection is open, but the RPC server does not answer.";
        failure.advice =
            "Look at the service on " + options.target() + "; it may hang, or a device in between holds data back.";
    } else {
        failure.meaning = "The proxy takes the request and does not answer.";
        failure.advice = "It may still be trying to reach " + options.target() +
                         ", or wait for the server's greeting: --timeout waits longer.";
    }
    return failure;
}

Failure explain_no_banner(const Options& options, const std::string& got, const std::string& error)
{
    Failure failure(Exit::server_unavailable, server_unavailable);
    failure.detail = !got.empty()     ? "\"" + got.substr(0, 40) + "\""
                     : !error.empty() ? error
                                      : "nothing within " + std::to_string(options.timeout_s) + " s";
    failure.meaning = options.target() + " accepts connections, but does not greet with ncacn_http/1.0: " +
                      "it is no server for RPC over HTTP.";
    failure.advice = "Check -s and -e. A service of plain TCP (ncacn_ip_tcp) greets nobody: it can be reached through a "
                     "proxy only.";
    return failure;
}

Failure explain_silence(rpch::Client::State state, const Options& options)
{
    Failure failure(Exit::protocol, protocol_error, "nothing within " + std::to_string(options.timeout_s) + " s");
    switch (state) {
    case rpch::Client::State::out_channel_wait:
        failure.meaning = "The proxy takes both requests and answers neither.";
        failure.advice = "It may still be trying to reach " + options.target() +
                         " (--timeout waits longer), or a device in between holds the request bodies back.";
        break;
    case rpch::Client::State::a3w:
        failure.meaning = "The answer of the OUT channel begins, but its first PDU does not come.";
        failure.advice = "A device in between buffers the response body: it must not.";
        break;
    case rpch::Client::State::c2w:
        failure
            .meaning = "The two channels do not meet: OUT was answered, but the IN channel has not reached the server.";
        failure.advice = "A device in between may buffer the body of RPC_IN_DATA; or what listens on " +
                         options.target() + " does not speak RPC over HTTP.";
        break;
    case rpch::Client::State::opened:
    case rpch::Client::State::finished:
        failure.meaning = "The tunnel is open, but the RPC server does not answer.";
        failure.advice = "Look at the service on " + options.target() +
                         "; it may hang, or a device in between holds data back.";
        break;
    }
    return failure;
}

} // namespace ping
