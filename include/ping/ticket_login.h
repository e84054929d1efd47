#pragma once

#include "ping/login.h"

#include <memory>
#include <string>

namespace ping {

/// Kerberos is MIT's; a build can be without it.
bool have_tickets() noexcept;

/// Negotiate with a Kerberos ticket of whoever runs this program, for HTTP@`host`; `binding` as kerberos::Initiator takes it.
/// Only when there are any.
std::unique_ptr<Login> make_ticket_login(const std::string& host, const std::string& binding);

} // namespace ping
