#pragma once

#include "base/cursor.h"

#include <cstdint>
#include <memory>

namespace base {

/// A first-in first-out queue of bytes that costs nothing while it is empty: its memory is taken when
/// the first byte waits and given back when the last one has left.
class Fifo {
public:
    bool empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }

    /// The waiting bytes, contiguous; valid until the next push or pop.
    Bytes front() const noexcept { return {data_.get() + start_, size_}; }

    void push(Bytes bytes);
    /// Removes the first `n` bytes; `n` is at most `size()`.
    void pop(std::size_t n) noexcept;
    void clear() noexcept;

private:
    std::unique_ptr<std::uint8_t[]> data_;
    std::uint32_t capacity_ = 0;
    std::uint32_t start_ = 0;
    std::uint32_t size_ = 0;
};

} // namespace base
