#include "http/request.h"

#include "base/text.h"

#include <algorithm>

namespace http {

namespace {

constexpr std::uint64_t shortest_timeout = 120;
constexpr std::uint64_t longest_timeout = 14400;

bool starts_nocase(std::string_view text, std::string_view with) noexcept
{
    return text.size() >= with.size() && base::equal_nocase(text.substr(0, with.size()), with);
}

/// Anything that is no UUID must not reach the log as one.
std::string uuid(std::string_view text)
{
    return base::is_uuid(text) ? base::lower(text) : std::string();
}

void read_directive(std::string_view directive, Pragma& pragma)
{
    const auto equals = directive.find('=');
    if (equals == std::string_view::npos)
        return;
    const std::string_view name = base::trim(directive.substr(0, equals));
    const std::string_view value = base::trim(directive.substr(equals + 1));

    if (base::equal_nocase(name, "MinConnTimeout")) {
        const auto seconds = base::parse_decimal(value, UINT32_MAX);
        if (seconds && !pragma.min_conn_timeout)
            pragma.min_conn_timeout =
                static_cast<std::uint32_t>(std::clamp(*seconds, shortest_timeout, longest_timeout));
    } else if (base::equal_nocase(name, "ResourceTypeUuid")) {
        if (pragma.resource_type.empty())
            pragma.resource_type = uuid(value);
    } else if (base::equal_nocase(name, "SessionId")) {
        if (pragma.session.empty())
            pragma.session = uuid(value);
    }
}

} // namespace

TargetParts split_target(std::string_view target) noexcept
{
    for (const std::string_view scheme : {"http://", "https://"})
        if (starts_nocase(target, scheme)) {
            const auto path = target.find_first_of("/?", scheme.size());
            target = path == std::string_view::npos ? std::string_view() : target.substr(path);
            break;
        }

    TargetParts parts;
    const auto question = target.find('?');
    parts.path = target.substr(0, question);
    if (question != std::string_view::npos)
        parts.query = target.substr(question + 1);
    if (base::equal_nocase(parts.path, "/rpc/rpcproxy.dll"))
        parts.door = Door::rpc;
    else if (base::equal_nocase(parts.path, "/rpcwithcert/rpcproxy.dll"))
        parts.door = Door::rpc_with_certificate;
    else if (base::equal_nocase(parts.path, "/rpc/healthcheck.htm"))
        parts.door = Door::health;
    return parts;
}

std::string_view rpc_connect_target(std::string_view target) noexcept
{
    const TargetParts parts = split_target(target);
    const bool no_path = target.find('?') == std::string_view::npos && !parts.path.starts_with('/');
    return no_path ? parts.path : parts.query;
}

Pragma parse_pragma(const std::vector<std::string>& values)
{
    Pragma pragma;
    for (const std::string& value : values)
        for (const std::string_view directive : base::split(value, ','))
            read_directive(directive, pragma);
    return pragma;
}

} // namespace http
