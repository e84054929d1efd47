#pragma once

#include "base/delegate.h"
#include "base/workers.h"
#include "directory/policy.h"
#include "net/connector.h"
#include "net/loop.h"

#include <memory>
#include <string>

namespace tunnel {

/// Connects to the server of a target. When that fails, the directory is asked once more, because the
/// active copy may just have moved, and the new answer is tried once; then the failure is final.
class Dialer {
public:
    /// `fd` is the connection, or empty: then `reason` says what failed on what and why.
    struct Outcome {
        base::UniqueFd fd;
        std::string reason;
        directory::Route route; ///< the one that was used last
        bool elsewhere = false; ///< it is not the one that start() was given
    };
    using Callback = base::Delegate<void(Outcome)>;

    Dialer(net::Loop& loop, base::Workers& workers, directory::Policy& policy) noexcept;
    /// Cancels; no callback follows.
    ~Dialer();

    /// One callback follows, never inside the call. `target` is what the client named.
    void start(const directory::Route& route, const std::string& target, net::Millis timeout, Callback callback);

private:
    struct Question;

    void on_connected(net::ConnectResult result);
    void on_decided(const directory::Decision& decision);
    void finish(Outcome outcome);

    net::Loop& loop_;
    base::Workers& workers_;
    directory::Policy& policy_;
    net::Connector connector_;
    directory::Route route_;
    std::string target_;
    std::string first_failure_;
    net::Millis timeout_{};
    Callback callback_;
    bool again_ = false;
    std::shared_ptr<Question> question_;
};

} // namespace tunnel
