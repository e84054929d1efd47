#pragma once

#include "rpch/rpc.h"
#include "tools/ping_http.h"
#include "tools/ping_options.h"
#include "tools/ping_report.h"

#include <cstdint>
#include <string>

namespace ping {

/// What a response that is not the hoped-for one means.
Failure explain_response(const Response& response, const Options& options);

/// What a bind or a call that the server turned down means. The path to the server is proven by it.
Failure explain_refusal(const rpch::RpcAnswer& answer, const std::string& target);

/// "Basic, NTLM", or "none".
std::string list_schemes(const Response& response);

} // namespace ping
