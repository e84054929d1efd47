#pragma once

#include "leg/banner.h"
#include "leg/outlet.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/timer.h"
#include "rpch/framer.h"
#include "rpch/rts.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>

namespace leg {

/// One connection of a virtual connection: to the client (an HTTP body), to a proxy's server, or to an
/// RPC service. Reads its stream, cuts it into PDUs, hands them to its owner; writes through its Outlet.
///
/// Bytes are read into the loop's scratch memory and must have been written or copied by others when
/// leg_delivered() returns; therefore nothing is ever read inside a callback. What the owner does not
/// allow is not read, so the peer is stopped by TCP.
///
/// An owner outlives the callbacks in progress: it is destroyed with Loop::defer.
class Leg {
public:
    class Owner : public Outlet::Gate {
    public:
        /// How many bytes may be read now. 0 pauses; then resume() must follow some day.
        virtual std::size_t leg_allowance() = 0;
        virtual void leg_rpc(const rpch::Framer::Piece& piece) = 0;
        virtual void leg_rts(const rpch::Rts& pdu) = 0;
        /// All that one read brought was handed over: write it.
        virtual void leg_delivered() = 0;
        /// The socket takes bytes again and some wait.
        virtual void leg_writable() = 0;
        /// The stream has ended or broken, or what came is no PDU stream. The last callback.
        virtual void leg_closed(const std::string& reason) = 0;
        /// The peer has said its last word (or, `broken`, is gone for good) while nothing may be read. How long what it
        /// sent before may wait without anything moving; then, or at once with 0, the stream counts as ended.
        virtual net::Millis leg_patience(bool broken) { return broken ? net::Millis(0) : rest_patience; }
        /// The server's banner was complete; only after expect_banner().
        virtual void leg_banner() {}

    protected:
        ~Owner() = default;
    };

    /// Bytes behind a full window that are read nevertheless, so that RTS PDUs can be reached behind RPC PDUs that wait:
    /// an acknowledgement among them may be what everything waits for.
    static constexpr std::size_t control_room = 1024;
    /// For what a peer sent before its end to be read.
    static constexpr net::Millis rest_patience{10'000};

    Leg(net::Loop& loop, net::Stream stream, Owner& owner);
    ~Leg() { watch_.close(stream_); }

    /// The stream may begin with the server's banner, MS-RPCH 2.1.2.2.1.
    void expect_banner() noexcept { banner_.expect(); }
    /// Puts the leg into the loop; `early` are bytes that were read from the stream before.
    /// False: the system refuses, errno says why.
    [[nodiscard]] bool start(base::Bytes early);
    bool started() const noexcept { return watch_.added(); }
    /// `early` of start(), of a leg that was started before they could be taken.
    void take(base::Bytes early);
    /// Another owner from now on.
    void serve(Owner& owner) noexcept;
    /// The allowance may have grown. Reads later in this round, never inside the call.
    void resume() noexcept;

    /// Closes now. Nothing is called back any more.
    void close() noexcept;
    /// As close(), but the stream goes on elsewhere, as one that was handed over (net::Watch::hand_over).
    net::Stream release() noexcept;

    /// Made when it is asked for the first time: many legs are only read.
    Outlet& outlet()
    {
        if (!outlet_)
            outlet_ = std::make_unique<Outlet>(stream_, *owner_);
        return *outlet_;
    }
    /// Bytes that wait in the outlet.
    std::size_t waiting() const noexcept { return outlet_ ? outlet_->waiting() : 0; }
    net::Stream& stream() noexcept { return stream_; }
    bool closed() const noexcept { return closed_; }
    /// The peer has ended the connection; nobody is there to be told anything.
    bool gone() const noexcept { return gone_; }
    /// It was reset; or what it had sent before its end could not be passed on in time.
    bool broken() const noexcept { return broken_; }
    /// Bytes read so far, the early ones included.
    std::uint64_t received() const noexcept { return received_; }

private:
    void on_events(std::uint32_t events) noexcept;
    void read() noexcept;
    void await_rest();
    void on_rest_timeout();
    void deliver(base::Bytes input);
    void fail(const std::string& reason);
    void lose(const std::string& reason);

    net::Loop& loop_;
    Owner* owner_;
    net::Stream stream_;
    std::unique_ptr<Outlet> outlet_;
    rpch::Framer framer_;
    net::Watch watch_;
    net::Task more_;
    std::unique_ptr<net::Timer> rest_limit_; // since the peer's end was known and something unread before it
    std::uint64_t received_ = 0;
    // The begin of a PDU that is too short to tell its length. It is put in front of the next read, so
    // that a PDU's pieces lie one behind the other.
    std::array<std::uint8_t, rpch::framing_size - 1> tail_;
    std::uint8_t tail_size_ = 0;
    Banner banner_;
    bool readable_ = false; // the next event says so
    bool hung_up_ = false; // the end is known; there may be something to read before it
    bool broken_ = false;
    bool closed_ = false;
    bool gone_ = false;
};

} // namespace leg
