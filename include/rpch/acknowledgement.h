#pragma once

#include "rpch/rts.h"

namespace rpch {

/// Whether `newer` says all that `older` says, so that of the two only `newer` need be sent: both acknowledge the
/// same channel, with the same Destination or none. The figures are cumulative, MS-RPCH 3.2.1.1.5.1.
bool supersedes(const Rts& newer, const Rts& older);

} // namespace rpch
