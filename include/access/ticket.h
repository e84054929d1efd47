#pragma once

#include "access/scheme.h"
#include "kerberos/acceptor.h"

namespace auth {

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
