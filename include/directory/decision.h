#pragma once

#include "directory/target.h"
#include "directory/transport.h"

#include <cstdint>
#include <string>

namespace directory {

/// Where an allowed target goes. `host` is a name or literal without brackets.
struct Route {
    Transport transport = Transport::ncacn_http;
    std::string host;
    std::uint16_t port = 0;
    std::string server; ///< NetBIOS name of the server; the host itself when the directory has no such server

    bool operator==(const Route&) const = default;
    /// "ncacn_http mbx1.example.com:6001"
    std::string text() const;
};

/// The judgement on one target.
struct Decision {
    enum class Kind {
        allowed,         ///< `route` says where to
        malformed,       ///< not a target at all
        denied,          ///< not in ValidPorts
        unknown_mailbox, ///< GUID@domain that the directory does not hold
        no_route,        ///< known, but nowhere to go now: out of service, no active copy
        failed           ///< the directory could not be read
    };

    Kind kind = Kind::failed;
    Target target;      ///< filled unless malformed
    std::string rule;   ///< what decided, with its origin: "EX1:6001-6002 (generated)"; "default (deny)"
    std::string reason; ///< one sentence for people; never shown to an unauthenticated client
    Route route;        ///< filled when allowed

    bool allowed() const noexcept { return kind == Kind::allowed; }
};

/// "allowed", "malformed", "denied", "unknown-mailbox", "no-route", "failed".
const char* name(Decision::Kind kind) noexcept;

} // namespace directory
