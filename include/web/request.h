#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace web {

/// The head of a request as MS-RPCH 2.1.2.1.1, .2 and .5 want it, and 2.1.1.1.1 for version 1.
struct Request {
    std::string_view method; ///< "RPC_IN_DATA", "RPC_OUT_DATA", "RPC_CONNECT"
    std::string resource;    ///< "/rpc/rpcproxy.dll?exch01:6001"
    std::string host;        ///< for the Host header
    std::optional<std::uint64_t> content_length; ///< without: RPC_CONNECT, MS-RPCH 2.1.1.1.1
    std::string authorization; ///< "Basic ..."; empty: none

    /// `show_secrets` false: for a trace.
    std::string head(bool show_secrets = true) const;
};

/// The Host header of a proxy: with brackets for IPv6, with the port unless it is the scheme's.
std::string host_header(const std::string& host, std::uint16_t port, bool tls);
std::string basic_authorization(const std::string& login, const std::string& password);

} // namespace web
