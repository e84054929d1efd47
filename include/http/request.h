#pragma once

#include "http/head.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace http {

/// A request as the engine parsed it, copied so that a worker can look at it.
struct Request {
    HeadFacts facts;
    bool tls = false; ///< how it came
    std::string method;
    std::string target; ///< of the request line, nothing decoded
    std::optional<std::string> authorization;
    std::vector<std::string> pragmas; ///< the values of all Pragma lines
};

/// Which of our doors a path is; compared without case, as IIS does (MS-RPCH section 2.2.2). `health` is where load
/// balancers for Exchange ask whether a node works.
enum class Door { none, rpc, rpc_with_certificate, health };

struct TargetParts {
    Door door = Door::none;
    std::string_view path;
    std::string_view query; ///< behind the first "?", nothing decoded: `server:port`
};

/// Takes the target of a request line apart. The absolute form of RFC 9112 section 3.2.2 is accepted and its
/// authority ignored.
TargetParts split_target(std::string_view target) noexcept;

/// `server:port` of a RPC_CONNECT request, whose path is not fixed (MS-RPCH 3.1.2.3): what is behind the first "?", or
/// all of a target that is no path, `RPC_CONNECT server:port`.
std::string_view rpc_connect_target(std::string_view target) noexcept;

/// The Pragma directives of MS-RPCH sections 2.1.2.1.1 and 2.1.2.1.2. Unknown and malformed ones are ignored, as the
/// specification asks; of a repeated one the first counts.
struct Pragma {
    std::optional<std::uint32_t> min_conn_timeout; ///< seconds, brought into 120..14400
    std::string resource_type;                     ///< lower-case UUID, or empty; for the log
    std::string session;                           ///< likewise
};
Pragma parse_pragma(const std::vector<std::string>& values);

} // namespace http
