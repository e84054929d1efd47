#pragma once

#include "ping/entrance.h"

namespace ping {

/// NTLM version 1 is libntlm's; a build can be without it.
bool have_ntlm_v1() noexcept;

/// `--ntlm-v1`: logs in at the proxy alone, on RPC_IN_DATA, in NTLM version 2 and then in version 1 with the same password, so
/// that a refusal is that of the version. Every step is reported; the first that has failed is the verdict. Nullopt then;
/// else what is proven. The build has libntlm.
std::optional<std::string> prove_ntlm_v1_refused(const Options& options, Report& report, Proxy& proxy, Entrance& entrance);

} // namespace ping
