#pragma once

#include <algorithm>
#include <cstdint>

namespace rpch {

/// What is left of a channel's lifetime, MS-RPCH 3.2.2.1.3 and 3.2.5.1.4: its sender counts every byte of
/// RTS and RPC PDUs and replaces the channel before the Content-Length is used up.
///
/// From the `margin` on a successor is due; RPC PDUs still go until only the `reserve` is left, which
/// belongs to the RTS PDUs that the replacement itself and the other direction need. The margin holds the
/// reserve and one PDU of the largest size, so the end is always noticed before a PDU has to wait.
class Lifetime {
public:
    /// Bytes with which Windows' servers begin to recycle (MS-RPCH 6, 3.2.5.4.1). It covers what the server cannot
    /// know that the proxy sent: CONN/A3, pings that are not reported yet, OUT_R2/B3.
    static constexpr std::uint32_t server_reserve = 8192;
    static constexpr std::uint32_t largest_rpc_pdu = 65'535; ///< bytes

    Lifetime() noexcept = default;
    /// `total`: bytes, the Content-Length. `reserve`: bytes at least kept for RTS PDUs. `largest_pdu`: bytes.
    /// Of a long lifetime an eighth is the margin, so that traffic goes on during the replacement.
    Lifetime(std::uint32_t total, std::uint32_t reserve, std::uint32_t largest_pdu) noexcept
        : total_(total), largest_pdu_(largest_pdu), limited_(true)
    {
        reserve = std::min(reserve, total / 4);
        const std::uint32_t margin = std::max(reserve + largest_pdu, total / 8);
        reserve_ = std::max(reserve, (margin - largest_pdu) / 8);
        due_ = total > margin ? total - margin : 0;
    }

    void count(std::uint32_t size) noexcept { used_ += size; }
    std::uint64_t used() const noexcept { return used_; }
    std::uint32_t total() const noexcept { return total_; }

    /// Whether `size` more bytes fit at all.
    bool fits(std::uint32_t size) const noexcept { return used_ + size <= total_; }
    /// Whether an RPC PDU of `size` bytes may be sent.
    bool admits(std::uint32_t size) const noexcept { return !limited_ || used_ + size + reserve_ <= total_; }
    /// How many bytes of RPC PDUs may be taken on whose sizes are not known yet; the last one may reach beyond.
    std::uint32_t room() const noexcept
    {
        const std::uint64_t taken = used_ + reserve_ + largest_pdu_;
        return !limited_ ? total_ : taken < total_ ? static_cast<std::uint32_t>(total_ - taken) : 0;
    }
    /// It is time for a successor.
    bool near_end() const noexcept { return limited_ && used_ >= due_; }
    /// How many bytes make it so.
    std::uint64_t due() const noexcept { return due_; }
    /// The successor did not come about: the next one is due when half of what is left is used up.
    void postpone() noexcept { due_ = used_ + room() / 2; }

    /// No successor will come: the channel is used to its very end.
    void lift() noexcept { limited_ = false; }
    bool lifted() const noexcept { return !limited_; }

private:
    std::uint64_t used_ = 0;
    std::uint64_t due_ = 0;
    std::uint32_t reserve_ = 0;
    std::uint32_t total_ = 0xffffffff;
    std::uint32_t largest_pdu_ = 0;
    bool limited_ = false;
};

} // namespace rpch
