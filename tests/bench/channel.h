#pragma once

#include "base/fifo.h"
#include "bench/pattern.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/stream.h"

#include <cstdint>
#include <string>

namespace bench {

/// One connection of the generator, client or backend end, with or without TLS: reads all that comes, and
/// writes control bytes and the pattern. Control bytes never cut into a PDU of the pattern.
///
/// Destroy it with Loop::defer when one of its callbacks may be running.
class Channel {
public:
    class Owner {
    public:
        virtual void channel_ready(Channel& channel) = 0; ///< connected, and the TLS handshake is done
        virtual void channel_bytes(Channel& channel, base::Bytes bytes) = 0;
        virtual void channel_closed(Channel& channel, const std::string& reason) = 0;

    protected:
        ~Owner() = default;
    };

    Channel(net::Loop& loop, const Pattern& pattern, Owner& owner);

    /// `from`: the source address; the kernel chooses the port. `tls` may be null. channel_ready() or
    /// channel_closed() follows.
    void connect(const net::Address& to, const net::Address& from, const net::TlsClientContext* tls);
    /// Takes an accepted socket; ready at once, without a callback.
    void accept(base::UniqueFd socket);
    void close();

    /// Whole RTS PDUs, or an HTTP head.
    void control(base::Bytes bytes) { control_.push(bytes); }
    /// The next `size` bytes of the pattern may go.
    void stream(std::uint64_t size) noexcept { goal_ += size; }
    /// Writes what may go as far as the socket takes it; goes on by itself.
    void flush();

    bool open() const noexcept { return static_cast<bool>(stream_); }
    std::uint64_t sent() const noexcept { return sent_; } ///< bytes of the pattern
    std::string describe() const { return stream_.describe(); }

private:
    void on_events(std::uint32_t events);
    void shake_hands();
    void read(bool to_the_end);
    void fail(const std::string& reason);
    bool wrote(base::Bytes bytes, std::size_t& size);

    net::Loop& loop_;
    const Pattern& pattern_;
    Owner& owner_;
    net::Watch watch_;
    net::Task more_;
    base::UniqueFd connecting_;
    std::unique_ptr<net::TlsSession> handshaking_;
    const net::TlsClientContext* tls_ = nullptr;
    net::Stream stream_;
    base::Fifo control_;
    bool control_begun_ = false;
    std::uint64_t goal_ = 0;
    std::uint64_t sent_ = 0;
};

} // namespace bench
