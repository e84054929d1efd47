#pragma once

#include "access/scheme.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auth {

/// Who a request comes from.
struct Principal {
    std::string canonical; ///< the same for every spelling of the login: compare this
    std::string scheme;    ///< "Basic"; for the log
};

struct Outcome {
    enum class Kind {
        challenge,     ///< 401: no credentials yet, or the scheme needs another leg
        authenticated, ///< `who` is set
        denied,        ///< 401 that looks like any other; `reason` is for the log alone
        too_busy,      ///< 503 and close
        check,         ///< `check` is to be made, on its lane; then checked() goes on
        again,         ///< look_up() is to be called again with the same header
    } kind;
    /// With challenge and denied: one header line each. Empty when no scheme may be used on this channel (Basic
    /// without TLS): then answer 403. With authenticated: one when the scheme has a last token for the client, which belongs
    /// into whatever is answered.
    std::vector<std::string> www_authenticate;
    std::optional<Principal> who;
    std::string reason;
    std::shared_ptr<Check> check = nullptr;
};

/// Authenticates the requests of one TCP connection, one after the other.
///
/// Ask quick() first; when it has no answer, run look_up() with the same header value on the lane of the directory, and
/// nothing in between. The caller keeps the object and everything in `Backends` alive meanwhile and uses it from one thread
/// at a time.
/// A scheme that logs in the connection (NTLM, Negotiate) needs no header afterwards; Basic is needed in
/// every request. Whoever was authenticated first stays: a later login of another principal on the same
/// connection is denied. All that is different on a connection that several users share, since a front has it with us: once
/// a request has said so, nobody is remembered, each request proves itself, and no scheme of connections is offered. No
/// function throws for anything that a client can send.
class Authenticator {
public:
    Authenticator(const Backends& backends, Channel channel);

    /// Never blocks. `authorization` is the value of the Authorization header, nullopt when there is none; `shared`: the
    /// request has come through a front.
    std::optional<Outcome> quick(std::optional<std::string_view> authorization, bool shared = false);
    /// Asks the directory.
    Outcome look_up(std::string_view authorization);
    /// The check of the last look_up() was made. Never blocks.
    Outcome checked();

private:
    struct Credentials {
        const Scheme* scheme;
        std::string_view rest;
    };

    bool offered(const Scheme& scheme) const;
    std::optional<Credentials> recognise(std::string_view authorization) const;
    SchemeState& state_of(const Scheme& scheme);
    Outcome conclude(const Scheme& scheme, Attempt&& attempt);
    Outcome refuse(Outcome::Kind kind, std::string reason) const;

    Backends backends_;
    Channel channel_;
    const Scheme* current_ = nullptr; // the scheme that state_ belongs to
    std::unique_ptr<SchemeState> state_;
    std::optional<Principal> who_;    // the first success on this connection
    bool stays_ = false;              // who_ needs no header any more
    bool shared_ = false;             // among users
};

} // namespace auth
