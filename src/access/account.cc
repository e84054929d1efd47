#include "access/account.h"

#include "base/text.h"

#include <algorithm>

namespace auth {
namespace {

constexpr std::size_t max_part = 256;

bool control(char c) noexcept
{
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
}

bool usable(std::string_view part) noexcept
{
    return !part.empty() && part.size() <= max_part;
}

} // namespace

std::optional<Login> Login::parse(std::string_view text)
{
    if (std::any_of(text.begin(), text.end(), control))
        return std::nullopt;
    const bool empty_domain = text.starts_with('\\'); // as Windows writes it before user@realm
    if (empty_domain)
        text.remove_prefix(1);
    else if (const auto at = text.find('\\'); at != std::string_view::npos) {
        const std::string_view domain = text.substr(0, at);
        const std::string_view name = text.substr(at + 1);
        if (!usable(domain) || !usable(name) || name.find('\\') != std::string_view::npos)
            return std::nullopt;
        return Login{base::lower(domain), base::lower(name)};
    }
    if (text.find('\\') != std::string_view::npos)
        return std::nullopt;
    const auto at = text.rfind('@');
    if (at == std::string_view::npos)
        return usable(text) && !empty_domain ? std::optional(Login{"", base::lower(text)}) : std::nullopt;
    const std::string_view name = text.substr(0, at);
    const std::string_view realm = text.substr(at + 1);
    if (!usable(name) || !usable(realm))
        return std::nullopt;
    return Login{base::lower(realm), base::lower(name)};
}

} // namespace auth
