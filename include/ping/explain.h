#pragma once

#include "ping/options.h"
#include "ping/report.h"
#include "rpch/client.h"
#include "rpch/rpc.h"
#include "web/response.h"

#include <cstdint>
#include <string>

namespace ping {

/// What a response that is not the hoped-for one means. A 401: as one to a request without credentials.
Failure explain_response(const web::Response& response, const Options& options);

/// No HTTP answer came: `how` the connection ended, empty when the time was over.
Failure explain_no_answer(const std::string& how, const Options& options);

/// What a bind or a call that the server turned down means. The path to the server is proven by it.
Failure explain_refusal(const rpch::RpcAnswer& answer, const std::string& target);

/// Bytes that are not what the protocol allows; `reason` is a clause.
Failure explain_broken(const char* reason);

/// The IN or the OUT channel has ended in this state of the client.
Failure explain_end(rpch::Client::State state, const std::string& channel, const std::string& how,
                    const Options& options);

/// Nothing came within the time limit of a step.
Failure explain_silence(rpch::Client::State state, const Options& options);

// Plain RPC on one connection: --v1, --direct. `calling`: it was open, and a call was under way.
Failure explain_plain_end(bool calling, const std::string& how);
Failure explain_plain_silence(const Options& options, bool calling);
/// `got` is what came in place of the banner, `error` why no more did; empty when the time was over.
Failure explain_no_banner(const Options& options, const std::string& got, const std::string& error);

} // namespace ping
