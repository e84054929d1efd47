#include "bench/hold.h"

#include <charconv>

namespace bench {
namespace {

using rpch::RtsId;

// PDUs that only the address of the channel's successor tells apart.

bool stays(RtsId id)
{
    return id == RtsId::in_r2_a1 || id == RtsId::in_r2_a5 || id == RtsId::out_r2_a3;
}

bool moves(RtsId id)
{
    return id == RtsId::in_r1_a1 || id == RtsId::in_r1_a5 || id == RtsId::out_r1_a3;
}

} // namespace

std::optional<Hold> parse_hold(std::string_view text)
{
    const std::size_t end = text.find('=');
    if (end == std::string_view::npos)
        return std::nullopt;
    int delay = 0;
    const auto [rest, error] = std::from_chars(text.data() + end + 1, text.data() + text.size(), delay);
    if (error != std::errc() || rest != text.data() + text.size() || delay < 0)
        return std::nullopt;
    for (const rpch::RtsRow& row : rpch::rts_rows())
        if (row.name == text.substr(0, end) && row.sender == rpch::Role::client)
            return Hold{row.id, net::Millis(delay)};
    return std::nullopt;
}

net::Millis delay_of(std::span<const Hold> holds, const rpch::RtsBytes& pdu, bool moved)
{
    rpch::Rts decoded;
    if (holds.empty() || !rpch::decode(pdu, decoded).ok())
        return {};
    for (const Hold& hold : holds)
        if (decoded.is(hold.id) && !(moved ? stays(hold.id) : moves(hold.id)))
            return hold.delay;
    return {};
}

} // namespace bench
