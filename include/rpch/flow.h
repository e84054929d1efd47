#pragma once

#include <algorithm>
#include <cstdint>

namespace rpch {

/// The sender's side of the flow control of one hop, MS-RPCH 3.2.1.1.5 and 3.2.1.4.1.
///
/// Counts whole RPC PDUs only; RTS PDUs and HTTP heads are free. Counters are modulo 2^32, because a
/// server leg can outlive many channels.
class SendWindow {
public:
    SendWindow() noexcept = default;
    /// `announced` is the receive window of the peer, in bytes.
    explicit SendWindow(std::uint32_t announced) noexcept : announced_(announced), acknowledged_window_(announced) {}

    /// Whether an RPC PDU of `size` bytes may be sent now. It must fit whole; a PDU larger than the
    /// peer's whole window is let through when the window is completely open, or it would wait for ever.
    bool admits(std::uint32_t size) const noexcept
    {
        return unlimited_ || size <= left() || (size > announced_ && left() >= announced_);
    }

    void sent(std::uint32_t size) noexcept { sent_ += size; }

    /// What can be sent before the next acknowledgement, in bytes; 0 when the window is used up.
    std::uint32_t available() const noexcept
    {
        if (unlimited_)
            return announced_;
        return static_cast<std::uint32_t>(std::max<std::int64_t>(left(), 0));
    }

    enum class Ack {
        accepted,
        lagging, ///< acknowledges less than it should; the window counts as used up
        invalid, ///< acknowledges what was never sent, or more room than was announced
    };

    /// AvailableWindow := ack.AvailableWindow - (BytesSent - ack.BytesReceived), 3.2.1.1.5.1. One that is older
    /// than the last one changes nothing: while an IN channel is recycled, acknowledgements of the client
    /// travel on two connections and overtake each other.
    Ack acknowledged(std::uint32_t bytes_received, std::uint32_t available_window) noexcept
    {
        const std::uint32_t in_flight = sent_ - bytes_received;
        if (in_flight > 0x7fffffff || available_window > announced_)
            return Ack::invalid;
        const std::uint32_t progress = bytes_received - acknowledged_;
        if (progress > 0x7fffffff || (heard_ && progress == 0 && available_window < acknowledged_window_))
            return Ack::accepted;
        heard_ = true;
        acknowledged_ = bytes_received;
        acknowledged_window_ = available_window;
        return left() < 0 ? Ack::lagging : Ack::accepted;
    }

    /// From now on only TCP pushes back: the peer takes no part in flow control.
    void lift() noexcept { unlimited_ = true; }
    bool lifted() const noexcept { return unlimited_; }

    std::uint32_t announced() const noexcept { return announced_; }

private:
    /// Below zero after a lagging acknowledgement.
    std::int64_t left() const noexcept { return std::int64_t{acknowledged_window_} - (sent_ - acknowledged_); }

    std::uint32_t announced_ = 0;
    std::uint32_t sent_ = 0;
    std::uint32_t acknowledged_ = 0;        // the figures of the last acknowledgement, if one was heard
    std::uint32_t acknowledged_window_ = 0;
    bool heard_ = false;
    bool unlimited_ = false;
};

/// The receiver's side of the same hop: what was announced, received and passed on.
class ReceiveWindow {
public:
    ReceiveWindow() noexcept = default;
    explicit ReceiveWindow(std::uint32_t announced) noexcept : announced_(announced), advertised_(announced) {}

    /// An RPC PDU of `size` bytes has arrived. A peer that overruns the window is not stopped here: what
    /// cannot be passed on is not read, so TCP stops it.
    void received(std::uint32_t size) noexcept
    {
        largest_ = std::max(largest_, size);
        received_ += size;
        held_ += static_cast<std::int32_t>(size);
        advertised_ -= size;
    }

    /// `size` bytes have left for the next hop.
    void consumed(std::uint32_t size) noexcept { held_ -= static_cast<std::int32_t>(size); }

    /// The peer believes that less than half of the window is open, and more is: tell it. Half is not enough for
    /// a PDU that needs more of it: then once more, when the largest one so far fits again.
    bool ack_due() const noexcept
    {
        const std::uint32_t open = available();
        if (open <= std::max<std::int64_t>(advertised_, 0))
            return false;
        const std::uint32_t needed = std::min(largest_, announced_);
        return advertised_ < announced_ / 2 || (advertised_ < needed && open >= needed);
    }

    /// No acknowledgement is due, and yet the sender may stand: its next PDU, which can be the largest there is, need
    /// not fit into what it believes to be open. More is open, so after a while of silence it should be told.
    bool sender_may_wait() const noexcept
    {
        const std::uint32_t needed = std::min(announced_, largest_frag_length);
        return advertised_ < needed && available() > std::max<std::int64_t>(advertised_, 0);
    }

    std::uint32_t bytes_received() const noexcept { return received_; }
    /// Received and not yet passed on.
    std::uint32_t held() const noexcept { return static_cast<std::uint32_t>(held_); }
    std::uint32_t available() const noexcept
    {
        return static_cast<std::uint32_t>(std::clamp<std::int64_t>(std::int64_t{announced_} - held_, 0, announced_));
    }
    /// What the peer believes to be open; below zero when it does not care.
    std::int64_t advertised() const noexcept { return advertised_; }
    /// An acknowledgement with these figures goes out now.
    void acknowledge() noexcept { advertised_ = available(); }

    std::uint32_t announced() const noexcept { return announced_; }

private:
    static constexpr std::uint32_t largest_frag_length = 65'535; // 3.1 of the common header: 16 bits

    std::uint32_t announced_ = 0;
    std::uint32_t received_ = 0;
    std::uint32_t largest_ = 0; // PDU
    std::int32_t held_ = 0;
    std::int64_t advertised_ = 0;
};

} // namespace rpch
