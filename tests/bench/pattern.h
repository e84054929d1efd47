#pragma once

#include "base/cursor.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

/// An endless stream of RPC PDUs of one size that both ends can compute: what belongs at an offset is known,
/// so every byte is compared on arrival, headers included, and nothing has to be stored or copied.
///
/// The stream repeats after about 192 KiB; the ends compare totals as well.
class Pattern {
public:
    /// `pdu_size` is 16 to 65535 bytes.
    explicit Pattern(std::uint32_t pdu_size);

    std::uint32_t pdu_size() const noexcept { return pdu_size_; }

    /// The bytes from `offset` on, at most `size` and at most 64 KiB of them.
    base::Bytes at(std::uint64_t offset, std::uint64_t size) const noexcept;
    bool matches(std::uint64_t offset, base::Bytes bytes) const noexcept;

private:
    std::uint32_t pdu_size_;
    std::size_t period_;
    std::vector<std::uint8_t> bytes_; // a period, and as much again as at() may need behind it
};

} // namespace bench
