#pragma once

#include "base/cursor.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

/// `token` with up to four things done to it: bits turned, bytes replaced, taken out, put in, cut off or doubled. The same
/// each time for a generator that was started the same way.
inline std::vector<std::uint8_t> mutated(base::Bytes token, std::mt19937& random)
{
    constexpr std::uint8_t telling[] = {0x00, 0x01, 0x04, 0x06, 0x30, 0x60, 0x7f, 0x80, 0x82, 0x84, 0xa0, 0xa1, 0xff};
    std::vector<std::uint8_t> bytes(token.begin(), token.end());
    for (std::uint32_t times = 1 + random() % 4; times > 0; --times) {
        const std::size_t at = bytes.empty() ? 0 : random() % bytes.size();
        const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
        const std::size_t length = std::min<std::size_t>(1 + random() % 16, bytes.size() - at);
        const auto end = place + static_cast<std::ptrdiff_t>(length);
        switch (random() % 6) {
        case 0:
            if (!bytes.empty())
                *place ^= static_cast<std::uint8_t>(1 << random() % 8);
            break;
        case 1: std::fill(place, end, telling[random() % std::size(telling)]); break;
        case 2: bytes.erase(place, end); break;
        case 3: bytes.insert(place, length, telling[random() % std::size(telling)]); break;
        case 4: bytes.erase(place, bytes.end()); break;
        case 5: {
            const std::vector<std::uint8_t> copy(place, end);
            bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(random() % (bytes.size() + 1)), copy.begin(), copy.end());
            break;
        }
        }
    }
    return bytes;
}
