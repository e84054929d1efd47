#pragma once

#include "directory/decision.h"
#include "leg/grant.h"
#include "net/address.h"
#include "net/stream.h"
#include "rpch/cookie.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace leg {

/// The role of a request is chosen by its method, MS-RPCH section 3: the channels of version 2, and
/// RPC_CONNECT of version 1.
enum class Method : std::uint8_t { in_data, out_data, connect };

/// Which kind of channel.
enum class Side : std::uint8_t { in, out };

/// As the log calls them: "in", "out", "connect".
constexpr const char* name(Side side) noexcept
{
    return side == Side::in ? "in" : "out";
}
constexpr const char* name(Method method) noexcept
{
    return method == Method::connect ? "connect" : name(method == Method::in_data ? Side::in : Side::out);
}

/// An admitted, allowed and routed channel request, on its way from the HTTP engine to the tunnel.
/// Nothing has been answered yet: `100 Continue`, the success head and a late `503` are the tunnel's.
struct Arrival {
    std::uint64_t id = 0; ///< of the HTTP connection, for the log
    Method method = Method::in_data;
    net::Stream stream;
    std::vector<std::uint8_t> early; ///< body bytes that came with the head
    net::Address peer;
    bool http10 = false;
    bool expect_continue = false;
    std::uint64_t content_length = 0;              ///< of the request
    std::optional<std::uint32_t> min_conn_timeout; ///< seconds, from the Pragma header
    std::string last_token; ///< of the login, WWW-Authenticate for the success head of an OUT channel; mostly empty
    Grant grant;
    std::uint64_t judged_at = 0; ///< directory::Judge::generation() before that
};

/// Whom a channel serves: what is kept of its Arrival.
struct Visitor {
    std::uint64_t id; ///< of the HTTP connection, for the log
    rpch::Cookie virtual_connection;
    net::Address peer;
    Grants::Shared grant; ///< never null

    const Party& party() const noexcept { return grant->party; }
};

/// The tunnel's door on a shard. Only the shard's own thread knocks.
class Reception {
public:
    virtual void arrive(Arrival&& arrival) = 0;
    /// How many clients' connections the tunnel holds on this shard.
    virtual std::size_t clients() const = 0;

protected:
    ~Reception() = default;
};

} // namespace leg
