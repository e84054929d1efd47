#include "daemon/value.h"

#include "base/text.h"

#include <limits>

namespace rpctunneld {
namespace {

struct Unit {
    const char* name;
    std::uint64_t factor;
};

// The largest last: texts take the last one that divides.
constexpr Unit durations[] = {{"ms", 1}, {"s", 1000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr Unit sizes[] = {{"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};

// Far above every range, and far from any overflow.
constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max() / 2;

template <std::size_t size>
std::optional<std::uint64_t> parse(std::string_view text, const Unit (&units)[size])
{
    const auto end = text.find_first_not_of("0123456789");
    const auto number = base::parse_decimal(text.substr(0, end), largest);
    const std::string_view name = end == std::string_view::npos ? std::string_view() : base::trim(text.substr(end));
    if (!number)
        return std::nullopt;
    for (const Unit& unit : units)
        if (name == unit.name && *number <= largest / unit.factor)
            return *number * unit.factor;
    if (*number == 0 && name.empty())
        return 0;
    return std::nullopt;
}

template <std::size_t size> std::string print(std::uint64_t value, const Unit (&units)[size])
{
    const Unit* best = &units[0];
    for (const Unit& unit : units)
        if (value >= unit.factor && value % unit.factor == 0)
            best = &unit;
    return std::to_string(value / best->factor) + best->name;
}

} // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text)
{
    const auto value = parse(text, durations);
    if (!value)
        return std::nullopt;
    return std::chrono::milliseconds(static_cast<std::int64_t>(*value));
}

std::string duration_text(std::chrono::milliseconds duration)
{
    return duration.count() == 0 ? "0" : print(static_cast<std::uint64_t>(duration.count()), durations);
}

std::optional<std::uint64_t> parse_size(std::string_view text)
{
    return parse(text, sizes);
}

std::string size_text(std::uint64_t bytes)
{
    return print(bytes, sizes);
}

std::optional<bool> parse_yes_no(std::string_view text) noexcept
{
    if (text == "yes")
        return true;
    if (text == "no")
        return false;
    return std::nullopt;
}

} // namespace rpctunneld
