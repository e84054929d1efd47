#pragma once

#include "rpch/effects.h"

#include <cstddef>
#include <utility>
#include <vector>

namespace rpch {

/// RTS PDUs for the client that may not be sent yet, in their order. Memory exists only while there are any.
class HeldPdus {
public:
    /// One acknowledgement for each of two IN channels, and one PDU of a recycling sequence of each kind.
    static constexpr std::size_t limit = 4;

    /// Of the acknowledgements for one channel only the latest is kept: the figures are cumulative.
    /// False: there are too many.
    [[nodiscard]] bool hold(const Rts& pdu);
    bool empty() const noexcept { return pdus_.empty(); }
    /// All that is held, oldest first; nothing is held afterwards.
    std::vector<RtsBytes> release() noexcept { return std::exchange(pdus_, {}); }

private:
    std::vector<RtsBytes> pdus_;
};

} // namespace rpch
