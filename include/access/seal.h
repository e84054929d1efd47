#pragma once

#include <nettle/hmac.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace auth {

/// HMAC-SHA256 under a secret key: what is known of passwords when no password may be kept. Any thread.
class Seal {
public:
    using Tag = std::array<std::uint8_t, 32>;

    /// A random key, of this object alone. Throws std::runtime_error when the system gives none.
    Seal();
    explicit Seal(std::string_view key);

    /// Of all parts and the places where they end; no part holds a NUL.
    Tag of(std::initializer_list<std::string_view> parts) const;

private:
    hmac_sha256_ctx keyed_; // nothing but the key has gone in
};

} // namespace auth
