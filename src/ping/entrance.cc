#include "ping/entrance.h"

#include "base/base64.h"
#include "base/text.h"
#include "ping/explain.h"
#include "ping/ntlm_login.h"
#include "ping/ticket_login.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace ping {
namespace {

constexpr unsigned most_legs = 5;

bool offered_among(const std::vector<std::string>& offered, Scheme scheme)
{
    return std::ranges::any_of(offered, [&](const std::string& word) { return base::equal_nocase(word, to_text(scheme)); });
}

/// The name of this machine, as Windows tells it: without a domain.
std::string workstation()
{
    char name[256] = "";
    gethostname(name, sizeof name - 1);
    const std::string_view text = name;
    return std::string(text.substr(0, text.find('.')));
}

std::string encode(Scheme scheme, base::Bytes token)
{
    return std::string(to_text(scheme)) + " " + base::base64_encode(token);
}

std::optional<std::int64_t> clock_ahead(const web::Response& response)
{
    const auto date = response.date();
    return date ? std::optional<std::int64_t>(std::time(nullptr) - *date) : std::nullopt;
}

} // namespace

std::optional<Scheme> choose_scheme(const Options& options, const std::vector<std::string>& offered)
{
    for (const Scheme scheme : {Scheme::negotiate, Scheme::ntlm, Scheme::basic}) {
        const bool allowed = options.schemes.empty() ? scheme != Scheme::basic || options.tls
                                                     : std::ranges::find(options.schemes, scheme) != options.schemes.end();
        if (allowed && offered_among(offered, scheme))
            return scheme;
    }
    return std::nullopt;
}

bool Entrance::enter(Channel& channel)
{
    visit(channel) = {};
    if (!proxy_.open(channel))
        return false;
    if (!std::exchange(chosen_, true)) {
        if (!options_.schemes.empty())
            scheme_ = options_.schemes.front();
        const bool asks = (options_.identity || scheme_) && scheme_ != Scheme::certificate && !options_.first_scheme_only &&
                          !options_.version1;
        if (asks && !ask(channel))
            return false;
        if (scheme_ == Scheme::basic && !options_.tls)
            report_.warning("the password travels readable: Basic without TLS");
    }
    return begin(channel);
}

bool Entrance::enter(Channel& channel, Scheme scheme, std::unique_ptr<Login> login)
{
    Visit& now = visit(channel) = {};
    if (!proxy_.open(channel))
        return false;
    chosen_ = true;
    scheme_ = scheme;
    if (!login)
        return begin(channel);
    now.login = std::move(login);
    return converse(channel);
}

bool Entrance::ask(Channel& channel)
{
    report_.begin(channel.place(), "schemes");
    const Deadline deadline(options_.timeout_s);
    if (!channel.send(proxy_.request(method(channel.place()), 0), deadline) || channel.wait(deadline) != Channel::Event::head) {
        report_.failed(explain_end(channel).value_or(explain_no_answer(channel.error(), options_)));
        return false;
    }
    const web::Response response = channel.response();
    scheme_ = choose_scheme(options_, response.schemes());
    if (response.status != 200 && response.status != 401) {
        report_.failed(explain_response(response, options_));
        return false;
    }
    if (response.status == 401 && !scheme_) {
        report_.failed(explain_no_scheme(response, options_));
        return false;
    }
    std::vector<std::uint8_t> ignored;
    const bool usable = Proxy::take_body(channel, deadline, ignored) && response.keeps_connection();
    std::string detail = "the proxy offers " + list_schemes(response);
    if (scheme_)
        detail += "; " + std::string(to_text(*scheme_)) + " is used";
    if (scheme_ == Scheme::basic)
        detail += ", which extended protection cannot cover";
    if (response.status == 200) {
        scheme_.reset();
        report_.warned("the proxy demands no authentication");
    } else if (usable) {
        report_.passed(detail, {}, response.status);
    } else {
        report_.warned(detail + "; but it closes the connection: NTLM could not work");
    }
    return usable || proxy_.open(channel);
}

std::string Entrance::binding(const Channel& channel) const
{
    const net::TlsSession* const session = channel.stream().session();
    const std::string hash = session && options_.channel_binding ? session->end_point_binding() : std::string();
    return hash.empty() ? hash : "tls-server-end-point:" + hash;
}

std::unique_ptr<Login> Entrance::make_login(const Channel& channel, std::string& error) const
{
    if (!options_.identity)
        return make_ticket_login(options_.proxy_host, binding(channel));
    const auto nt_hash = ntlm::nt_hash(options_.identity->password);
    if (!nt_hash) {
        error = "the password is not UTF-8";
        return nullptr;
    }
    ntlm::Initiator::Login login;
    login.user = options_.identity->user;
    login.domain = options_.identity->domain;
    login.workstation = workstation();
    login.nt_hash = *nt_hash;
    login.target = "HTTP/" + options_.proxy_host;
    if (const std::string data = binding(channel); !data.empty())
        login.binding = ntlm::binding_hash(data);
    return std::make_unique<NtlmLogin>(std::move(login), scheme_ == Scheme::negotiate ? NtlmLogin::Wrapping::spnego
                                                                                      : NtlmLogin::Wrapping::raw);
}

bool Entrance::begin(Channel& channel)
{
    Visit& now = visit(channel);
    if (!scheme_ || scheme_ == Scheme::certificate)
        return true;
    if (scheme_ == Scheme::basic) {
        now.tried.stage = Tried::Stage::last;
        now.tried.scheme = Scheme::basic;
        now.authorization = web::basic_authorization(options_.identity->login(), options_.identity->password);
        return true;
    }
    std::string error;
    now.login = make_login(channel, error);
    if (!now.login) {
        report_.begin(channel.place(), "login");
        report_.failed(explain_broken_login(error, *scheme_));
        return false;
    }
    now.tried.bound = !binding(channel).empty();
    return converse(channel);
}

