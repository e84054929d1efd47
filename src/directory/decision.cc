#include "directory/decision.h"

namespace directory {

std::string Route::text() const
{
    const bool bracketed = host.find(':') != host.npos;
    return std::string(name(transport)) + ' ' + (bracketed ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

const char* name(Decision::Kind kind) noexcept
{
    switch (kind) {
    case Decision::Kind::allowed: return "allowed";
    case Decision::Kind::malformed: return "malformed";
    case Decision::Kind::denied: return "denied";
    case Decision::Kind::unknown_mailbox: return "unknown-mailbox";
    case Decision::Kind::no_route: return "no-route";
    case Decision::Kind::failed: return "failed";
    }
    return "";
}

} // namespace directory
