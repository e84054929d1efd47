#include "ping/options.h"

#include "base/pasted.h"
#include "base/text.h"
#include "ping/arguments.h"
#include "ping/ntlm_v1.h"
#include "ping/ticket_login.h"

#include <algorithm>

namespace ping {
namespace {

template <class Number>
std::string read_number(const Arguments& said, Slot option, std::uint64_t min, std::uint64_t max, Number& out)
{
    if (!said.has(option))
        return {};
    const auto number = base::parse_decimal(said.value(option), max);
    if (!number || *number < min)
        return said.name(option) + " takes a number from " + std::to_string(min) + " to " + std::to_string(max) +
               ", not " + base::quoted(said.value(option));
    out = static_cast<Number>(*number);
    return {};
}

/// Printable ASCII without what the query of the URL or a header could misread.
bool name_byte(char c) noexcept
{
    return c > 0x20 && c < 0x7f && std::string_view("%&/\\?#\"<>").find(c) == std::string_view::npos;
}

/// `sentence`, and which byte of `text` is no part of a name, if there is one.
std::string with_odd_byte(std::string sentence, std::string_view text)
{
    const std::string odd = base::odd_byte(text, name_byte);
    return odd.empty() ? sentence : sentence + ": " + odd;
}

/// "host", "host:port", "[::1]:port", "::1".
bool split_host_port(std::string_view text, std::string& host, std::uint16_t& port)
{
    std::string_view port_text;
    bool has_port = false;
    if (text.starts_with("[")) {
        const auto close = text.find(']');
        if (close == std::string_view::npos)
            return false;
        host = text.substr(1, close - 1);
        const std::string_view rest = text.substr(close + 1);
        has_port = !rest.empty();
        if (has_port && rest[0] != ':')
            return false;
        port_text = has_port ? rest.substr(1) : rest;
    } else if (const auto colon = text.find(':');
               colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
        host = text.substr(0, colon);
        port_text = text.substr(colon + 1);
        has_port = true;
    } else {
        host = text;
    }
    if (has_port) {
        const auto number = base::parse_decimal(port_text, 65535);
        if (!number || *number == 0)
            return false;
        port = static_cast<std::uint16_t>(*number);
    }
    return !host.empty() && base::odd_byte(host, name_byte).empty();
}

std::string judge_flags(const Arguments& said, Options& options, bool& wants_tls)
{
    if (!said.has('F'))
        return {};
    for (const std::string_view word : base::split(said.value('F'), ',')) {
        if (word == "1" || word == "ssl" || word == "use_ssl")
            wants_tls = true;
        else if (word == "2" || word == "first" || word == "use_first")
            options.first_scheme_only = true;
        else if (word == "3")
            wants_tls = options.first_scheme_only = true;
        else
            return "-F takes 1 (TLS), 2 (first scheme only) or 3 (both), not \"" + std::string(word) + "\"";
    }
    return {};
}

std::string judge_proxy(const Arguments& said, Options& options, bool wants_tls)
{
    if (said.has('R') && !base::equal_nocase(said.value('R'), "none"))
        return "-R knows only \"none\": HTTP proxies are not available in this version";
    options.tls = wants_tls;
    std::string_view place;
    if (said.has(slot::proxy)) {
        if (said.has('o'))
            return "--proxy and -o both name the RPC proxy";
        place = said.value(slot::proxy);
        const auto scheme_end = place.find("://");
        if (scheme_end != std::string_view::npos) {
            const std::string_view scheme = place.substr(0, scheme_end);
            place.remove_prefix(scheme_end + 3);
            if (base::equal_nocase(scheme, "https"))
                options.tls = true;
            else if (!base::equal_nocase(scheme, "http"))
                return "--proxy takes an http or https URL, not \"" + std::string(scheme) + "\"";
            else if (wants_tls)
                return "-F asks for TLS, but --proxy says http";
            const auto slash = place.find('/');
            if (slash != std::string_view::npos && slash + 1 < place.size())
                options.path = place.substr(slash);
            place = place.substr(0, slash);
        }
    } else if (said.has('o')) {
        const std::string_view option = said.value('o');
        const auto equals = option.find('=');
        const std::string_view key = option.substr(0, equals);
        if (base::equal_nocase(key, "HttpProxy"))
            return "-o HttpProxy= is not available in this version";
        if (!base::equal_nocase(key, "RpcProxy"))
            return "-o knows RpcProxy=host[:port], not \"" + std::string(option) + "\"";
        if (equals == std::string_view::npos || equals + 1 == option.size())
            return "the value of -o RpcProxy= is missing";
        place = option.substr(equals + 1);
    } else {
        return "the RPC proxy is missing: give -o RpcProxy=host[:port] or --proxy URL";
    }
    if (place.find('@') != std::string_view::npos)
        return "the RPC proxy must be host[:port]; credentials belong in -P";
    options.proxy_port = options.tls ? 443 : 80;
    if (!split_host_port(place, options.proxy_host, options.proxy_port))
        return with_odd_byte("the RPC proxy \"" + std::string(place) + "\" is not host[:port]", place);
    const bool path_ok = std::all_of(options.path.begin(), options.path.end(),
                                     [](char c) { return c > 0x20 && c < 0x7f && c != '?' && c != '#'; });
    if (!path_ok)
        return "the URL of --proxy ends with its path: the query is made of -s and -e";
    return {};
}

/// The server itself takes the place of the proxy.
std::string judge_direct(const Arguments& said, Options& options)
{
    for (const Slot option : {Slot{'o'}, slot::proxy, Slot{'E'}, Slot{'P'}, Slot{'H'}, Slot{'F'}, slot::v1, slot::ntlm_v1})
        if (said.has(option))
            return "--direct goes to the server itself: " + said.name(option) + " is for a proxy";
    options.proxy_port = options.endpoint;
    std::uint16_t port = 0;
    if (options.server.find('@') != std::string::npos ||
        !split_host_port(options.server, options.proxy_host, port) || port != 0)
        return with_odd_byte("--direct needs a host, not \"" + options.server + "\"", options.server);
    return {};
}

std::string judge_version1(const Arguments& said, const Options& options)
{
    if (said.has(slot::v1) && options.echo)
        return "-E pings a proxy of version 2: --v1 has no echo";
    if (said.has(slot::v1) && options.tls)
        return "--v1 has no TLS: version 1 of the protocol is plain HTTP";
    if (said.has(slot::v1) && said.has('P') && options.schemes != std::vector{Scheme::basic})
        return "--v1 sends -P with Basic, and without TLS: say -H Basic if that is meant";
    return {};
}

std::string judge_tls(const Arguments& said, Options& options)
{
    options.ca_file = said.value(slot::ca_file);
    options.insecure = said.has(slot::insecure);
    options.channel_binding = !said.has(slot::no_channel_binding);
    options.print_certificate = said.has('b');
    options.certificate_subject = said.value('B');
    if (base::equal_nocase(options.certificate_subject.substr(0, 6), "msstd:"))
        options.certificate_subject.erase(0, 6);
    if (said.has('B') && options.certificate_subject.empty())
        return "the value of -B is empty";
    if (options.insecure && said.has(slot::ca_file))
        return "--insecure and --ca-file contradict each other";
    if (options.tls)
        return {};
    for (const Slot option : {slot::ca_file, slot::insecure, Slot{'B'}, Slot{'b'}, slot::certificate, slot::no_channel_binding})
        if (said.has(option))
            return said.name(option) + " needs TLS: add -F 1, or give --proxy https://...";
    return {};
}

std::string judge_schemes(const Arguments& said, Options& options)
{
    if (!said.has('H'))
        return {};
    for (const std::string_view word : base::split(said.value('H'), ',')) {
        const auto scheme = scheme_of(base::trim(word));
        if (!scheme)
            return said.name('H') + " takes Basic or 1, NTLM or 2, Negotiate, Certificate or 65536, not " + base::quoted(word);
        options.schemes.push_back(*scheme);
    }
    const auto has = [&](Scheme scheme) { return std::ranges::find(options.schemes, scheme) != options.schemes.end(); };
    if (has(Scheme::certificate) && !said.has(slot::certificate))
        return said.name('H') + " Certificate needs --cert and --key";
    if (has(Scheme::certificate) && options.schemes.size() > 1)
        return said.name('H') + " Certificate goes alone: a certificate that comes with a login needs --cert only";
    if (has(Scheme::certificate) && said.has('P'))
        return said.name('H') + " Certificate sends no password: -P is for the other schemes";
    if (said.has('P') || has(Scheme::certificate))
        return {};
    if (options.schemes != std::vector{Scheme::negotiate})
        return said.name('H') + " needs -P; without it only Negotiate alone can log in, with a Kerberos ticket";
    return have_tickets() ? "" : said.name('H') + " Negotiate without -P needs a Kerberos ticket, and this build has no Kerberos";
}

std::string judge_certificate(const Arguments& said, Options& options)
{
    options.certificate_file = said.value(slot::certificate);
    options.key_file = said.value(slot::key);
    if (said.has(slot::certificate) != said.has(slot::key))
        return "--cert and --key go together";
    if (!options.certificate_file.empty() && !said.has(slot::proxy))
        options.path = "/rpcwithcert/rpcproxy.dll";
    return {};
}

std::string judge_identity(const Arguments& said, Options& options)
{
    if (std::string error = judge_schemes(said, options); !error.empty())
        return error;
    if (said.has(slot::password_fd) && !said.has('P'))
        return "--password-fd needs -P user,domain";
    if (options.first_scheme_only && !said.has('H'))
        return "-F 2 needs -H: there is no first scheme";
    if (!said.has('P'))
        return {};

    Identity identity;
    const std::string_view text = said.value('P');
    const auto first = text.find(',');
    if (first == std::string_view::npos)
        return "-P takes three fields, user,domain,password; a password of * asks for it";
    const auto second = text.find(',', first + 1); // commas behind it are the password's
    identity.user = text.substr(0, first);
    identity.domain = text.substr(first + 1, second == std::string_view::npos ? second : second - first - 1);
    if (second != std::string_view::npos)
        identity.password = text.substr(second + 1);
    if (identity.user.empty())
        return "-P names no user";
    if (identity.login().find(':') != std::string::npos &&
        std::ranges::find(options.schemes, Scheme::basic) != options.schemes.end())
        return "a user name with a colon cannot be sent with Basic";
    for (const std::string& part : {identity.user, identity.domain})
        if (const std::string unseen = base::unseen_byte(part); !unseen.empty())
            return "the user or domain \"" + part + "\" of -P has " + unseen;

    if (said.has(slot::password_fd)) {
        if (!identity.password.empty() && identity.password != "*")
            return "-P and --password-fd both give a password";
        options.password = Options::Password::descriptor;
    } else if (second == std::string_view::npos) {
        return "-P takes three fields, user,domain,password; a password of * asks for it";
    } else if (identity.password == "*") {
        options.password = Options::Password::prompt;
    }
    options.identity = std::move(identity);
    return read_number(said, slot::password_fd, 0, 1023, options.password_descriptor);
}

/// The proxy alone is asked, in no scheme but this.
std::string judge_ntlm_v1(const Arguments& said, const Options& options)
{
    if (!options.ntlm_v1)
        return {};
    for (const Slot option : {Slot{'H'}, Slot{'E'}, Slot{'i'}, slot::v1})
        if (said.has(option))
            return "--ntlm-v1 is a test of its own: it does not go with " + said.name(option);
    if (!options.identity)
        return "--ntlm-v1 needs -P, an account that can log in: what is refused to everybody proves nothing";
    if (std::ranges::any_of(options.identity->password, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
        return "--ntlm-v1 needs an account whose password is ASCII: libntlm knows no other";
    return have_ntlm_v1() ? "" : "--ntlm-v1 is not in this build, which has no libntlm";
}

std::string judge_target(const Arguments& said, Options& options)
{
    if (said.has('t') && !base::equal_nocase(said.value('t'), "ncacn_http"))
        return "-t knows only ncacn_http, not \"" + std::string(said.value('t')) + "\"";
    options.server = said.value('s');
    if (options.server.empty() && !options.echo && !options.ntlm_v1)
        return "the RPC server is missing: give -s, or -E to ping the proxy alone";
    if (options.server.empty() && said.has('e'))
        return said.name('e') + " needs -s";
    if (options.server.size() >= 1024 || !base::odd_byte(options.server, name_byte).empty())
        return with_odd_byte("the server \"" + options.server.substr(0, 80) + "\" is no name for a URL", options.server);
    const auto colon = options.server.find(':');
    if (colon != std::string::npos && options.server.find(':', colon + 1) == std::string::npos)
        return "the port of the server belongs in -e";
    return read_number(said, 'e', 1, 65535, options.endpoint);
}

std::string judge(const Arguments& said, Options& options)
{
    options.echo = said.has('E');
    options.version1 = said.has(slot::v1);
    options.ntlm_v1 = said.has(slot::ntlm_v1);
    options.direct = said.has(slot::direct);
    options.quiet = said.has('q');
    options.json = said.has(slot::json);
    bool wants_tls = false;
    for (const std::string& error : {
             judge_flags(said, options, wants_tls),
             judge_target(said, options),
             options.direct ? judge_direct(said, options) : judge_proxy(said, options, wants_tls),
             judge_tls(said, options),
             judge_certificate(said, options),
             judge_identity(said, options),
             judge_version1(said, options),
             judge_ntlm_v1(said, options),
             read_number(said, 'i', 1, 1'000'000, options.count),
             read_number(said, 'v', 1, 3, options.verbosity),
             read_number(said, 'r', 1, 86'400, options.report_interval_s),
             read_number(said, slot::timeout, 1, 3'600, options.timeout_s),
         })
        if (!error.empty())
            return error;
    if (options.json && said.has('v'))
        return "--json reports everything and does not go with -v";
    return {};
}

} // namespace

Parsed parse_options(const std::vector<std::string_view>& arguments)
{
    Parsed parsed;
    Arguments said;
    parsed.error = said.read(arguments);
    if (!parsed.error.empty())
        return parsed;
    if (said.has('?'))
        parsed.options.action = Options::Action::help;
    else if (said.has(slot::version))
        parsed.options.action = Options::Action::version;
    else
        parsed.error = judge(said, parsed.options);
    return parsed;
}

std::string_view usage() noexcept
{
    return R"(Usage: rpctunnel-ping -o RpcProxy=host[:port] -s server [-e port] [options]
       rpctunnel-ping -o RpcProxy=host[:port] -E [options]
       rpctunnel-ping --direct -s server [-e port] [options]

Makes a real RPC call through an RPC-over-HTTP proxy, or with -E pings the
proxy alone, and says where it stops. The letters are those of rpcping; -x and
/x mean the same.

  -o RpcProxy=host[:port]    the proxy
      --proxy URL            the same as https://host[:port], http://host[:port]
  -s, --server name          the server behind it: a host, or GUID@domain
  -e, --endpoint port        its port (593, the endpoint mapper)
  -E, --echo                 ping the proxy alone
      --v1                   version 1 of the protocol: RPC_CONNECT
      --direct               no proxy: plain RPC to an ncacn_http server
  -P user,domain,password    who you are for the proxy; * asks for the password
      --password-fd n        read the password from descriptor n
  -H, --http-auth schemes    Basic, NTLM, Negotiate, Certificate, or 1, 2, 65536:
                             the strongest of them that the proxy offers;
                             Negotiate without -P: your Kerberos ticket
      --cert, --key file     a client certificate and its key
      --no-channel-binding   do not bind the login to the TLS connection
      --ntlm-v1              prove that the proxy refuses NTLM version 1
  -F flags                   1 TLS, 2 credentials at once, 3 both
      --ca-file file         trust these authorities instead of the system's
      --insecure             do not verify the certificate
  -B subject, -b             compare, or show, the proxy's certificate
  -i, --count n              number of calls (1)
  -r seconds                 report at this interval during many calls (15)
      --timeout seconds      time limit of each step (30)
  -t ncacn_http, -R none     accepted, the only choice
  -v 1..3                    how much is told (1)
  -q                         no warnings
      --json                 one JSON object a step
  -?, --help, --version

Exit code: 0 success, 1 usage, 2 cannot connect, 3 TLS, 4 HTTP authentication,
5 target refused by the proxy, 6 RPC server unavailable, 7 RPC access denied,
8 protocol error or timeout, 9 NTLM version 1 was accepted.
)";
}

} // namespace ping
