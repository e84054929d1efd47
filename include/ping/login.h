#pragma once

#include "base/cursor.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace ping {

/// One login of one connection: what the client says in a scheme whose tokens answer each other. No I/O.
class Login {
public:
    struct Step {
        enum class Kind {
            leg,    ///< send `token` with a request of its own; the answer is 401 and brings the proxy's token
            last,   ///< send `token` with the real request; its answer may bring the proxy's last token
            done,   ///< the proxy's last token is right, nothing is left to send
            failed, ///< the login cannot go on: `why`, a clause; `advice`, sentences, in place of the usual ones
        };
        Kind kind;
        std::vector<std::uint8_t> token = {};
        std::string why = {}, advice = {};

        static Step failed(std::string_view why) { return {Kind::failed, {}, std::string(why), {}}; }
    };

    virtual ~Login() = default;
    /// `token` is the proxy's; empty at first.
    virtual Step next(base::Bytes token) = 0;

    /// What its messages up to the last are called in the report; static text.
    virtual const char* name() const noexcept = 0;

    // After a step of kind `last`, for the report.

    /// "NTLMv2 with an integrity code".
    virtual std::string describe() const = 0;
    /// As the proxy calls itself; may be empty. UTF-8, not to be trusted.
    virtual std::string peer() const { return {}; }
};

} // namespace ping