bool Entrance::converse(Channel& channel)
{
    const Scheme scheme = *scheme_;
    Visit& now = visit(channel);
    report_.begin(channel.place(), now.login->name());
    now.tried.stage = Tried::Stage::leg;
    now.tried.scheme = scheme;
    std::vector<std::uint8_t> token;
    for (unsigned legs = 0; legs < most_legs; ++legs) {
        Login::Step step = now.login->next(token);
        switch (step.kind) {
        case Login::Step::Kind::failed:
            report_.failed(explain_broken_login(step.why, scheme, step.advice));
            return false;
        case Login::Step::Kind::done: // before the last message of ours: not ours to take
            report_.failed(explain_broken_login("the proxy ends it too early", scheme));
            return false;
        case Login::Step::Kind::last: {
            now.authorization = encode(scheme, step.token);
            now.tried.stage = Tried::Stage::last;
            const std::string peer = now.login->peer();
            report_.passed(std::string(to_text(scheme)) + (peer.empty() ? "" : " with " + peer) + ": " + now.login->describe() +
                           (now.tried.bound          ? ", bound to the TLS channel"
                            : !options_.tls          ? ", not bound: extended protection needs TLS"
                            : options_.channel_binding ? ", not bound to the TLS channel"
                                                       : ", not bound, because of --no-channel-binding"));
            return true;
        }
        case Login::Step::Kind::leg:
            break;
        }
        token = std::move(step.token);
        switch (send_leg(channel, token)) {
        case Leg::answered:
            break;
        case Leg::let_in:
            report_.warned("the proxy demands no authentication");
            now = {};
            return true;
        case Leg::failed:
            return false;
        }
    }
    report_.failed(explain_broken_login("it has no end", scheme));
    return false;
}

Entrance::Leg Entrance::send_leg(Channel& channel, std::vector<std::uint8_t>& token)
{
    const Scheme scheme = *scheme_;
    Visit& now = visit(channel);
    const Deadline deadline(options_.timeout_s);
    web::Request request = proxy_.request(method(channel.place()), 0);
    request.authorization = encode(scheme, token);
    if (!channel.send(request, deadline) || channel.wait(deadline) != Channel::Event::head) {
        report_.failed(explain_end(channel).value_or(explain_lost_login(channel.error(), scheme, options_)));
        return Leg::failed;
    }
    const web::Response response = channel.response();
    now.tried.clock_ahead_s = clock_ahead(response);
    std::vector<std::uint8_t> ignored;
    const bool usable = Proxy::take_body(channel, deadline, ignored) && response.keeps_connection();
    if (response.status == 200 && usable)
        return Leg::let_in;
    if (response.status != 401) {
        report_.failed(explain_response(response, options_));
        return Leg::failed;
    }
    const auto challenge = response.challenge(to_text(scheme));
    const auto decoded = challenge ? base::base64_decode(*challenge) : std::nullopt;
    if (!challenge || challenge->empty())
        report_.failed(explain_unauthorized(response, options_, now.tried));
    else if (!usable)
        report_.failed(explain_lost_login("the proxy closes it behind its challenge", scheme, options_));
    else if (!decoded)
        report_.failed(explain_broken_login("the challenge is not base64", scheme));
    else {
        const base::Bytes bytes = base::bytes_of(*decoded);
        token.assign(bytes.begin(), bytes.end());
        return Leg::answered;
    }
    return Leg::failed;
}

web::Request Entrance::request(std::string_view name, const Channel& channel, std::optional<std::uint64_t> content_length)
{
    Visit& now = visit(channel);
    web::Request request = proxy_.request(name, content_length);
    request.authorization = now.authorization;
    if (now.login && now.authorization.empty())
        now.tried.stage = Tried::Stage::held;
    if (now.login)
        now.authorization.clear();
    return request;
}

std::optional<Failure> Entrance::judge(const Channel& channel)
{
    Visit& now = visit(channel);
    const web::Response& response = channel.response();
    if (response.status == 401) {
        now.tried.clock_ahead_s = clock_ahead(response);
        return explain_unauthorized(response, options_, now.tried);
    }
    if (response.status != 200)
        return explain_response(response, options_);
    const auto token = now.login && now.tried.stage == Tried::Stage::last ? response.challenge(to_text(now.tried.scheme))
                                                                          : std::nullopt;
    now.tried.stage = now.login ? Tried::Stage::held : now.tried.stage;
    if (!token || token->empty())
        return std::nullopt;
    const auto decoded = base::base64_decode(*token);
    const Login::Step step = decoded ? now.login->next(base::bytes_of(*decoded)) : Login::Step::failed("it is not base64");
    if (step.kind == Login::Step::Kind::done)
        return std::nullopt;
    return explain_broken_login("the proxy's last message is wrong: " +
                                    (step.kind == Login::Step::Kind::failed ? step.why : std::string("it wants more")),
                                now.tried.scheme);
}

std::optional<Failure> Entrance::explain_end(const Channel& channel) const
{
    if (channel.error().empty())
        return std::nullopt;
    if (channel.asked_for_certificate())
        return explain_certificate(channel.error(), options_);
    const Visit& last = visits_[static_cast<std::size_t>(channel.place())];
    if (last.login && last.tried.stage != Tried::Stage::held)
        return explain_lost_login(channel.error(), last.tried.scheme, options_);
    return std::nullopt;
}

} // namespace ping
