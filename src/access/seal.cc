#include "access/seal.h"

#include <string.h>
#include <sys/random.h>

#include <stdexcept>

namespace auth {

Seal::Seal()
{
    std::array<std::uint8_t, 32> key;
    if (getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size()))
        throw std::runtime_error("no random bytes for a key");
    hmac_sha256_set_key(&keyed_, key.size(), key.data());
    explicit_bzero(key.data(), key.size());
}

Seal::Seal(std::string_view key)
{
    hmac_sha256_set_key(&keyed_, key.size(), reinterpret_cast<const std::uint8_t*>(key.data()));
}

Seal::Tag Seal::of(std::initializer_list<std::string_view> parts) const
{
    hmac_sha256_ctx context = keyed_;
    for (const std::string_view part : parts) {
        hmac_sha256_update(&context, part.size(), reinterpret_cast<const std::uint8_t*>(part.data()));
        const std::uint8_t end = 0;
        hmac_sha256_update(&context, 1, &end);
    }
    Tag tag;
    hmac_sha256_digest(&context, tag.size(), tag.data());
    return tag;
}

} // namespace auth
