#pragma once

#include "base/fifo.h"
#include "bench/pattern.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/timer.h"

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

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
        virtual void channel_drained(Channel& channel) = 0; ///< it is the turn of what last() said
        virtual void channel_closed(Channel& channel, const std::string& reason) = 0;

    protected:
        ~Owner() = default;
    };

    Channel(net::Loop& loop, const Pattern& pattern, Owner& owner);
    ~Channel() { close(); }
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    /// `from`: the source address; the kernel chooses the port. `tls` may be null. channel_ready() or
    /// channel_closed() follows.
    void connect(const net::Address& to, const net::Address& from, const net::TlsClientContext* tls);
    /// Takes an accepted socket; ready at once, without a callback.
    void accept(base::UniqueFd socket);
    void close();
    /// Nothing is read until listen().
    void wait_to_listen() noexcept { listens_ = false; }
    void listen();

    /// Whole RTS PDUs, or an HTTP head. With a delay they are held back so long, and so is what comes later.
    void control(base::Bytes bytes, net::Millis delay = {});
    /// A PDU that goes behind the pattern, as far as that may go by now. Nothing follows it from the moment of
    /// channel_drained(), which may come inside flush().
    void last(base::Bytes pdu, net::Millis delay = {});
    /// Here the pattern begins on this channel: a whole number of its PDUs.
    void begin_at(std::uint64_t offset) noexcept { position_ = goal_ = offset; }
    /// The next `size` bytes of the pattern may go.
    void stream(std::uint64_t size) noexcept { goal_ += size; }
    /// Writes what may go as far as the socket takes it; goes on by itself.
    void flush();

    bool open() const noexcept { return static_cast<bool>(stream_); }
    std::string describe() const { return stream_.describe(); }

private:
    struct Held {
        std::vector<std::uint8_t> bytes;
        net::Millis delay;
    };

    void on_events(std::uint32_t events);
    void on_listen();
    void on_held();
    void shake_hands();
    void read(bool to_the_end);
    void fail(const std::string& reason);
    void write_all();
    bool wrote(base::Bytes bytes, std::size_t& size);

    const Pattern& pattern_;
    Owner& owner_;
    net::Watch watch_;
    net::Task more_;
    net::Task listen_;
    net::Timer hold_; // for the first of held_, or for last_
    base::UniqueFd connecting_;
    std::unique_ptr<net::TlsSession> handshaking_;
    const net::TlsClientContext* tls_ = nullptr;
    net::Stream stream_;
    base::Fifo control_;
    std::deque<Held> held_;
    base::Fifo last_;
    bool listens_ = true;
    bool control_begun_ = false;
    std::uint64_t goal_ = 0;     // of the pattern
    std::uint64_t position_ = 0; // in the pattern: what has been written
};

} // namespace bench
