#include "base/ask_password.h"
#include "ping/echo.h"
#include "ping/entrance.h"
#include "ping/explain.h"
#include "ping/ntlm_v1.h"
#include "ping/options.h"
#include "ping/plain.h"
#include "ping/ticket_login.h"
#include "ping/tunnel.h"
#include "rpch/mgmt.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <memory>

namespace ping {
namespace {

using Clock = std::chrono::steady_clock;

int usage_error(const std::string& sentence)
{
    std::fprintf(stderr, "rpctunnel-ping: %s\nTry: rpctunnel-ping --help\n", printable(sentence).c_str());
    return static_cast<int>(Exit::usage);
}

/// Arguments are visible to other users of the machine: leave a given password there no longer than needed.
void hide_password(int argc, char** argv, const std::string& password)
{
    for (int i = 1; i < argc; ++i) {
        const std::size_t size = std::strlen(argv[i]);
        if (!password.empty() && size > password.size() && argv[i][size - password.size() - 1] == ',' &&
            password == argv[i] + size - password.size())
            std::memset(argv[i] + size - password.size(), '*', password.size());
    }
}

/// Empty, or why there is no password.
std::string obtain_password(Options& options)
{
    if (!options.identity)
        return {};
    std::optional<std::string> password;
    switch (options.password) {
    case Options::Password::given:
        return {};
    case Options::Password::prompt:
        password = base::ask_password("Password of " + printable(options.identity->login()) + ": ");
        if (!password)
            return "there is no terminal to ask for the password: use --password-fd";
        break;
    case Options::Password::descriptor:
        password = base::read_password(options.password_descriptor);
        if (!password)
            return "no password can be read from descriptor " + std::to_string(options.password_descriptor);
        break;
    }
    options.identity->password = *password;
    return {};
}

std::string title(const Options& options)
{
    if (options.direct)
        return options.target() + " without a proxy";
    std::string text = options.echo      ? "Pinging the RPC proxy "
                       : options.ntlm_v1 ? "Does it refuse NTLM version 1? The RPC proxy "
                                         : options.target() + " through ";
    text += options.tls ? "https://" : "http://";
    text += web::host_header(options.proxy_host, options.proxy_port, options.tls) + options.path;
    text += options.version1 ? " with RPC_CONNECT" : "";
    std::string schemes;
    for (const Scheme scheme : options.schemes)
        schemes += (schemes.empty() ? "" : " or ") + std::string(to_text(scheme));
    if (options.identity)
        text += ", " + schemes + (schemes.empty() ? "as " : " as ") + options.identity->login();
    else
        text += schemes.empty() ? ", without authentication" : ", " + schemes;
    return text;
}

/// -i: the same call again and again. True when every one was answered.
bool repeat_calls(const Options& options, Report& report, Caller& caller)
{
    using Milliseconds = std::chrono::duration<double, std::milli>;
    const auto began = Clock::now();
    auto report_due = began + std::chrono::seconds(options.report_interval_s);
    Milliseconds shortest = Milliseconds::max(), longest = Milliseconds::zero();
    std::uint32_t completed = 0;
    const auto summary = [&] {
        const Milliseconds spent = Clock::now() - began;
        char text[160];
        std::snprintf(text, sizeof text,
                      "%u of %u calls in %.0f ms; %.0f a second; %.2f / %.2f / %.2f ms shortest, average, longest",
                      completed, options.count, spent.count(), completed * 1000.0 / std::max(spent.count(), 0.001),
                      shortest.count(), spent.count() / completed, longest.count());
        return std::string(text);
    };
    report.begin(Place::rpc, "calls");
    while (completed < options.count) {
        const auto sent = Clock::now();
        const auto answer = caller.call(rpch::mgmt::op_is_server_listening);
        if (!answer || answer->type != rpch::PacketType::response) {
            report.failed(answer ? explain_refusal(*answer, options.target()) : caller.failure());
            return false;
        }
        const Milliseconds took = Clock::now() - sent;
        shortest = std::min(shortest, took);
        longest = std::max(longest, took);
        ++completed;
        if (Clock::now() >= report_due && completed < options.count) {
            report.progress(summary());
            report_due += std::chrono::seconds(options.report_interval_s);
        }
    }
    report.passed(summary());
    return true;
}

bool ask_is_listening(const Options& options, Report& report, Caller& caller)
{
    report.begin(Place::rpc, "is_server_listening");
    const auto answer = caller.call(rpch::mgmt::op_is_server_listening);
    if (!answer || answer->type != rpch::PacketType::response) {
        report.failed(answer ? explain_refusal(*answer, options.target()) : caller.failure());
        return false;
    }
    const auto listening = rpch::mgmt::decode_is_server_listening(answer->stub, answer->little_endian);
    if (listening && listening->status == 0 && listening->listening) {
        report.passed("yes");
        return true;
    }
    Failure failure;
    if (!listening) {
        failure = Failure(Exit::protocol, 1783, "malformed answer");
        failure.meaning = "The RPC server answered with something that is not the result of is_server_listening.";
    } else {
        failure = Failure(Exit::server_unavailable, listening->status ? listening->status : 1722, "no");
        failure.meaning = "The RPC server says that it is not listening for calls.";
        failure.advice = "The service on " + options.target() + " is starting, stopping or broken.";
    }
    report.failed(failure);
    return false;
}

bool ask_interfaces(Report& report, Caller& caller)
{
    report.begin(Place::rpc, "inq_if_ids");
    const auto answer = caller.call(rpch::mgmt::op_inq_if_ids);
    if (!answer) {
        report.failed(caller.failure());
        return false;
    }
    const auto ids = answer->type == rpch::PacketType::response
                         ? rpch::mgmt::decode_inq_if_ids(answer->stub, answer->little_endian)
                         : std::nullopt;
    if (!ids || ids->status != 0) {
        // The server has answered a call already; that it does not list its interfaces is its own affair.
        report.warned(answer->type == rpch::PacketType::fault
                          ? "the server refuses to list its interfaces: fault " + win32_text(answer->status)
                      : ids ? "the server cannot list its interfaces: " + win32_text(ids->status)
                            : "malformed answer");
        return true;
    }
    Report::Notes notes;
    for (const rpch::Syntax& interface : ids->interfaces) {
        const char* name = rpch::mgmt::interface_name(interface.uuid);
        notes.push_back(interface.text() + (name ? std::string("  ") + name : ""));
    }
    const auto count = ids->interfaces.size();
    report.passed("the server offers " + std::to_string(count) + (count == 1 ? " interface" : " interfaces"), notes);
    return true;
}

bool call(const Options& options, Report& report, Entrance& entrance)
{
    std::unique_ptr<Caller> path;
    if (options.version1 || options.direct)
        path = std::make_unique<PlainCaller>(options, report, entrance);
    else
        path = std::make_unique<Tunnel>(options, report, entrance);
    Caller& caller = *path;
    if (!caller.open())
        return false;

    report.begin(Place::rpc, "bind");
    const auto answer = caller.bind(rpch::mgmt::interface);
    if (!answer || answer->type != rpch::PacketType::bind_ack || answer->result != 0) {
        report.failed(answer ? explain_refusal(*answer, options.target()) : caller.failure());
        return false;
    }
    report.passed("management interface accepted");
    return ask_is_listening(options, report, caller) && ask_interfaces(report, caller) &&
           (options.count == 1 || repeat_calls(options, report, caller));
}

int run(int argc, char** argv)
{
    const std::vector<std::string_view> arguments(argv + std::min(argc, 1), argv + argc);
    auto [options, error] = parse_options(arguments);
    if (error.empty() && options.identity)
        hide_password(argc, argv, options.password == Options::Password::given ? options.identity->password : "");
    if (!error.empty())
        return usage_error(error);
    if (options.action == Options::Action::help) {
        std::fputs(std::string(usage()).c_str(), stdout);
        return 0;
    }
    if (options.action == Options::Action::version) {
        std::printf("rpctunnel-ping " VERSION "\n%s Kerberos, %s libntlm\n", have_tickets() ? "with" : "without",
                    have_ntlm_v1() ? "with" : "without");
        return 0;
    }
    std::optional<net::TlsClientContext> tls;
    if (options.tls) {
        try {
            tls.emplace(net::TlsClientOptions{.verify = !options.insecure,
                                              .ca_file = options.ca_file,
                                              .certificate = options.certificate_file,
                                              .key = options.key_file});
        } catch (const std::exception& e) {
            return usage_error(e.what());
        }
    }
    if (const std::string reason = obtain_password(options); !reason.empty())
        return usage_error(reason);

    Report report(options);
    Network network;
    Proxy proxy(options, report, network, tls ? &*tls : nullptr);
    Entrance entrance(options, report, proxy);
    report.title(title(options));
    if (options.insecure)
        report.warning("the certificate of the proxy is not verified");
    std::optional<std::string> proven;
    if (options.ntlm_v1)
        proven = prove_ntlm_v1_refused(options, report, proxy, entrance);
    else if (options.echo)
        echo(options, report, entrance);
    else
        call(options, report, entrance);
    const std::string where = web::host_header(options.proxy_host, options.proxy_port, options.tls);
    const std::string called = options.target() + " answered real RPC calls ";
    const Exit code = report.verdict(options.ntlm_v1  ? "the RPC proxy " + where + " " + proven.value_or("") + "."
                                     : options.echo   ? "the RPC proxy " + where + " answers on both methods."
                                     : options.direct ? called + "without a proxy."
                                                      : called + "through " + where + ".");
    return static_cast<int>(code);
}

} // namespace
} // namespace ping

int main(int argc, char** argv)
try {
    return ping::run(argc, argv);
} catch (const std::exception& e) {
    std::fprintf(stderr, "rpctunnel-ping: %s\n", e.what());
    return static_cast<int>(ping::Exit::protocol);
}
