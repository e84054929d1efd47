#pragma once

#include "ping/options.h"
#include "ping/report.h"
#include "ping/scheme.h"
#include "web/response.h"

#include <cstdint>
#include <optional>
#include <string>

namespace ping {

/// What was tried on a connection when the proxy answered.
struct Tried {
    enum class Stage {
        nothing, ///< no credentials went
        leg,     ///< a message of a login that is to be answered with another
        last,    ///< all that proves who the user is: the last message, or the password
        held,    ///< nothing, on a connection that has logged in before
    };
    Stage stage = Stage::nothing;
    Scheme scheme = Scheme::basic;
    bool bound = false;                       ///< the login named the TLS channel
    std::optional<std::int64_t> clock_ahead_s = {}; ///< of this machine's clock, in front of the proxy's
};

/// What a 401 means.
Failure explain_unauthorized(const web::Response& response, const Options& options, const Tried& tried);

/// `-H`, or what can be spoken here at all, and what the proxy offers have nothing in common.
Failure explain_no_scheme(const web::Response& response, const Options& options);

/// The login cannot go on: `why` is a clause; without `advice` there is one for all.
Failure explain_broken_login(const std::string& why, Scheme scheme, const std::string& advice = {});

/// The proxy ended the connection in the middle of a login, `how` if that is known, or said nothing in time.
Failure explain_lost_login(const std::string& how, Scheme scheme, const Options& options);

/// The proxy asked for a client certificate and then ended the connection: `how`.
Failure explain_certificate(const std::string& how, const Options& options);

/// The schemes that a 401 offers: "Basic, NTLM", or "none".
std::string list_schemes(const web::Response& response);

} // namespace ping
