#include "ping/proxy.h"

#include "base/text.h"
#include "ping/explain_login.h"

#include <algorithm>
#include <ctime>

namespace ping {
namespace {

constexpr std::uint32_t server_unavailable = 1722;

std::string date(std::int64_t seconds)
{
    const auto time = static_cast<std::time_t>(seconds);
    std::tm broken_down{};
    char text[32] = "";
    if (gmtime_r(&time, &broken_down))
        std::strftime(text, sizeof text, "%Y-%m-%d", &broken_down);
    return text;
}

std::string join(const std::vector<std::string>& words)
{
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : ", ") + word;
    return text;
}

/// The value of CN in "CN=mail.example.com,O=Example".
std::string_view common_name(std::string_view subject)
{
    for (const std::string_view part : base::split(subject, ','))
        if (base::equal_nocase(base::trim(part).substr(0, 3), "CN="))
            return base::trim(part).substr(3);
    return {};
}

bool names(const net::TlsPeer& certificate, std::string_view wanted)
{
    if (base::equal_nocase(certificate.subject, wanted) || base::equal_nocase(common_name(certificate.subject), wanted))
        return true;
    return std::any_of(certificate.names.begin(), certificate.names.end(),
                       [&](const std::string& name) { return base::equal_nocase(name, wanted); });
}

} // namespace

const char* method(Place place) noexcept
{
    return place == Place::in ? "RPC_IN_DATA" : "RPC_OUT_DATA";
}

bool Proxy::resolve()
{
    report_.begin(Place::general, "resolve");
    std::string error;
    addresses_ = network_.resolve(options_.proxy_host, options_.proxy_port, options_.timeout_s, error);
    if (addresses_.empty()) {
        Failure failure(Exit::connect, server_unavailable, options_.proxy_host + ": " + error);
        failure.meaning = "The name of the " + options_.peer() + ", " + options_.proxy_host + ", cannot be resolved.";
        failure.advice = "Check the spelling and the name server of this machine.";
        report_.failed(failure);
        return false;
    }
    std::vector<std::string> texts;
    for (const net::Address& address : addresses_)
        texts.push_back(address.host_text());
    report_.passed(join(texts));
    return true;
}

bool Proxy::open(Channel& channel)
{
    base::UniqueFd fd;
    if ((addresses_.empty() && !resolve()) || !connect(channel, fd))
        return false;
    if (tls_)
        return shake_hands(channel, std::move(fd)) && check_certificate(channel);
    channel.open(std::move(fd));
    return true;
}

bool Proxy::connect(Channel& channel, base::UniqueFd& fd)
{
    report_.begin(channel.place(), "connect");
    net::ConnectResult result = network_.connect(options_.proxy_host + ":" + std::to_string(options_.proxy_port),
                                                 addresses_, options_.timeout_s);
    if (result.ok()) {
        fd = std::move(result.fd);
        report_.passed(result.remote.text());
        return true;
    }
    Failure failure(Exit::connect, server_unavailable, result.error);
    const std::string where = options_.proxy_host + " port " + std::to_string(options_.proxy_port);
    switch (result.cause) {
    case net::ConnectResult::Cause::refused:
        failure.meaning = "Nothing listens on " + where + ".";
        failure.advice = "Check the port, and whether the " + options_.peer() + " is running.";
        break;
    case net::ConnectResult::Cause::timed_out:
        failure.meaning = "No answer from " + where + ".";
        failure.advice = "A firewall may drop the packets, or the machine is down.";
        break;
    case net::ConnectResult::Cause::ok:
    case net::ConnectResult::Cause::not_resolved:
    case net::ConnectResult::Cause::unreachable:
    case net::ConnectResult::Cause::exhausted:
    case net::ConnectResult::Cause::too_busy:
        failure.meaning = "No connection to " + where + ".";
        failure.advice = "Check the network between here and there.";
        break;
    }
    report_.failed(failure);
    return false;
}

bool Proxy::shake_hands(Channel& channel, base::UniqueFd fd)
{
    report_.begin(channel.place(), "tls");
    if (!channel.open(std::move(fd), *tls_, options_.proxy_host, Deadline(options_.timeout_s))) {
        if (channel.asked_for_certificate() && !channel.untrusted()) {
            report_.failed(explain_certificate(channel.error(), options_));
            return false;
        }
        Failure failure(Exit::tls, std::nullopt, channel.error());
        failure.meaning = channel.untrusted() ? "The certificate of the proxy cannot be verified: "
                                              : "There is no TLS connection to the proxy: ";
        failure.meaning += channel.error();
        if (!failure.meaning.ends_with("."))
            failure.meaning += '.';
        failure.advice =
            channel.untrusted()
                ? "Clients will refuse it too. --ca-file trusts another authority; --insecure goes on without a check."
                : "See whether port " + std::to_string(options_.proxy_port) + " speaks TLS at all, and TLS 1.2 or 1.3.";
        report_.failed(failure);
        return false;
    }
    const net::TlsSession& session = *channel.stream().session();
    std::string detail = session.describe();
    Report::Notes notes;
    if (const auto peer = session.peer()) {
        detail += ", " + peer->subject + " until " + date(peer->not_after);
        notes = {"issued by " + peer->issuer, "for " + join(peer->names),
                 "valid " + date(peer->not_before) + " to " + date(peer->not_after)};
    }
    if (channel.asked_for_certificate())
        detail += options_.certificate_file.empty() ? "; it asks for a client certificate"
                                                    : "; it has asked for the client certificate";
    if (session.verification_error().empty())
        report_.passed(detail, notes);
    else
        report_.warned(detail + "; not verified: " + session.verification_error(), notes);
    return true;
}

bool Proxy::check_certificate(Channel& channel)
{
    if (options_.certificate_subject.empty() && !options_.print_certificate)
        return true;
    report_.begin(channel.place(), "certificate");
    const auto peer = channel.stream().session()->peer();
    const std::string shown = peer ? peer->subject + "; names: " + join(peer->names) : "none";
    if (options_.certificate_subject.empty() || (peer && names(*peer, options_.certificate_subject))) {
        report_.passed(shown);
        return true;
    }
    Failure failure(Exit::tls, std::nullopt, shown);
    failure.meaning = "The certificate of the proxy does not name " + options_.certificate_subject + ".";
    failure.advice =
        "Outlook would report that mutual authentication could not be established: correct msstd: or the certificate.";
    report_.failed(failure);
    return false;
}

web::Request Proxy::request(std::string_view name, std::optional<std::uint64_t> content_length) const
{
    web::Request request;
    request.method = name;
    request.resource = options_.server.empty() ? options_.path : options_.path + "?" + options_.target();
    request.host = web::host_header(options_.proxy_host, options_.proxy_port, options_.tls);
    request.content_length = content_length;
    return request;
}

bool Proxy::take_body(Channel& channel, const Deadline& deadline, std::vector<std::uint8_t>& body)
{
    static constexpr std::size_t limit = 64 * 1024;
    for (;;) {
        switch (channel.wait(deadline)) {
        case Channel::Event::body:
            if (body.size() + channel.body().size() > limit)
                return false;
            body.insert(body.end(), channel.body().begin(), channel.body().end());
            break;
        case Channel::Event::end:
            return true;
        case Channel::Event::nothing:
        case Channel::Event::head:
        case Channel::Event::closed:
        case Channel::Event::failed:
            return false;
        }
    }
}

} // namespace ping
