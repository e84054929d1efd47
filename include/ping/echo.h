#pragma once

#include "ping/entrance.h"

namespace ping {

/// `-E`: echo requests on both methods, with bodies of 0 and of 4 bytes (MS-RPCH 2.1.2.1.5). True when
/// the proxy answered all of them; every step is reported.
bool echo(const Options& options, Report& report, Entrance& entrance);

} // namespace ping
