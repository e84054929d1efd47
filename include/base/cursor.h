#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace base {

using Bytes = std::span<const std::uint8_t>;

/// The bytes of a text that outlives them.
inline Bytes bytes_of(std::string_view text) noexcept
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Reads little-endian fields from a bounded buffer.
///
/// The error is sticky: the first read beyond the end fails the cursor, consumes nothing, and every
/// later read yields zero. Read all fields, then ask `ok()` or `done()` once.
class Cursor {
public:
    explicit Cursor(Bytes input) noexcept : rest_(input) {}

    std::uint8_t u8() noexcept;
    std::uint16_t u16() noexcept;
    std::uint32_t u32() noexcept;
    /// Copies `out.size()` bytes; on failure `out` is zero-filled.
    void copy(std::span<std::uint8_t> out) noexcept;
    /// The next `n` bytes in place, valid as long as the input is; empty on failure.
    Bytes take(std::size_t n) noexcept;
    void skip(std::size_t n) noexcept { take(n); }
    /// For who finds what was read to be wrong.
    void fail() noexcept { failed_ = true; }

    bool ok() const noexcept { return !failed_; }
    /// True when nothing failed and every byte was read.
    bool done() const noexcept { return !failed_ && rest_.empty(); }
    std::size_t left() const noexcept { return rest_.size(); }

private:
    Bytes rest_;
    bool failed_ = false;
};

/// The mirror of Cursor: writes little-endian fields into a fixed buffer that the caller owns.
/// Writing past the end is a programming error (assert).
class Writer {
public:
    explicit Writer(std::span<std::uint8_t> output) noexcept : buffer_(output) {}

    void u8(std::uint8_t value) noexcept;
    void u16(std::uint16_t value) noexcept;
    void u32(std::uint32_t value) noexcept;
    void bytes(Bytes value) noexcept;
    void zeros(std::size_t n) noexcept;

    std::size_t size() const noexcept { return used_; }
    Bytes written() const noexcept { return buffer_.first(used_); }

private:
    std::span<std::uint8_t> room(std::size_t n) noexcept;

    std::span<std::uint8_t> buffer_;
    std::size_t used_ = 0;
};

} // namespace base
