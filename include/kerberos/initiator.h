#pragma once

#include "base/cursor.h"
#include "kerberos/acceptor.h"

#include <memory>
#include <string>

namespace kerberos {

/// Whose tickets a client presents.
class Tickets {
public:
    /// Those of the user's own credential cache.
    Tickets();
    /// Those that the key of `principal` (empty: of the first one) in the file `keytab` gets; they are kept in memory, and renewed
    /// before they end. Throws std::runtime_error that says what is wrong with the keytab.
    Tickets(const std::string& keytab, const std::string& principal);
    ~Tickets();
    Tickets(const Tickets&) = delete;
    Tickets& operator=(const Tickets&) = delete;

    struct Credential; ///< the library's
    const Credential& credential() const noexcept { return *credential_; }

private:
    std::unique_ptr<const Credential> credential_;
};

/// The client's side of one login with a ticket for `HTTP@host`, in SPNEGO (RFC 4178) or raw. start() may have to ask the KDC, and
/// blocks for that. One thread at a time.
class Initiator {
public:
    /// `tickets` outlives it. `host`: as the service's key names it. `binding`: the application data of the channel's bindings, or
    /// empty.
    Initiator(const Tickets& tickets, const std::string& host, std::string binding, bool raw = false);
    ~Initiator();
    Initiator(const Initiator&) = delete;
    Initiator& operator=(const Initiator&) = delete;

    /// The first token. Of kind reply: send it, and give what comes back to go_on(). Refused: why there is none.
    Step start();
    /// Of kind reply, done (the server has proved itself), or refused.
    Step go_on(base::Bytes token);

private:
    struct Context;

    Step step(base::Bytes token);

    const Tickets& tickets_;
    std::string binding_;
    std::unique_ptr<Context> context_;
};

} // namespace kerberos
