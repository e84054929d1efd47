#pragma once

#include <string>
#include <string_view>

namespace auth {

/// The longest password that is accepted, in bytes.
constexpr std::size_t max_password = 256;

/// A new salted yescrypt hash of `password` for storage ("$y$..."). Takes about 15 ms and 16 MiB.
/// Throws std::runtime_error when `password` is empty, holds a NUL or is longer than max_password, and
/// when the system cannot make one.
std::string hash_password(std::string_view password);

/// True when `password` belongs to `hash`, in any form that crypt(5) knows. A malformed hash is simply
/// not equal. Compares in constant time. Blocks: run on a worker.
bool verify_password(std::string_view password, const std::string& hash);

/// False when crypt(5) can make nothing of `hash`: empty, malformed, an unknown or disabled method.
bool usable_hash(const std::string& hash) noexcept;

/// A fixed hash of an unknown password, at the cost of hash_password().
std::string dummy_hash();

} // namespace auth
