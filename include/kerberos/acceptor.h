#pragma once

#include "base/cursor.h"
#include "kerberos/service.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace kerberos {

using Token = std::vector<std::uint8_t>;

/// What to do after a token has come.
struct Step {
    enum class Kind {
        reply,  ///< send `token`, the client has to send one more
        done,   ///< logged in as `text`; send `token` if it is not empty
        refused ///< `text` is the reason, for the log
    } kind;
    Token token = {};
    std::string text = {};
    bool channel_bound = false; ///< done: the client's channel bindings are those of the channel
};

/// The server's side of one login with a ticket, RFC 4121 or that in SPNEGO (RFC 4178), by MIT's library. It reads the keytab and
/// writes the replay cache: accept() blocks as long as a local file does. One thread at a time.
class Acceptor {
public:
    /// `service` outlives it. `binding`: the application data of the channel's bindings (RFC 5929), which a client that tells
    /// some must have used; empty: whatever it tells is right.
    Acceptor(const Service& service, std::string binding);
    ~Acceptor();
    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;

    Step accept(base::Bytes token);

private:
    struct Context;

    const Service& service_;
    std::string binding_;
    std::unique_ptr<Context> context_;
};

} // namespace kerberos
