#pragma once

#include "ntlm/acceptor.h"

#include <string>
#include <string_view>
#include <vector>

namespace auth {

struct Scheme;

/// What the administrator decided. Built once, read by all threads.
struct Policy {
    std::vector<const Scheme*> schemes; ///< offered in this order
    bool basic_without_tls = false;     ///< Basic on plain listeners too
    std::string realm = "rpctunnel";    ///< printable ASCII, no quote and no backslash
    /// Whether a login with NTLM must be bound to the TLS connection that it came on.
    ntlm::Protection::Policy protection = ntlm::Protection::Policy::off;
    ntlm::Identity server = {};             ///< what NTLM tells clients of us
};

/// True when `text` can stand between the quotes of realm="...".
bool valid_realm(std::string_view text) noexcept;

} // namespace auth
