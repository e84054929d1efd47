#include "rpch/cookie.h"

#include "base/text.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace rpch {

namespace {

template <class T> T random_value()
{
    T value;
    ssize_t got;
    do
        got = getrandom(&value, sizeof value, 0);
    while (got < 0 && errno == EINTR);
    // Requests of up to 256 bytes are never answered in part (getrandom(2)).
    if (got != ssize_t{sizeof value})
        std::abort();
    return value;
}

__extension__ using Wide = unsigned __int128;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept
{
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

} // namespace

std::string Cookie::prefix() const
{
    return base::hex(bytes.data(), 4);
}

Cookie Cookie::random()
{
    return {random_value<std::array<std::uint8_t, 16>>()};
}

std::size_t Cookie::hash() const noexcept
{
    static const auto key = random_value<std::array<std::uint64_t, 3>>();
    std::uint64_t half[2];
    std::memcpy(half, bytes.data(), sizeof half);
    return static_cast<std::size_t>(mix(mix(half[0] ^ key[0], half[1] ^ key[1]) ^ key[2], key[1] | 1));
}

} // namespace rpch
