#pragma once

#include "base/cursor.h"

#include <cstdint>
#include <memory>
#include <utility>

namespace base {

/// A first-in first-out queue of bytes that costs nothing while it is empty: its memory is taken when
/// the first byte waits and given back when the last one has left.
class Fifo {
public:
    Fifo() noexcept = default;
    /// The other one is empty afterwards.
    Fifo(Fifo&& other) noexcept { swap(other); }
    Fifo& operator=(Fifo&& other) noexcept
    {
        Fifo(std::move(other)).swap(*this);
        return *this;
    }

    bool empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }

    /// The waiting bytes, contiguous; valid until the next push or pop.
    Bytes front() const noexcept { return {data_.get() + start_, size_}; }

    void push(Bytes bytes);
    /// Removes the first `n` bytes; `n` is at most `size()`.
    void pop(std::size_t n) noexcept;
    void clear() noexcept;

private:
    void swap(Fifo& other) noexcept
    {
        std::swap(data_, other.data_);
        std::swap(capacity_, other.capacity_);
        std::swap(start_, other.start_);
        std::swap(size_, other.size_);
    }

    std::unique_ptr<std::uint8_t[]> data_;
    std::uint32_t capacity_ = 0;
    std::uint32_t start_ = 0;
    std::uint32_t size_ = 0;
};

} // namespace base
