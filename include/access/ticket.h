#pragma once

#include "access/scheme.h"
#include "kerberos/acceptor.h"

#include <optional>
#include <string_view>

namespace auth {

/// The login that a principal is, as the library writes it. Nullopt: it is no user, but a service as HTTP/host, or has a character
/// that the library writes with a backslash: Login::parse() takes what people type, for whom one at the start means nothing.
std::optional<Login> login_of(std::string_view principal);

/// A login with a ticket of Kerberos on one connection. One thread at a time.
class TicketLogin {
public:
    /// There are `backends.realms`.
    TicketLogin(const Backends& backends, const Channel& channel);

    /// On the lane of the directory: it reads files.
    Attempt take(base::Bytes token);

private:
    Attempt admit(const kerberos::Step& step) const;

    const Backends backends_;
    const bool must_be_bound_, can_be_bound_;
    kerberos::Acceptor acceptor_;
};

} // namespace auth
