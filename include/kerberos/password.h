#pragma once

#include "kerberos/service.h"

#include <string>
#include <string_view>

namespace kerberos {

struct Verdict {
    enum class Kind {
        right,
        wrong,      ///< the KDC says no: to the password, to the user, or to both
        unavailable ///< nobody could say
    } kind = Kind::unavailable;
    std::string reason = {}; ///< for the log, unless it is right
};

/// Whether a KDC takes the password for that of `principal`, "alice@CORP.EXAMPLE", and proves with our key that it is the KDC.
/// Blocks for a trip to the KDC, and as long as the library waits for one that is silent. Any thread; no ticket is kept.
Verdict check_password(const Service& service, const std::string& principal, const std::string& password);

} // namespace kerberos
