#include "rpch/rts_table.h"

#include <algorithm>
#include <initializer_list>

namespace rpch {

namespace {

// The abbreviations of the specification's command lists.
constexpr auto rws = CommandType::receive_window_size;
constexpr auto fca = CommandType::flow_control_ack;
constexpr auto cto = CommandType::connection_timeout;
constexpr auto cookie = CommandType::cookie;
constexpr auto clt = CommandType::channel_lifetime;
constexpr auto cka = CommandType::client_keepalive;
constexpr auto ver = CommandType::version;
constexpr auto nothing = CommandType::empty;
constexpr auto nance = CommandType::negative_ance;
constexpr auto ance = CommandType::ance;
constexpr auto address = CommandType::client_address;
constexpr auto agi = CommandType::association_group_id;
constexpr auto dst = CommandType::destination;
constexpr auto ptsn = CommandType::ping_traffic_sent_notify;

constexpr Role client = Role::client;
constexpr Role inbound = Role::inbound_proxy;
constexpr Role server = Role::server;
constexpr Role outbound = Role::outbound_proxy;

constexpr RtsRow pdu(RtsId id, const char* name, const char* section, std::uint16_t flags,
                     std::initializer_list<CommandType> types, std::uint16_t size, Role sender, Role receiver,
                     std::optional<Destination> destination = std::nullopt)
{
    RtsRow r{};
    r.id = id;
    r.name = name;
    r.section = section;
    r.flags = flags;
    for (const CommandType type : types)
        r.types[r.count++] = type;
    r.required = r.count;
    r.destination = destination;
    r.size = size;
    r.max_size = size;
    r.sender = sender;
    r.receiver = receiver;
    return r;
}

constexpr RtsRow up_to(std::uint16_t max_size, RtsRow r)
{
    r.max_size = max_size;
    return r;
}

constexpr RtsRow last_may_be_absent(RtsRow r)
{
    --r.required;
    return r;
}

using enum RtsId;

// clang-format off
constexpr RtsRow rows[] = {
    pdu(conn_a1,    "CONN/A1",    "2.2.4.2",  0x0000, {ver, cookie, cookie, rws}, 76, client, outbound),
    pdu(conn_a2,    "CONN/A2",    "2.2.4.3",  0x0010, {ver, cookie, cookie, clt, rws}, 84, outbound, server),
    pdu(conn_a3,    "CONN/A3",    "2.2.4.4",  0x0000, {cto}, 28, outbound, client),
    pdu(conn_b1,    "CONN/B1",    "2.2.4.5",  0x0000, {ver, cookie, cookie, clt, cka, agi}, 104, client, inbound),
    up_to(140,
    pdu(conn_b2,    "CONN/B2",    "2.2.4.6",  0x0008, {ver, cookie, cookie, rws, cto, agi, address}, 128,
        inbound, server)),
    pdu(conn_b3,    "CONN/B3",    "2.2.4.7",  0x0000, {rws, ver}, 36, server, inbound),
    pdu(conn_c1,    "CONN/C1",    "2.2.4.8",  0x0000, {ver, rws, cto}, 44, server, outbound),
    pdu(conn_c2,    "CONN/C2",    "2.2.4.9",  0x0000, {ver, rws, cto}, 44, outbound, client),
    pdu(in_r1_a1,   "IN_R1/A1",   "2.2.4.10", 0x0004, {ver, cookie, cookie, cookie}, 88, client, inbound),
    pdu(in_r1_a2,   "IN_R1/A2",   "2.2.4.11", 0x000c, {ver, cookie, cookie, cookie, rws, cto}, 104, inbound, server),
    pdu(in_r1_a3,   "IN_R1/A3",   "2.2.4.12", 0x0000, {dst, ver, rws, cto}, 52, server, outbound, client),
    pdu(in_r1_a4,   "IN_R1/A4",   "2.2.4.13", 0x0000, {dst, ver, rws, cto}, 52, outbound, client, client),
    pdu(in_r1_a5,   "IN_R1/A5",   "2.2.4.14", 0x0000, {cookie}, 40, client, inbound),
    pdu(in_r1_a6,   "IN_R1/A6",   "2.2.4.15", 0x0000, {cookie}, 40, inbound, server),
    pdu(in_r1_b1,   "IN_R1/B1",   "2.2.4.16", 0x0000, {nothing}, 24, inbound, server),
    pdu(in_r1_b2,   "IN_R1/B2",   "2.2.4.17", 0x0000, {rws}, 28, server, inbound),
    pdu(in_r2_a1,   "IN_R2/A1",   "2.2.4.18", 0x0004, {ver, cookie, cookie, cookie}, 88, client, inbound),
    pdu(in_r2_a2,   "IN_R2/A2",   "2.2.4.19", 0x0000, {cookie}, 40, inbound, server),
    pdu(in_r2_a3,   "IN_R2/A3",   "2.2.4.20", 0x0000, {dst}, 28, server, outbound, client),
    pdu(in_r2_a4,   "IN_R2/A4",   "2.2.4.21", 0x0000, {dst}, 28, outbound, client, client),
    pdu(in_r2_a5,   "IN_R2/A5",   "2.2.4.22", 0x0000, {cookie}, 40, client, inbound),
    pdu(out_r1_a1,  "OUT_R1/A1",  "2.2.4.23", 0x0004, {dst}, 28, server, outbound, client),
    pdu(out_r1_a2,  "OUT_R1/A2",  "2.2.4.24", 0x0004, {dst}, 28, outbound, client, client),
    pdu(out_r1_a3,  "OUT_R1/A3",  "2.2.4.25", 0x0004, {ver, cookie, cookie, cookie, rws}, 96, client, outbound),
    pdu(out_r1_a4,  "OUT_R1/A4",  "2.2.4.26", 0x0014, {ver, cookie, cookie, cookie, clt, rws, cto}, 112,
        outbound, server),
    pdu(out_r1_a5,  "OUT_R1/A5",  "2.2.4.27", 0x0010, {dst, ver, cto}, 44, server, outbound, client),
    pdu(out_r1_a6,  "OUT_R1/A6",  "2.2.4.28", 0x0010, {dst, ver, cto}, 44, outbound, client, client),
    pdu(out_r1_a7,  "OUT_R1/A7",  "2.2.4.29", 0x0010, {dst, cookie}, 48, client, inbound, server),
    pdu(out_r1_a8,  "OUT_R1/A8",  "2.2.4.30", 0x0010, {dst, cookie}, 48, inbound, server, server),
    pdu(out_r1_a9,  "OUT_R1/A9",  "2.2.4.31", 0x0000, {ance}, 24, server, outbound),
    pdu(out_r1_a10, "OUT_R1/A10", "2.2.4.32", 0x0000, {ance}, 24, outbound, client),
    pdu(out_r1_a11, "OUT_R1/A11", "2.2.4.33", 0x0000, {ance}, 24, client, outbound),
    pdu(out_r2_a1,  "OUT_R2/A1",  "2.2.4.34", 0x0004, {dst}, 28, server, outbound, client),
    pdu(out_r2_a2,  "OUT_R2/A2",  "2.2.4.35", 0x0004, {dst}, 28, outbound, client, client),
    pdu(out_r2_a3,  "OUT_R2/A3",  "2.2.4.36", 0x0004, {ver, cookie, cookie, cookie, rws}, 96, client, outbound),
    pdu(out_r2_a4,  "OUT_R2/A4",  "2.2.4.37", 0x0000, {cookie}, 40, outbound, server),
    pdu(out_r2_a5,  "OUT_R2/A5",  "2.2.4.38", 0x0000, {dst, ance}, 32, server, outbound, client),
    pdu(out_r2_a6,  "OUT_R2/A6",  "2.2.4.39", 0x0000, {dst, ance}, 32, outbound, client, client),
    pdu(out_r2_a7,  "OUT_R2/A7",  "2.2.4.40", 0x0010, {dst, cookie, ver}, 56, client, inbound, server),
    // Printed without Version, but A7 is forwarded unchanged and has one: both forms are A8.
    last_may_be_absent(up_to(56,
    pdu(out_r2_a8,  "OUT_R2/A8",  "2.2.4.41", 0x0010, {dst, cookie, ver}, 48, inbound, server, server))),
    pdu(out_r2_b1,  "OUT_R2/B1",  "2.2.4.42", 0x0000, {ance}, 24, server, outbound),
    pdu(out_r2_b2,  "OUT_R2/B2",  "2.2.4.43", 0x0000, {nance}, 24, server, outbound),
    pdu(out_r2_b3,  "OUT_R2/B3",  "2.2.4.44", 0x0020, {ance}, 24, outbound, client),
    // Padding is allowed too, but does not fit the 24 bytes that C1 must have.
    pdu(out_r2_c1,  "OUT_R2/C1",  "2.2.4.45", 0x0001, {nothing}, 24, client, outbound),
    pdu(keep_alive, "Keep-Alive", "2.2.4.46", 0x0002, {cka}, 28, client, inbound),
    pdu(ping_traffic_sent_notify, "PingTrafficSentNotify", "2.2.4.47", 0x0002, {ptsn}, 28, outbound, server),
    pdu(echo,       "Echo",       "2.2.4.48", 0x0040, {}, 20, outbound, client),
    pdu(ping,       "Ping",       "2.2.4.49", 0x0001, {}, 20, client, inbound),
    pdu(flow_control_ack, "FlowControlAck", "2.2.4.50", 0x0002, {fca}, 48, server, inbound),
    pdu(flow_control_ack_with_destination, "FlowControlAckWithDestination", "2.2.4.51", 0x0002, {dst, fca}, 56,
        client, inbound),
};
// clang-format on

constexpr bool consistent()
{
    std::size_t index = 0;
    for (const RtsRow& r : rows) {
        std::size_t size = 20, optional = 0;
        for (std::size_t i = 0; i < r.count; ++i) {
            size += i < r.required ? command_size(r.types[i]) : 0;
            optional += i < r.required ? 0 : command_size(r.types[i]);
            optional += r.types[i] == address ? 12 : 0;
        }
        const bool destined = !r.destination || r.types[0] == dst;
        if (static_cast<std::size_t>(r.id) != index++ || size != r.size || size + optional != r.max_size || !destined)
            return false;
    }
    return true;
}
static_assert(consistent(), "rows in the order of RtsId, sizes that are the sum of their commands");

bool same_commands(const RtsRow& r, std::span<const CommandType> types) noexcept
{
    return types.size() >= r.required && types.size() <= r.count &&
           std::ranges::equal(types, r.commands().first(types.size()));
}

} // namespace

std::span<const RtsRow> rts_rows() noexcept
{
    return rows;
}

const RtsRow& row(RtsId id) noexcept
{
    return rows[static_cast<std::size_t>(id)];
}

bool Rts::is(RtsId id) const noexcept
{
    const RtsRow& r = row(id);
    if (flags != r.flags || count < r.required || count > r.count)
        return false;
    for (std::size_t i = 0; i < count; ++i)
        if (list[i].type != r.types[i])
            return false;
    return !r.destination || destination() == r.destination;
}

bool look_alike(RtsId a, RtsId b) noexcept
{
    const RtsRow& x = row(a);
    const RtsRow& y = row(b);
    if (x.flags != y.flags || (x.destination && y.destination && x.destination != y.destination))
        return false;
    for (std::size_t n = x.required; n <= x.count; ++n)
        if (same_commands(y, x.commands().first(n)))
            return true;
    return false;
}

std::vector<RtsId> look_alikes(RtsId id)
{
    std::vector<RtsId> others;
    for (const RtsRow& r : rows)
        if (r.id != id && look_alike(r.id, id))
            others.push_back(r.id);
    return others;
}

} // namespace rpch
