#pragma once

#include "access/authenticator.h"
#include "directory/decision_cache.h"
#include "directory/directory.h"
#include "http/engine.h"
#include "http/request.h"
#include "http/rpc_connect.h"
#include "leg/arrival.h"
#include "net/stream.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace http {

/// What a request is to get, and why.
struct Verdict {
    enum class Kind {
        answer,    ///< `answer`, by the engine
        echo,      ///< the echo reply of MS-RPCH section 2.1.2.1.6
        rpc_error, ///< 503 with `rpc_error` in its reason phrase, MS-RPCH section 2.1.2.1.3
        take_over, ///< the request becomes a channel
        ask,       ///< the directory is to be asked: Gate::judge() goes on
        check,     ///< `check` is to be made: Gate::checked() goes on
    };

    Kind kind = Kind::ask;
    Answer answer;
    bool may_stay = false; ///< answer: the connection may live on, since the announced body is small and will come
    std::uint32_t rpc_error = 0;

    bool refused = false; ///< deserves a line in the log; a first challenge does not
    std::string reason;   ///< for the log, never for the client
    std::string rule;     ///< which entry decided on the target

    std::optional<auth::Principal> who;
    std::string last_token; ///< of the login, for WWW-Authenticate of whatever is answered; mostly empty
    std::optional<leg::Method> method; ///< null: no request of this protocol, or not served
    std::string target;                ///< `server:port` as the request names it
    std::shared_ptr<const directory::Decision> decision; ///< take_over: where to
    directory::DecisionCache::Stamp asked_at = 0;         ///< ask: the directory's state before that
    std::uint64_t judged_at = 0; ///< take_over: Judge::generation() before the decision
    std::shared_ptr<auth::Check> check; ///< check

    /// As the log shows it.
    unsigned status() const noexcept;
};

/// Judges requests: path, method, authentication, then echo or target. Knows nothing of sockets and of the engine's
/// inside. One for all connections of a shard.
class Gate {
public:
    /// Bodies up to this size are read and dropped after an ordinary answer, so that the connection can live on.
    /// Authentication legs carry 0, 4, 76 or 120 bytes.
    static constexpr std::uint64_t small_body = 4096;
    /// MS-RPCH section 2.1.2.1.5: an authenticated request of at most this size is an echo request.
    static constexpr std::uint64_t echo_body = 16;
    /// The body of an OUT request is one or two RTS PDUs. More than this is no RPC client.
    static constexpr std::uint64_t out_body = 65536;

    Gate(const auth::Backends& backends, directory::Directory& database, directory::DecisionCache& decisions,
         RpcConnect rpc_connect) noexcept
        : backends_(backends), database_(database), decisions_(decisions), rpc_connect_(rpc_connect)
    {
    }

    /// From now on the answer to the health check is no.
    void drain() noexcept { draining_ = true; }
    bool draining() const noexcept { return draining_; }

    /// For one connection.
    auth::Authenticator authenticator(const net::Stream& stream) const;

    /// From memory.
    Verdict glance(const Request& request, auth::Authenticator& authenticator) const;
    /// On the lane of the directory, for a verdict of the kind `ask`.
    static Verdict judge(directory::Judge& judge, const Request& request, auth::Authenticator& authenticator,
                         Verdict so_far);
    /// From memory again, for a verdict of the kind `check`, when that was made.
    Verdict checked(const Request& request, auth::Authenticator& authenticator, Verdict so_far) const;
    /// glance() knows from now on what judge() has found out.
    void remember(const Verdict& verdict) const { decisions_.store(verdict.decision, verdict.asked_at); }

    /// What a request gets that cannot be judged now.
    static Verdict too_busy(const Request& request, std::string reason);

private:
    bool serves_connect(const Request& request) const noexcept
    {
        return rpc_connect_ != RpcConnect::no && !request.tls;
    }
    Verdict health(const Request& request, Verdict verdict) const;
    Verdict look(const Request& request, auth::Authenticator& authenticator) const;
    static Verdict conclude(const Request& request, Verdict verdict, auth::Outcome&& outcome);
    Verdict recall(Verdict verdict) const;
    static Verdict target(directory::Judge& judge, const Request& request, Verdict verdict);

    auth::Backends backends_;
    directory::Directory& database_;
    directory::DecisionCache& decisions_;
    RpcConnect rpc_connect_;
    bool draining_ = false;
};

} // namespace http
