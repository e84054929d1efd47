#include "http/gate.h"

#include "leg/reply.h"

#include <utility>

namespace http {

namespace {

namespace rpc_code = leg::rpc_code;

std::optional<leg::Method> method_of(std::string_view name) noexcept
{
    if (name == "RPC_IN_DATA")
        return leg::Method::in_data;
    if (name == "RPC_OUT_DATA")
        return leg::Method::out_data;
    if (name == "RPC_CONNECT")
        return leg::Method::connect;
    return std::nullopt;
}

/// With an expectation the body has not been sent yet. A final status instead of `100 Continue` tells the client
/// more than one that comes later (impacket reports it as what it is), but leaves open whether the body follows
/// (RFC 9110 section 10.1.1), so the connection cannot live on.
bool body_is_small(const HeadFacts& facts) noexcept
{
    return facts.content_length == 0 || (facts.content_length <= Gate::small_body && !facts.expect_continue);
}

Verdict answer(const Request& request, Verdict verdict, unsigned status, std::string reason)
{
    verdict.kind = Verdict::Kind::answer;
    verdict.answer.status = status;
    if (!verdict.last_token.empty())
        verdict.answer.headers.emplace_back("WWW-Authenticate", verdict.last_token);
    // Nothing tells where the body of RPC_CONNECT ends: only a challenge, after which the client begins anew, lets the
    // connection live on.
    verdict.may_stay = body_is_small(request.facts) && (verdict.method != leg::Method::connect || status == 401);
    verdict.refused = true;
    verdict.reason = std::move(reason);
    return verdict;
}

Verdict rpc_error(Verdict verdict, std::uint32_t code, std::string reason)
{
    verdict.kind = Verdict::Kind::rpc_error;
    verdict.rpc_error = code;
    verdict.refused = true;
    verdict.reason = std::move(reason);
    return verdict;
}

/// Protocol sheet, appendix D: which half of `server:port` is wrong.
std::uint32_t malformed_code(std::string_view target)
{
    const auto colon = target.rfind(':');
    if (colon == std::string_view::npos || !directory::parse_port(target.substr(colon + 1)))
        return rpc_code::invalid_endpoint_format;
    return rpc_code::invalid_net_addr;
}

} // namespace

unsigned Verdict::status() const noexcept
{
    switch (kind) {
    case Kind::answer:
        return answer.status;
    case Kind::echo:
    case Kind::take_over:
        return 200;
    case Kind::rpc_error:
        return 503;
    case Kind::ask:
    case Kind::check:
        return 0;
    }
    return 0;
}

auth::Authenticator Gate::authenticator(const net::Stream& stream) const
{
    auth::Channel channel{stream.tls()};
    if (stream.tls() && backends_.policy.protection != ntlm::Protection::Policy::off) {
        const std::string certificate = stream.session()->end_point_binding();
        if (!certificate.empty())
            channel.end_point = "tls-server-end-point:" + certificate;
    }
    return {backends_, channel};
}

Verdict Gate::glance(const Request& request, auth::Authenticator& authenticator) const
{
    return recall(look(request, authenticator));
}

/// What is still to be asked may have been answered just now.
Verdict Gate::recall(Verdict verdict) const
{
    if (verdict.kind != Verdict::Kind::ask)
        return verdict;
    verdict.asked_at = decisions_.look();
    verdict.judged_at = decisions_.generation();
    if (!verdict.who)
        return verdict;
    verdict.decision = decisions_.find(verdict.target);
    if (verdict.decision) {
        verdict.kind = Verdict::Kind::take_over;
        verdict.rule = verdict.decision->rule;
    }
    return verdict;
}

/// What load balancers ask every two seconds, so an answer that they expect is worth no line in the log.
Verdict Gate::health(const Request& request, Verdict verdict) const
{
    if (request.method != "GET" && request.method != "HEAD" && request.method != "OPTIONS") {
        verdict.answer.headers.emplace_back("Allow", "GET, HEAD, OPTIONS");
        return answer(request, std::move(verdict), 405, "method");
    }
    const bool well = !draining_ && database_.watch.usable();
    verdict.answer.headers.emplace_back("Cache-Control", "no-store");
    if (well) {
        verdict.answer.headers.emplace_back("Content-Type", "text/plain");
        verdict.answer.body = "200 OK\n";
    }
    verdict = answer(request, std::move(verdict), well ? 200 : 503, "health check");
    verdict.refused = false;
    verdict.may_stay = verdict.may_stay && well;
    return verdict;
}

/// All of glance() but the target.
Verdict Gate::look(const Request& request, auth::Authenticator& authenticator) const
{
    Verdict verdict;
    verdict.method = method_of(request.method);
    if (verdict.method == leg::Method::connect && !serves_connect(request))
        verdict.method.reset();
    const bool version1 = verdict.method == leg::Method::connect;
    if (version1) {
        verdict.target = rpc_connect_target(request.target);
    } else {
        const TargetParts target = split_target(request.target);
        if (target.door == Door::health || (request.method == "OPTIONS" && target.path == "/"))
            return health(request, std::move(verdict));
        if (target.door == Door::none)
            return answer(request, std::move(verdict), 404, "no such path");
        verdict.target = target.query;
    }
    if (!verdict.method) {
        verdict.answer.headers.emplace_back("Allow", serves_connect(request) ? "RPC_IN_DATA, RPC_OUT_DATA, RPC_CONNECT"
                                                                             : "RPC_IN_DATA, RPC_OUT_DATA");
        return answer(request, std::move(verdict), 405, "method");
    }
    if (version1 && request.facts.has_length)
        return answer(request, std::move(verdict), 400, "Content-Length in RPC_CONNECT");
    std::optional<auth::Outcome> outcome;
    if (version1 && rpc_connect_ == RpcConnect::anonymous)
        outcome = auth::Outcome{auth::Outcome::Kind::authenticated, {}, auth::Principal{"anonymous", {}}, {}};
    else
        outcome = authenticator.quick(request.authorization, request.facts.through_front);
    if (!outcome)
        return verdict;
    return conclude(request, std::move(verdict), std::move(*outcome));
}

Verdict Gate::judge(directory::Judge& judge, const Request& request, auth::Authenticator& authenticator, Verdict so_far)
{
    if (!so_far.who)
        so_far = conclude(request, std::move(so_far), authenticator.look_up(request.authorization.value_or("")));
    if (so_far.kind != Verdict::Kind::ask)
        return so_far;
    return target(judge, request, std::move(so_far));
}

Verdict Gate::checked(const Request& request, auth::Authenticator& authenticator, Verdict so_far) const
{
    so_far.kind = Verdict::Kind::ask;
    so_far.check.reset();
    return recall(conclude(request, std::move(so_far), authenticator.checked()));
}

Verdict Gate::too_busy(const Request& request, std::string reason)
{
    Verdict verdict;
    verdict.method = method_of(request.method);
    return rpc_error(std::move(verdict), rpc_code::server_too_busy, std::move(reason));
}

/// After authentication: all that can be said before the target is looked at.
Verdict Gate::conclude(const Request& request, Verdict verdict, auth::Outcome&& outcome)
{
    switch (outcome.kind) {
    case auth::Outcome::Kind::challenge:
    case auth::Outcome::Kind::denied: {
        // Without a scheme to offer, no credentials can help (RFC 9110 section 15.5.4).
        const bool hopeless = outcome.www_authenticate.empty();
        for (std::string& line : outcome.www_authenticate)
            verdict.answer.headers.emplace_back("WWW-Authenticate", std::move(line));
        verdict = answer(request, std::move(verdict), hopeless ? 403 : 401, std::move(outcome.reason));
        verdict.refused = hopeless || outcome.kind == auth::Outcome::Kind::denied;
        return verdict;
    }
    case auth::Outcome::Kind::too_busy:
        return rpc_error(std::move(verdict), rpc_code::server_too_busy, std::move(outcome.reason));
    case auth::Outcome::Kind::check:
        verdict.kind = Verdict::Kind::check;
        verdict.check = std::move(outcome.check);
        return verdict;
    case auth::Outcome::Kind::again:
        return verdict; // still to be asked
    case auth::Outcome::Kind::authenticated:
        break;
    }

    verdict.who = std::move(outcome.who);
    if (!outcome.www_authenticate.empty())
        verdict.last_token = std::move(outcome.www_authenticate.front());
    if (verdict.method == leg::Method::connect)
        return verdict;
    if (request.facts.content_length <= echo_body)
        verdict.kind = Verdict::Kind::echo;
    else if (verdict.method == leg::Method::out_data && request.facts.content_length > out_body)
        return answer(request, std::move(verdict), 413, "Content-Length of an OUT request");
    return verdict;
}

Verdict Gate::target(directory::Judge& judge, const Request& request, Verdict verdict)
{
    const auto decision = std::make_shared<const directory::Decision>(judge.decide(verdict.target));
    verdict.decision = decision;
    verdict.rule = decision->rule;
    std::string reason = decision->reason;

    switch (decision->kind) {
    case directory::Decision::Kind::allowed:
        verdict.kind = Verdict::Kind::take_over;
        return verdict;
    case directory::Decision::Kind::malformed: {
        const std::uint32_t code = malformed_code(verdict.target);
        return rpc_error(std::move(verdict), code, std::move(reason));
    }
    case directory::Decision::Kind::unknown_mailbox:
        verdict.answer.headers.emplace_back("X-CasErrorCode", "MailboxGuidWithDomainNotFound");
        return answer(request, std::move(verdict), 404, std::move(reason));
    case directory::Decision::Kind::denied:
    case directory::Decision::Kind::no_route:
    case directory::Decision::Kind::failed:
        break;
    }
    return rpc_error(std::move(verdict), rpc_code::server_unavailable, std::move(reason));
}

} // namespace http
