#pragma once

#include "base/delegate.h"
#include "base/pending.h"
#include "directory/decision.h"
#include "leg/environment.h"
#include "leg/failure.h"
#include "net/connector.h"

#include <optional>
#include <string>

namespace leg {

/// What a client is told of a failed connection.
std::uint32_t rpc_error_of(net::ConnectResult::Cause cause) noexcept;

/// Connects to the server of a target. When that fails, the directory is asked once more, because the
/// active copy may just have moved, and the new answer is tried once; then the failure is final. What runs out here
/// says nothing about the server and is final at once.
class Dialer {
public:
    /// `fd` is the connection, or empty: then `failure` says what failed on what and why, and what to tell the client.
    struct Outcome {
        base::UniqueFd fd;
        Failure failure;
        directory::Route route; ///< the one that was used last
        bool elsewhere = false; ///< it is not the one that start() was given
    };
    using Callback = base::Delegate<void(Outcome)>;

    explicit Dialer(const Environment& environment) noexcept;

    /// One callback follows, never inside the call, and none after the destructor. `target` is what the client named.
    void start(const directory::Route& route, const std::string& target, net::Millis timeout, Callback callback);

private:
    void on_connected(net::ConnectResult result);
    void on_decided(const std::optional<directory::Decision>& decision);
    void finish(Outcome outcome);

    const Environment& environment_;
    net::Connector connector_;
    directory::Route route_;
    std::string target_;
    std::string first_failure_;
    net::Millis timeout_{};
    Callback callback_;
    bool again_ = false;
    base::Pending question_;
};

} // namespace leg
