#pragma once

#include "base/delegate.h"
#include "base/lane.h"
#include "base/shortage.h"
#include "base/unique_fd.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/sources.h"
#include "net/timer.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace net {

struct ConnectResult {
    enum class Cause {
        ok,
        not_resolved, ///< the name does not exist or the resolver failed
        refused,      ///< at least one address answered "connection refused"
        timed_out,    ///< no answer within the time limit
        unreachable,  ///< every other reason of the network or the local system
        exhausted,    ///< this machine has no descriptor, no local port or no memory left
        too_busy      ///< too many names are looked up already
    };

    Cause cause = Cause::unreachable;
    base::UniqueFd fd; ///< connected, does not block, TCP_NODELAY, keep-alive; only when ok
    Address remote;    ///< only when ok
    /// What failed on what and why, for the log:
    /// "exch01.example:6001: 192.0.2.9: Connection refused; [2001:db8::9]: timed out"
    std::string error;

    bool ok() const noexcept { return cause == Cause::ok; }
};

/// Connects to a host by TCP: looks the name up (numeric hosts need no look-up) and tries all its
/// addresses as RFC 8305 section 4 and 5 tell: families in turn, IPv6 first, the next one 250 ms after the
/// last or as soon as that has failed; the first success wins. What runs out on this machine meanwhile is told in
/// the log, too.
///
/// Nobody is connected to before the next round of the loop: whoever needs the connection hears first that the peer for
/// whom it is has gone, and can cancel.
///
/// One callback per start(), never inside start(); none after cancel() or the destructor. The callback may
/// destroy the connector or start it again. Loop and Resolver must outlive it.
class Connector {
public:
    using Callback = base::Delegate<void(ConnectResult)>;
    static constexpr Millis stagger{250};
    static constexpr std::size_t address_limit = 16;

    Connector(Loop& loop, Resolver& resolver) noexcept;
    ~Connector();
    Connector(const Connector&) = delete;
    Connector& operator=(const Connector&) = delete;

    /// `timeout` is for everything, the look-up included. Cancels what ran before.
    void start(const std::string& host, std::uint16_t port, Millis timeout, Callback callback);
    /// The same with addresses already known; `name` is only for the error text.
    void start(const std::string& name, const std::vector<Address>& addresses, Millis timeout, Callback callback);
    /// Where connections come from. An address without a port towards the peer is passed over for the next. Before
    /// start(); `sources` outlives the connector.
    void draw_from(Sources& sources) noexcept { sources_ = &sources; }
    /// The one address that connections of its family come from, whatever the routing says; the port is the
    /// kernel's choice. Before start().
    void bind_to(const Address& source) noexcept;
    void cancel() noexcept;
    bool busy() const noexcept { return static_cast<bool>(callback_); }

private:
    class Attempt;

    void prepare(std::string name, Millis timeout, Callback callback);
    void on_begin() noexcept;
    void on_limit() noexcept;
    void on_resolved(Resolved resolved) noexcept;
    Sources::Turn sources_for(const Address& peer) noexcept;
    void try_next() noexcept;
    void connected(Attempt& attempt) noexcept;
    void fail(ConnectResult::Cause cause, const std::string& reason) noexcept;
    void fail_all(bool timed_out) noexcept;
    void finish(ConnectResult result) noexcept;

    Loop& loop_;
    Callback callback_;
    Sources* sources_ = nullptr;
    std::optional<Address> source_; // instead of sources_
    std::string name_; // with the port, for the error text
    std::string host_; // to look up; empty when the addresses are known
    std::uint16_t port_ = 0;
    Lookup lookup_;
    std::vector<Address> addresses_;
    std::size_t next_address_ = 0;
    std::vector<std::unique_ptr<Attempt>> attempts_;
    Task begin_;
    bool waited_ = false; // a round is over since start()
    Timer next_;
    Timer limit_;
};

/// RFC 8305 section 4: the families in turn, beginning with IPv6, the order within a family kept,
/// duplicates dropped.
std::vector<Address> interleave(const std::vector<Address>& addresses);

} // namespace net
