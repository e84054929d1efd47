#pragma once

#include "base/delegate.h"
#include "base/unique_fd.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/timer.h"

#include <optional>

namespace net {

/// A listening TCP socket. Several loops can listen on one address, the kernel spreads the connections
/// (SO_REUSEPORT); an IPv6 socket takes IPv6 only.
///
/// Accepted sockets do not block, are closed on exec, have TCP_NODELAY and send keep-alive probes after
/// 60 s of silence. When no descriptor is left, one that was kept for this takes new clients in, one after
/// the other, for the callback `overflow`; the callback may destroy the listener, but `overflow` may not.
/// Without it, or when that is gone too, and when memory runs out, accepting pauses for 100 ms at a time and
/// one warning is logged.
class Listener {
public:
    using Callback = base::Delegate<void(base::UniqueFd&& socket, const Address& peer)>;

    /// Port 0 takes a free one, see local(). Throws std::runtime_error that names address and reason.
    /// `overflow`: for a last word to a client for whom there is no descriptor; the socket must be closed before it
    /// returns.
    Listener(Loop& loop, const Address& address, Callback callback, Callback overflow = {});
    ~Listener();

    /// Throws as the constructor does when anybody listens on the address: also another process of the same user, with
    /// whom the kernel would let us share it.
    static void check_free(const Address& address);


    /// The last act: those whom the kernel has taken in already come to the callbacks, which must not destroy the listener;
    /// closing alone would reset them. Then it is closed.
    void finish() noexcept;

    /// The address bound to, with the real port.
    const Address& local() const noexcept { return local_; }

private:
    void on_event(std::uint32_t events) noexcept;
    void accept_some() noexcept;
    int accept_one() noexcept;
    int accept_overflow(int reason) noexcept;
    void pause(int reason) noexcept;

    Loop& loop_;
    Callback callback_;
    Callback overflow_;
    base::UniqueFd reserve_; // given up for a moment when there is no other
    base::UniqueFd socket_;
    Address local_;
    Watch watch_;
    Task more_;
    Timer retry_;
    std::optional<Millis> warned_;
    bool* destroyed_ = nullptr;
};

} // namespace net
