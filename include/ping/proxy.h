#pragma once

#include "net/tls.h"
#include "ping/options.h"
#include "ping/report.h"
#include "ping/wire.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace ping {

/// The way to the RPC proxy, for both channels: name, TCP, TLS. With --direct, the name and TCP of the server.
class Proxy {
public:
    /// `tls` is null for plain HTTP.
    Proxy(const Options& options, Report& report, Network& network, const net::TlsClientContext* tls)
        : options_(options), report_(report), network_(network), tls_(tls)
    {
    }

    /// Connects the channel, with TLS if that is wanted; the first time, resolves the name. Every step is reported; false: one
    /// has failed.
    bool open(Channel& channel);

    /// A request for the target, without credentials.
    web::Request request(std::string_view method, std::optional<std::uint64_t> content_length) const;

    /// Takes the body of the response whose head has come, so that the connection can carry the next
    /// request: at most 64 KiB. False when that cannot be done; nothing is reported.
    static bool take_body(Channel& channel, const Deadline& deadline, std::vector<std::uint8_t>& body);

private:
    bool resolve();
    bool connect(Channel& channel, base::UniqueFd& fd);
    bool shake_hands(Channel& channel, base::UniqueFd fd);
    bool check_certificate(Channel& channel);

    const Options& options_;
    Report& report_;
    Network& network_;
    const net::TlsClientContext* tls_;
    std::vector<net::Address> addresses_;
};

const char* method(Place place) noexcept; ///< "RPC_IN_DATA" of Place::in

} // namespace ping
