#pragma once

#include "rpch/rts.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace rpch {

/// Every RTS PDU of MS-RPCH 2.2.4, in the order of its sections.
enum class RtsId : std::uint8_t {
    conn_a1,
    conn_a2,
    conn_a3,
    conn_b1,
    conn_b2,
    conn_b3,
    conn_c1,
    conn_c2,
    in_r1_a1,
    in_r1_a2,
    in_r1_a3,
    in_r1_a4,
    in_r1_a5,
    in_r1_a6,
    in_r1_b1,
    in_r1_b2,
    in_r2_a1,
    in_r2_a2,
    in_r2_a3,
    in_r2_a4,
    in_r2_a5,
    out_r1_a1,
    out_r1_a2,
    out_r1_a3,
    out_r1_a4,
    out_r1_a5,
    out_r1_a6,
    out_r1_a7,
    out_r1_a8,
    out_r1_a9,
    out_r1_a10,
    out_r1_a11,
    out_r2_a1,
    out_r2_a2,
    out_r2_a3,
    out_r2_a4,
    out_r2_a5,
    out_r2_a6,
    out_r2_a7,
    out_r2_a8,
    out_r2_b1,
    out_r2_b2,
    out_r2_b3,
    out_r2_c1,
    keep_alive,
    ping_traffic_sent_notify,
    echo,
    ping,
    flow_control_ack,
    flow_control_ack_with_destination,
};

/// What MS-RPCH 2.2.4 says about one PDU.
struct RtsRow {
    RtsId id;
    const char* name;    ///< "CONN/A1"
    const char* section; ///< "2.2.4.2"
    std::uint16_t flags;
    std::array<CommandType, Rts::max_commands> types; ///< the first `count` are the commands in order
    std::uint8_t count;
    std::uint8_t required;                  ///< less than `count` when the last command may be absent
    std::optional<Destination> destination; ///< the only legal value of its Destination command, if it is fixed
    std::uint16_t size;                     ///< bytes of the smallest form
    std::uint16_t max_size;                 ///< bytes of the largest form
    Role sender;                            ///< who sends it on the wire, forwarding included
    Role receiver;

    std::span<const CommandType> commands() const noexcept { return std::span(types).first(count); }
};

/// All rows, in the order of RtsId.
std::span<const RtsRow> rts_rows() noexcept;
const RtsRow& row(RtsId id) noexcept;

/// True when some form of `a` has the flags and commands of some form of `b`: the bytes alone cannot
/// tell which it is (MS-RPCH 2.2.4.1).
bool look_alike(RtsId a, RtsId b) noexcept;
/// The other PDUs that look like `id`.
std::vector<RtsId> look_alikes(RtsId id);

/// Where a role receives a PDU.
enum class Where : std::uint8_t {
    first,    ///< the first PDU of an IN or OUT request, or of a TCP connection to the server
    request,  ///< at a proxy: later in the body of a client's request; at the outbound proxy the successor's
    leg,      ///< at a proxy: from the server
    in_leg,   ///< at the server: from the inbound proxy of the default leg
    out_leg,  ///< at the server: from the outbound proxy of the default leg
    in_other,  ///< at the server: from the inbound proxy of the successor
    out_other, ///< at the server: from the outbound proxy of the successor or of the predecessor
    response, ///< at the client: the body of a response
};

/// The states of MS-RPCH 3.2 that decide what a PDU is, as a set: server and client name the states of
/// both their virtual channels at once, as in `RoleState::in_opened | RoleState::opened_a4w`.
enum class RoleState : std::uint32_t {
    none = 0,                  ///< finished: no PDU is legal
    vc_unknown = 1u << 0,      ///< Open_Start, and the cookie of the virtual connection is not in this role's table
    vc_known = 1u << 1,        ///< Open_Start at a proxy, and it is
    a2w = 1u << 2,             ///< server: B2 is in
    b2w = 1u << 3,             ///< server: A2 is in
    b3w = 1u << 4,             ///< inbound proxy: CONN/B3; client, OUT: OUT_R2/B3
    wait_b2 = 1u << 5,         ///< inbound proxy: IN_R1/B2
    in_opened = 1u << 6,       ///< inbound proxy, server IN, client IN
    opened_a5w = 1u << 7,      ///< inbound proxy
    a6w = 1u << 8,             ///< server IN
    opened_b1w = 1u << 9,      ///< server IN
    c1w = 1u << 10,            ///< outbound proxy
    a11w = 1u << 11,           ///< outbound proxy
    out_opened = 1u << 12,     ///< outbound proxy, server OUT, client OUT
    b1_or_c1w = 1u << 13,      ///< outbound proxy
    b1w = 1u << 14,            ///< outbound proxy
    r2c1w = 1u << 15,          ///< outbound proxy
    opened_a4w = 1u << 16,     ///< server OUT; client IN
    opened_a8w = 1u << 17,     ///< server OUT
    opened_r2a8w = 1u << 18,   ///< server OUT
    wait_a3w = 1u << 19,       ///< client
    wait_c2 = 1u << 20,        ///< client
    opened_a6w = 1u << 21,     ///< client OUT
    opened_a10w = 1u << 22,    ///< client OUT
    echo_wait = 1u << 23,      ///< client, on a connection on which it sent an echo request
    connecting = 1u << 24,     ///< proxy: the leg to the server is not up yet
    draining = 1u << 25,       ///< proxy, the Finished of a predecessor: what waits still leaves
    opened_b2w = 1u << 26,     ///< outbound proxy: Opened again without the successor, which the server does not know
};

constexpr std::uint32_t bits(RoleState states) noexcept
{
    return static_cast<std::uint32_t>(states);
}
constexpr RoleState operator|(RoleState a, RoleState b) noexcept
{
    return static_cast<RoleState>(bits(a) | bits(b));
}
constexpr bool overlap(RoleState a, RoleState b) noexcept
{
    return (bits(a) & bits(b)) != 0;
}

/// Which PDU this is for `receiver`, or nothing: then it is a protocol error. To be forwarded is it when
/// `rts.destination()` is another role; the shapes that a proxy may forward are the ones known here, and
/// all others are errors, so that a client cannot forge PDUs to the server.
///
/// Nobody can tell OUT_R2/A1 from OUT_R1/A1, nor OUT_R2/A2 from OUT_R1/A2, when it arrives: where the
/// client's next request lands decides. Both are reported as the OUT_R1 one.
std::optional<RtsId> recognise(Role receiver, Where where, RoleState states, const Rts& rts) noexcept;

} // namespace rpch
