#include "base/cursor.h"

#include <algorithm>
#include <cassert>

namespace base {

Bytes Cursor::take(std::size_t n) noexcept
{
    if (failed_ || n > rest_.size()) {
        failed_ = true;
        return {};
    }
    const Bytes taken = rest_.first(n);
    rest_ = rest_.subspan(n);
    return taken;
}

std::uint8_t Cursor::u8() noexcept
{
    const Bytes b = take(1);
    return b.empty() ? 0 : b[0];
}

std::uint16_t Cursor::u16() noexcept
{
    const Bytes b = take(2);
    return b.empty() ? 0 : static_cast<std::uint16_t>(b[0] | b[1] << 8);
}

std::uint32_t Cursor::u32() noexcept
{
    const Bytes b = take(4);
    if (b.empty())
        return 0;
    return std::uint32_t{b[0]} | std::uint32_t{b[1]} << 8 | std::uint32_t{b[2]} << 16 | std::uint32_t{b[3]} << 24;
}

void Cursor::copy(std::span<std::uint8_t> out) noexcept
{
    const Bytes b = take(out.size());
    if (b.size() == out.size())
        std::copy(b.begin(), b.end(), out.begin());
    else
        std::fill(out.begin(), out.end(), std::uint8_t{0});
}

std::span<std::uint8_t> Writer::room(std::size_t n) noexcept
{
    assert(n <= buffer_.size() - used_);
    const auto place = buffer_.subspan(used_, n);
    used_ += n;
    return place;
}

void Writer::u8(std::uint8_t value) noexcept
{
    room(1)[0] = value;
}

void Writer::u16(std::uint16_t value) noexcept
{
    const auto b = room(2);
    b[0] = static_cast<std::uint8_t>(value);
    b[1] = static_cast<std::uint8_t>(value >> 8);
}

void Writer::u32(std::uint32_t value) noexcept
{
    const auto b = room(4);
    for (std::size_t i = 0; i < 4; ++i)
        b[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

void Writer::bytes(Bytes value) noexcept
{
    std::copy(value.begin(), value.end(), room(value.size()).begin());
}

void Writer::zeros(std::size_t n) noexcept
{
    const auto b = room(n);
    std::fill(b.begin(), b.end(), std::uint8_t{0});
}

} // namespace base
