#include "ntlm/av_pairs.h"

#include <algorithm>

namespace ntlm {

std::optional<AvPairs> parse_av_pairs(base::Bytes list)
{
    AvPairs pairs;
    base::Cursor c(list);
    for (;;) {
        const auto id = static_cast<AvId>(c.u16());
        const base::Bytes value = c.take(c.u16());
        if (!c.ok() || find(pairs, id) != nullptr)
            return std::nullopt;
        if (id == AvId::eol)
            return pairs;
        pairs.push_back({id, value});
    }
}

const AvPair* find(const AvPairs& pairs, AvId id) noexcept
{
    const auto found = std::find_if(pairs.begin(), pairs.end(), [&](const AvPair& pair) { return pair.id == id; });
    return found == pairs.end() ? nullptr : &*found;
}

std::vector<std::uint8_t> build_av_pairs(std::span<const AvPair> pairs)
{
    constexpr std::size_t head = 4;
    std::size_t size = head;
    for (const AvPair& pair : pairs)
        size += head + pair.value.size();
    std::vector<std::uint8_t> list(size);
    base::Writer writer(list);
    for (const AvPair& pair : pairs) {
        writer.u16(static_cast<std::uint16_t>(pair.id));
        writer.u16(static_cast<std::uint16_t>(pair.value.size()));
        writer.bytes(pair.value);
    }
    writer.zeros(head);
    return list;
}

} // namespace ntlm
