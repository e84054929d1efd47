#include "access/scheme.h"

#include "base/text.h"

namespace auth {
namespace {

constexpr const Scheme* table[] = {
    &negotiate_scheme,
    &ntlm_scheme,
    &basic_scheme,
};

} // namespace

/// Of a scheme that asks for no check.
Attempt SchemeState::checked()
{
    return {Attempt::Kind::refused, "nothing was to be checked"};
}

std::span<const Scheme* const> schemes() noexcept
{
    return table;
}

const Scheme* find_scheme(std::span<const Scheme* const> among, std::string_view name) noexcept
{
    for (const Scheme* scheme : among)
        if (base::equal_nocase(scheme->name, name))
            return scheme;
    return nullptr;
}

} // namespace auth
