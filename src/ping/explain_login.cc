#include "ping/explain_login.h"

#include "ping/ticket_login.h"

#include <cstdlib>

namespace ping {
namespace {

constexpr std::uint32_t access_denied = 5;
/// Kerberos' usual tolerance.
constexpr std::int64_t clock_tolerance_s = 300;

constexpr const char* one_connection_advice =
    "A load balancer or reverse proxy in between uses other connections to its servers for each request, or shares them "
    "among clients. It must keep one connection for each client's own, as a relay of TCP does; or leave only Basic to choose "
    "from.";

Failure failure(std::string meaning, std::string advice)
{
    Failure result(Exit::http_authentication, access_denied);
    result.meaning = std::move(meaning);
    result.advice = std::move(advice);
    return result;
}

bool offers(const web::Response& response, Scheme scheme)
{
    return response.challenge(to_text(scheme)).has_value();
}

std::string offer(const web::Response& response)
{
    return response.schemes().empty() ? "it offers no scheme at all" : "it offers " + list_schemes(response);
}

std::string who(const Options& options)
{
    return options.identity ? options.identity->login() : std::string("the owner of the ticket");
}

Failure not_logged_in(const web::Response& response, const Options& options)
{
    if (options.schemes == std::vector{Scheme::certificate})
        return failure("The proxy does not take the client certificate for a login; " + offer(response) + ".",
                       "Check that " + options.path +
                           " is where it takes certificates, and that it maps this one to an account.");
    return failure("The proxy demands authentication; " + offer(response) + ".",
                   std::string("Give -P user,domain,*, which asks for the password") +
                       (offers(response, Scheme::negotiate) && have_tickets() ? "; or kinit, and -H Negotiate." : "."));
}

/// With what else it can be tried, or empty.
std::string other_ways(const web::Response& response, const Options& options)
{
    std::string ways;
    for (const Scheme scheme : {Scheme::negotiate, Scheme::ntlm, Scheme::basic})
        if (offers(response, scheme))
            ways += (ways.empty() ? "" : " or ") + ("-H " + std::string(to_text(scheme)));
    if (!ways.empty())
        return "Give " + ways + ", or enable what is missing on the proxy.";
    return options.tls ? "Enable one of Negotiate, NTLM and Basic on the proxy."
                       : "Many proxies offer more with TLS: add -F 1, or give --proxy https://...";
}

std::string clock_advice(const Tried& tried)
{
    if (!tried.clock_ahead_s || std::abs(*tried.clock_ahead_s) <= clock_tolerance_s)
        return {};
    return "The clock of this machine is " + std::to_string(std::abs(*tried.clock_ahead_s) / 60) + " minutes " +
           (*tried.clock_ahead_s > 0 ? "ahead of" : "behind") + " the proxy's: set the wrong one. ";
}

std::string binding_advice(const Options& options, const Tried& tried)
{
    if (tried.bound)
        return " If a device in front of the proxy ends TLS, its certificate is another than the proxy's, and extended "
               "protection refuses the login: --no-channel-binding shows whether that is it.";
    if (options.tls)
        return std::string(" The proxy may demand extended protection, which this login did not have") +
               (options.channel_binding ? "." : ": leave --no-channel-binding out.");
    return " The proxy may demand extended protection, which needs TLS: add -F 1, or give --proxy https://...";
}

Failure refused(const web::Response& response, const Options& options, const Tried& tried)
{
    const std::string scheme(to_text(tried.scheme));
    if (tried.scheme == Scheme::basic)
        return failure("The proxy refuses the user name or the password of " + who(options) + ".",
                       "Check the name, the domain and the password, and whether the account is disabled.");
    if (!options.identity)
        return failure("The proxy refuses the Kerberos ticket.",
                       clock_advice(tried) + "Check that the proxy has a keytab for HTTP/" + options.proxy_host +
                           ", the name that is pinged, and that this user has an account there." +
                           binding_advice(options, tried));
    std::string advice = clock_advice(tried) + "Check the name, the domain and the password, and whether the account may use " +
                         "NTLM: accounts without an NT hash cannot (on rpctunneld, \"rpctunnelctl user list\" shows it).";
    if (offers(response, Scheme::basic))
        advice += " -H Basic with the same password tells the two apart.";
    advice += binding_advice(options, tried);
    const std::string via(response.header("Via"));
    advice += via.empty() ? " A balancer in between that does not keep a connection for each client's own has the same effect."
                          : " The answer came through another HTTP device (Via: " + via +
                                "): unless that keeps a connection for each client's own, " + scheme + " cannot work.";
    return failure("The proxy refuses the " + scheme + " login of " + who(options) + ".", std::move(advice));
}

Failure answered_leg(const web::Response& response, const Options& options, const Tried& tried)
{
    const std::string scheme(to_text(tried.scheme));
    if (!offers(response, tried.scheme))
        return failure("The proxy does not offer " + scheme + " here; " + offer(response) + ".", other_ways(response, options));
    return failure("The proxy offers " + scheme + ", but has no challenge for the first message of a login.",
                   "Either it does not know this form of " + scheme +
                       ", or a device in between takes the header Authorization away: try another -H, and try against the "
                       "proxy directly.");
}

} // namespace

std::string list_schemes(const web::Response& response)
{
    std::string list;
    for (const std::string& scheme : response.schemes())
        list += (list.empty() ? "" : ", ") + scheme;
    return list.empty() ? "none" : list;
}

Failure explain_unauthorized(const web::Response& response, const Options& options, const Tried& tried)
{
    Failure result;
    switch (tried.stage) {
    case Tried::Stage::nothing:
        result = not_logged_in(response, options);
        break;
    case Tried::Stage::leg:
        result = answered_leg(response, options, tried);
        break;
    case Tried::Stage::last: {
        const auto challenge = response.challenge(to_text(tried.scheme));
        if (tried.scheme == Scheme::ntlm && challenge && !challenge->empty())
            result = failure("The proxy has forgotten its challenge: it answers the last message of the login with a new "
                             "one, as if it were on another connection.",
                             one_connection_advice);
        else
            result = refused(response, options, tried);
        break;
    }
    case Tried::Stage::held:
        result = failure("The login does not last: the same connection has logged in with " +
                             std::string(to_text(tried.scheme)) + " before, and its next request is refused.",
                         one_connection_advice);
        break;
    }
    result.http_status = response.status;
    result.detail = response.line();
    return result;
}

Failure explain_no_scheme(const web::Response& response, const Options& options)
{
    Failure result;
    const bool only_basic = options.schemes.empty() && offers(response, Scheme::basic);
    if (only_basic) {
        result = failure("The proxy offers Basic and nothing stronger, and without TLS everybody on the way could read the "
                         "password.",
                         "Add -F 1, or give --proxy https://...; -H Basic sends the password all the same.");
    } else {
        std::string wanted;
        for (const Scheme scheme : options.schemes)
            wanted += (wanted.empty() ? "" : " or ") + std::string(to_text(scheme));
        result = failure("The proxy does not offer " + (wanted.empty() ? "anything that can be spoken here" : wanted) + "; " +
                             offer(response) + ".",
                         other_ways(response, options));
    }
    result.http_status = response.status;
    result.detail = response.line() + ", offers " + list_schemes(response);
    return result;
}

Failure explain_broken_login(const std::string& why, Scheme scheme, const std::string& advice)
{
    Failure result = failure("The login with " + std::string(to_text(scheme)) + " cannot go on: " + why + ".",
                             "The proxy, or a device in between, speaks the protocol in another way: try another -H, and try "
                             "against the proxy directly. -v 3 shows the answers.");
    if (!advice.empty())
        result.advice = advice;
    result.detail = why;
    return result;
}

Failure explain_lost_login(const std::string& how, Scheme scheme, const Options& options)
{
    const std::string name(to_text(scheme));
    if (how.empty()) {
        Failure result = failure("The proxy does not answer a message of the " + name + " login.",
                                 "A device in between may hold the request back, or the proxy waits for its source of "
                                 "accounts: --timeout waits longer.");
        result.detail = "nothing within " + std::to_string(options.timeout_s) + " s";
        return result;
    }
    Failure result = failure("The connection ends in the middle of the " + name + " login: " + how + ".",
                             "NTLM and Negotiate log a connection in. What closes it after a 401, the proxy or a device in "
                             "between, must keep it open; or leave only Basic to choose from.");
    result.detail = how;
    return result;
}

Failure explain_certificate(const std::string& how, const Options& options)
{
    Failure result(Exit::tls, std::nullopt, how);
    if (options.certificate_file.empty()) {
        result.meaning = "The proxy demands a client certificate, and ends the connection without one: " + how;
        result.advice = "Give --cert and --key. If users shall log in without a certificate, the proxy must not demand one "
                        "at this address.";
    } else {
        result.meaning = "The proxy does not take the client certificate " + options.certificate_file + ": " + how;
        result.advice = "It must be valid today, be meant for clients, and come from an authority that the proxy trusts; the "
                        "file must have the authorities in between, too.";
    }
    if (!result.meaning.ends_with('.'))
        result.meaning += '.';
    return result;
}

} // namespace ping
