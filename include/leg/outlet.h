#pragma once

#include "base/fifo.h"
#include "net/stream.h"
#include "rpch/framer.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace leg {

/// The writing half of a leg. RPC PDUs leave in order, whole and unchanged; RTS PDUs overtake the RPC
/// PDUs that wait, because they are not subject to flow control (MS-RPCH 3.2.1.4), but never cut into one
/// that has begun.
///
/// What can be written at once is written from where it was read. Only what the gate holds back or the
/// socket does not take is copied, and the memory for it lives only as long as something waits.
class Outlet {
public:
    /// Says whether an RPC PDU may go now: flow control, plugged channels.
    class Gate {
    public:
        virtual bool admits(std::uint32_t size) const = 0;
        virtual void sent(std::uint32_t size) = 0; ///< it goes

    protected:
        ~Gate() = default;
    };

    /// More than any peer needs that reads: the PDUs of all recycling sequences at once are less than half of it.
    static constexpr std::size_t most_urgent = 4096;

    /// Both must outlive the outlet.
    Outlet(net::Stream& stream, Gate& gate) noexcept : stream_(stream), gate_(&gate) {}

    /// Another gate from now on.
    void ask(Gate& gate) noexcept { gate_ = &gate; }

    /// A piece of an RPC PDU, as the framer delivers it. The bytes must stay where they are until flush().
    void put(const rpch::Framer::Piece& piece);
    /// A whole RTS PDU, or what begins the stream: an HTTP head, a preamble. Copied. Of acknowledgements that wait for
    /// the socket only the newest of each channel stays; a peer who leaves more than `most_urgent` bytes of RTS PDUs
    /// unread is given up.
    void put_control(base::Bytes bytes);
    /// An RTS PDU that goes behind every RPC PDU that was put, waiting or still coming. Nothing follows it.
    void put_last(base::Bytes pdu);

    /// Writes what can be written; also when the gate may have opened or the socket takes bytes again.
    /// False: the stream is dead, see failure_text().
    [[nodiscard]] bool flush();

    /// How many bytes of RPC PDUs have left since the last call.
    std::uint32_t take_consumed() noexcept;

    /// Bytes that wait, for whatever reason.
    std::size_t waiting() const noexcept { return ready_.size() + gated_.size(); }
    /// Bytes that have still to come of the RPC PDU that was admitted last.
    std::size_t open() const noexcept { return open_; }
    /// RPC PDUs wait for the gate and not for the socket.
    bool gated() const noexcept { return ready_.empty() && cleared_ == 0 && !gated_.empty(); }
    /// RPC PDUs wait that the gate has not admitted.
    bool held_back() const noexcept { return gated_.size() > cleared_; }
    /// Bytes of RPC PDUs that take_consumed() has still to report.
    std::uint32_t unreported() const noexcept { return pending_; }
    /// The socket takes nothing at the moment.
    bool blocked() const noexcept { return blocked_; }
    /// Everything has been given to the socket that does not wait for the rest of an RPC PDU.
    bool idle() const noexcept
    {
        return waiting() == 0 && last_.empty() && (urgent_.empty() || open_ != 0) && !stream_.flushing();
    }
    /// After flush() has failed: why, for people.
    std::string failure_text() const;

private:
    enum class Written { all, some, dead };

    void commit(base::Bytes bytes);
    void queue_urgent(base::Bytes pdu);
    void commit_urgent();
    void place_last(base::Bytes pdu);
    void admit();
    void spill_cleared();
    bool write_run();
    Written write(base::Bytes bytes, std::size_t& size);
    Written write(base::Fifo& queue, std::size_t size);

    net::Stream& stream_;
    Gate* gate_;
    base::Bytes run_;           // admitted and not copied: still where it was read
    base::Fifo ready_;          // admitted; the socket did not take it yet
    base::Fifo gated_;          // RPC PDUs behind `ready_`; the gate has admitted the first `cleared_` bytes
    base::Fifo urgent_;         // RTS PDUs that wait for the end of the RPC PDU that was admitted last, or for the socket
    base::Fifo last_;           // the RTS PDU behind everything, while an RPC PDU is still coming
    std::uint32_t coming_ = 0;  // bytes that the RPC PDU put last has still to come
    std::uint32_t cleared_ = 0;
    std::uint32_t open_ = 0;    // bytes that the RPC PDU admitted last has still to come
    std::uint32_t pending_ = 0; // RPC bytes put and not yet reported by take_consumed()
    int error_ = 0; // the system's
    bool dead_ = false;
    bool unread_ = false; // dead because too much waited in urgent_
    bool blocked_ = false;
};

} // namespace leg
