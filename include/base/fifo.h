#pragma once

#include "base/cursor.h"

#include <cstdint>
#include <memory>
#include <new>

namespace base {

/// A first-in first-out queue of bytes that costs one pointer while it is empty: its memory is taken when
/// the first byte waits and given back when the last one has left. A queue that was moved away is empty.
class Fifo {
public:
    bool empty() const noexcept { return !block_; }
    std::size_t size() const noexcept { return block_ ? block_->size : 0; }

    /// The waiting bytes, contiguous; valid until the next push or pop.
    Bytes front() const noexcept { return block_ ? Bytes(block_->bytes() + block_->start, block_->size) : Bytes(); }

    void push(Bytes bytes);
    /// Removes the first `n` bytes; `n` is at most `size()`.
    void pop(std::size_t n) noexcept;
    void clear() noexcept { block_.reset(); }
    /// Writes `bytes` over as many that wait from the `at`-th on.
    void overwrite(std::size_t at, Bytes bytes) noexcept;

private:
    /// In front of the bytes, in one piece of memory with them.
    struct Block {
        std::uint32_t capacity;
        std::uint32_t start;
        std::uint32_t size;

        std::uint8_t* bytes() noexcept { return reinterpret_cast<std::uint8_t*>(this + 1); }
    };
    struct Free {
        void operator()(Block* block) const noexcept { ::operator delete(block); }
    };
    using Memory = std::unique_ptr<Block, Free>;

    static Memory take(std::size_t capacity);

    Memory block_;
};

} // namespace base
