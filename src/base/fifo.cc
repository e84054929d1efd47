#include "base/fifo.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

namespace base {

/// At least so many bytes: what makes a round size for the system's allocator.
Fifo::Memory Fifo::take(std::size_t capacity)
{
    const std::size_t all = std::bit_ceil(std::max<std::size_t>(capacity + sizeof(Block), 256));
    return Memory(::new (::operator new(all)) Block{static_cast<std::uint32_t>(all - sizeof(Block)), 0, 0});
}

void Fifo::push(Bytes bytes)
{
    if (bytes.empty())
        return;
    const std::size_t need = size() + bytes.size();
    if (!block_ || need > block_->capacity) {
        Memory grown = take(need);
        if (const Bytes waiting = front(); !waiting.empty())
            std::memcpy(grown->bytes(), waiting.data(), waiting.size());
        grown->size = static_cast<std::uint32_t>(size());
        block_ = std::move(grown);
    } else if (block_->start + need > block_->capacity) {
        std::memmove(block_->bytes(), block_->bytes() + block_->start, block_->size);
        block_->start = 0;
    }
    std::memcpy(block_->bytes() + block_->start + block_->size, bytes.data(), bytes.size());
    block_->size = static_cast<std::uint32_t>(need);
}

void Fifo::overwrite(std::size_t at, Bytes bytes) noexcept
{
    assert(at + bytes.size() <= size());
    if (!bytes.empty())
        std::memcpy(block_->bytes() + block_->start + at, bytes.data(), bytes.size());
}

void Fifo::pop(std::size_t n) noexcept
{
    assert(n <= size());
    if (!block_)
        return;
    block_->start += static_cast<std::uint32_t>(n);
    block_->size -= static_cast<std::uint32_t>(n);
    if (block_->size == 0)
        clear();
}

} // namespace base
