#include "base/login.h"

#include "base/fold.h"
#include "base/pasted.h"

namespace base {
namespace {

constexpr std::size_t max_login = 255;
constexpr std::string_view separators = "\\@";

/// Nullopt: there is an empty part, or a separator too many.
std::optional<Login> login_of(std::string_view domain, std::string_view name)
{
    if (domain.empty() || name.empty() || domain.find_first_of(separators) != domain.npos ||
        name.find_first_of(separators) != name.npos)
        return std::nullopt;
    return Login{std::string(domain), std::string(name)};
}

} // namespace

std::optional<Login> Login::parse(std::string_view text)
{
    if (text.starts_with('\\') && text.find('@') != text.npos)
        text.remove_prefix(1);
    if (text.empty() || text.size() > max_login || !fault(text).empty() || !fold(text))
        return std::nullopt;
    if (const auto slash = text.find('\\'); slash != text.npos)
        return login_of(text.substr(0, slash), text.substr(slash + 1));
    if (const auto at = text.find('@'); at != text.npos)
        return login_of(text.substr(at + 1), text.substr(0, at));
    return Login{{}, std::string(text)};
}

std::string Login::fault(std::string_view text)
{
    std::string fault = unseen_byte(text);
    return fault.empty() ? odd_byte(text, [](char c) noexcept { return c != ':' && c != '/' && c != '"'; }) : fault;
}

Login Login::folded() const
{
    return {fold(domain).value_or(std::string()), fold(name).value_or(std::string())};
}

std::string Login::text() const
{
    if (domain.empty())
        return name;
    return domain.find('.') == domain.npos ? domain + '\\' + name : name + '@' + domain;
}

} // namespace base
