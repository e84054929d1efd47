#include "ping/scheme.h"

#include "base/text.h"

namespace ping {
namespace {

struct Row {
    Scheme scheme;
    std::string_view name, number;
};

// RPC_C_HTTP_AUTHN_SCHEME_BASIC and so on; rpcping has no number for Negotiate.
constexpr Row rows[] = {
    {Scheme::negotiate, "Negotiate", {}},
    {Scheme::ntlm, "NTLM", "2"},
    {Scheme::basic, "Basic", "1"},
    {Scheme::certificate, "Certificate", "65536"},
};

} // namespace

std::string_view to_text(Scheme scheme) noexcept
{
    for (const Row& row : rows)
        if (row.scheme == scheme)
            return row.name;
    return {};
}

std::optional<Scheme> scheme_of(std::string_view word) noexcept
{
    for (const Row& row : rows)
        if (base::equal_nocase(word, row.name) || (!word.empty() && word == row.number))
            return row.scheme;
    return std::nullopt;
}

} // namespace ping
