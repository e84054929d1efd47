#pragma once

#include <optional>
#include <string_view>

namespace ping {

/// The ways to authenticate to the proxy, the strongest first.
enum class Scheme {
    negotiate,   ///< SPNEGO (RFC 4559): a Kerberos ticket, or NTLM inside
    ntlm,        ///< the messages of MS-NLMP as they are (MS-NTHT)
    basic,       ///< RFC 7617
    certificate, ///< the client certificate of TLS, and no header
};

/// "NTLM": as in WWW-Authenticate, in -H and in the report.
std::string_view to_text(Scheme scheme) noexcept;

/// A word of -H, of either case, or rpcping's number.
std::optional<Scheme> scheme_of(std::string_view word) noexcept;

} // namespace ping
