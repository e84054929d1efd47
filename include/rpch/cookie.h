#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace rpch {

/// An RTS cookie (MS-RPCH 2.2.3.1): 16 opaque bytes that name a virtual connection, a channel or an
/// association group. It is a secret: who knows it can try to recycle a channel. Log only `prefix()`.
struct Cookie {
    std::array<std::uint8_t, 16> bytes{};

    auto operator<=>(const Cookie&) const = default;

    bool zero() const noexcept { return *this == Cookie{}; }
    /// The first four bytes as 8 hexadecimal digits, for logs.
    std::string prefix() const;
    /// Fresh from the kernel's generator; ends the process if that does not work, since a guessable
    /// cookie would be worse. Any thread.
    static Cookie random();
    /// Keyed with a secret of this process, because clients choose cookies and could otherwise fill one
    /// bucket of a table. The same in all threads; differs between processes and runs.
    std::size_t hash() const noexcept;
};

} // namespace rpch

template <> struct std::hash<rpch::Cookie> {
    std::size_t operator()(const rpch::Cookie& cookie) const noexcept { return cookie.hash(); }
};
