#include "base/fifo.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

namespace base {

void Fifo::push(Bytes bytes)
{
    if (bytes.empty())
        return;
    const std::size_t need = size_ + bytes.size();
    if (need > capacity_) {
        const std::size_t capacity = std::bit_ceil(std::max<std::size_t>(need, 256));
        auto grown = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
        if (size_ > 0)
            std::memcpy(grown.get(), data_.get() + start_, size_);
        data_ = std::move(grown);
        capacity_ = static_cast<std::uint32_t>(capacity);
        start_ = 0;
    } else if (start_ + need > capacity_) {
        std::memmove(data_.get(), data_.get() + start_, size_);
        start_ = 0;
    }
    std::memcpy(data_.get() + start_ + size_, bytes.data(), bytes.size());
    size_ = static_cast<std::uint32_t>(need);
}

void Fifo::pop(std::size_t n) noexcept
{
    assert(n <= size_);
    start_ += static_cast<std::uint32_t>(n);
    size_ -= static_cast<std::uint32_t>(n);
    if (size_ == 0)
        clear();
}

void Fifo::clear() noexcept
{
    data_.reset();
    capacity_ = start_ = size_ = 0;
}

} // namespace base
