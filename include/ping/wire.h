#pragma once

#include "net/connector.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/stream.h"
#include "net/tls.h"
#include "ping/report.h"
#include "web/body.h"
#include "web/request.h"
#include "web/response.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ping {

/// A point in time that a step must not pass.
class Deadline {
public:
    using Clock = std::chrono::steady_clock;

    explicit Deadline(std::uint32_t seconds) : at_(Clock::now() + std::chrono::seconds(seconds)) {}
    /// For poll(2): 0 when it has passed, at most `limit`.
    int left_ms(std::int64_t limit = 3'600'000) const noexcept;
    bool over() const noexcept { return Clock::now() >= at_; }

private:
    Clock::time_point at_;
};

/// Names and connections, one after the other.
class Network {
public:
    /// The addresses of a name; on failure none, and `error` says why. Numeric hosts need no look-up.
    std::vector<net::Address> resolve(const std::string& host, std::uint16_t port, std::uint32_t timeout_s,
                                      std::string& error);
    net::ConnectResult connect(const std::string& name, const std::vector<net::Address>& addresses,
                               std::uint32_t timeout_s);

private:
    void on_resolved(net::Resolved resolved) { resolved_ = std::move(resolved); }
    void on_connected(net::ConnectResult result) { connected_ = std::move(result); }

    net::Loop loop_;
    net::Resolver resolver_;
    std::optional<net::Resolved> resolved_;
    std::optional<net::ConnectResult> connected_;
};

/// One connection to the proxy, or to a server without one, and the HTTP on it: request heads and bodies go out,
/// heads and bodies of responses come in as events. Nothing waits longer than its deadline.
class Channel {
public:
    enum class Event {
        nothing, ///< no more for the moment
        head,    ///< a response head: see response()
        body,    ///< bytes of its body: see body(), until the next call
        end,     ///< its body is complete
        closed,  ///< the peer has closed the connection
        failed,  ///< see error()
    };

    Channel(Place place, Report& report) : place_(place), report_(report) {}

    /// Takes a new connection, plain.
    void open(base::UniqueFd fd);
    /// Takes a new connection and makes it TLS. False when the handshake fails: see error().
    bool open(base::UniqueFd fd, const net::TlsClientContext& context, const std::string& host,
              const Deadline& deadline);

    /// The handshake failed because of the certificate.
    bool untrusted() const noexcept { return untrusted_; }

    /// The peer has asked for a client certificate in the handshake, which may have failed since.
    bool asked_for_certificate() const noexcept { return asked_for_certificate_; }

    /// On a new connection: there is no HTTP, all that comes is body.
    void expect_body() noexcept;

    /// False when it cannot be written until the deadline: see error().
    bool send(base::Bytes bytes, const Deadline& deadline);
    bool send(const web::Request& request, const Deadline& deadline);

    /// What has come, without waiting.
    Event next();
    /// The same, waiting until the deadline; `nothing` when it has passed.
    Event wait(const Deadline& deadline);

    const web::Response& response() const noexcept { return head_.response(); }
    base::Bytes body() const noexcept { return body_bytes_; }
    const std::string& error() const noexcept { return error_; }
    const net::Stream& stream() const noexcept { return stream_; }
    Place place() const noexcept { return place_; }
    bool is_open() const noexcept { return static_cast<bool>(stream_); }

    /// Sleeps until one of the channels may have an event, or for `ms`.
    static void sleep(std::span<Channel* const> channels, int ms);

private:
    Event fail(std::string error);
    Event parse();
    void start(net::Stream stream);

    Place place_;
    Report& report_;
    net::Stream stream_;
    std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(16 * 1024);
    base::Bytes unread_;
    base::Bytes body_bytes_;
    web::HeadReader head_;
    web::BodyReader body_;
    bool untrusted_ = false;
    bool asked_for_certificate_ = false;
    bool within_body_ = false;
    bool over_ = false; // closed or failed was reported
    std::string error_;
};

} // namespace ping
