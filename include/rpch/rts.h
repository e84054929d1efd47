#pragma once

#include "base/cursor.h"
#include "rpch/cookie.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace rpch {

/// The four parties of the protocol (MS-RPCH 1.3.2), numbered as the Destination command does.
enum class Role : std::uint32_t { client = 0, inbound_proxy = 1, server = 2, outbound_proxy = 3 };

/// The value of a Destination command (MS-RPCH 2.2.3.3): to whom a PDU is to be forwarded.
using Destination = Role;

/// Command types of RTS PDUs (MS-RPCH 2.2.3.5).
enum class CommandType : std::uint32_t {
    receive_window_size = 0x0,
    flow_control_ack = 0x1,
    connection_timeout = 0x2,
    cookie = 0x3,
    channel_lifetime = 0x4,
    client_keepalive = 0x5,
    version = 0x6,
    empty = 0x7,
    padding = 0x8,
    negative_ance = 0x9,
    ance = 0xa,
    client_address = 0xb,
    association_group_id = 0xc,
    destination = 0xd,
    ping_traffic_sent_notify = 0xe,
};

/// RTS flags (MS-RPCH 2.2.3.6.1).
namespace rts_flag {
constexpr std::uint16_t none = 0x0000;
constexpr std::uint16_t ping = 0x0001;
constexpr std::uint16_t other_cmd = 0x0002;
constexpr std::uint16_t recycle_channel = 0x0004;
constexpr std::uint16_t in_channel = 0x0008;
constexpr std::uint16_t out_channel = 0x0010;
constexpr std::uint16_t eof = 0x0020;
constexpr std::uint16_t echo = 0x0040;
} // namespace rts_flag

/// MS-RPCH 2.2.3.2, in network byte order as in a socket address; IPv4 uses the first four bytes.
struct ClientAddress {
    bool ipv6 = false;
    std::array<std::uint8_t, 16> bytes{};

    bool operator==(const ClientAddress&) const = default;
};

/// MS-RPCH 2.2.3.4: `channel` is the channel whose RPC bytes are acknowledged.
struct FlowControlAck {
    std::uint32_t bytes_received = 0;
    std::uint32_t available_window = 0;
    Cookie channel{};

    bool operator==(const FlowControlAck&) const = default;
};

/// One command. Only the members that its type has are set; the others are zero.
struct Command {
    CommandType type = CommandType::empty;
    std::uint32_t value = 0; ///< every u32 of a command: bytes, milliseconds, version, Role, count of padding bytes
    Cookie cookie{};         ///< cookie, association_group_id
    FlowControlAck ack{};    ///< flow_control_ack
    ClientAddress address{}; ///< client_address

    bool operator==(const Command&) const = default;
};

enum class RtsId : std::uint8_t; // rts_table.h

/// A decoded RTS PDU: flags and commands in their order.
struct Rts {
    /// The longest PDU has seven commands.
    static constexpr std::size_t max_commands = 8;

    std::uint16_t flags = 0;
    std::uint16_t count = 0;
    std::array<Command, max_commands> list{};

    std::span<const Command> commands() const noexcept { return std::span(list).first(count); }
    /// Appends; there must be room.
    void add(const Command& command) noexcept;

    /// True when flags, command types and their order, and a Destination fixed by the PDU, are those of
    /// `id`. Several PDUs look alike: the role and its state tell them apart (recognise() in rts_table.h).
    bool is(RtsId id) const noexcept;
    /// The Destination if it is the first command: only such PDUs are ever forwarded (MS-RPCH 3.2.1.5.2).
    std::optional<Destination> destination() const noexcept;
};

/// An encoded RTS PDU. No PDU of MS-RPCH 2.2.4 is longer than CONN/B2 with an IPv6 address, 140 bytes.
struct RtsBytes {
    static constexpr std::size_t capacity = 140;

    std::array<std::uint8_t, capacity> buffer;
    std::uint8_t size = 0;

    operator base::Bytes() const noexcept { return base::Bytes(buffer).first(size); }
};

/// Ranges on the wire, and what to do with values beyond them.
constexpr std::uint32_t min_receive_window = 8192, max_receive_window = 262144;             // bytes, 2.2.3.5.1
constexpr std::uint32_t min_connection_timeout = 120000, max_connection_timeout = 14400000; // ms, 2.2.3.5.3
constexpr std::uint32_t min_channel_lifetime = 131072, max_channel_lifetime = 2147483648;   // bytes, 2.2.3.5.5
constexpr std::uint32_t min_client_keepalive = 60000, default_client_keepalive = 300000;    // ms, 2.2.3.5.6

/// For configured windows.
std::uint32_t clamp_receive_window(std::uint32_t bytes) noexcept;
/// Received and configured connection timeouts, in milliseconds.
std::uint32_t clamp_connection_timeout(std::uint32_t milliseconds) noexcept;
/// A received keep-alive, in milliseconds: 0 asks for the default of five minutes.
std::uint32_t clamp_client_keepalive(std::uint32_t milliseconds) noexcept;

/// The outcome of decode(): ok, or what is wrong with the PDU, a static text for the log.
struct DecodeResult {
    const char* error = nullptr;

    bool ok() const noexcept { return error == nullptr; }
};

/// Decodes one whole RTS PDU as the framer delivers it.
///
/// Every structural rule of MS-RPCH 2.2.3.5 and 2.2.3.6 is enforced, and the ranges of windows and
/// lifetimes. Not rejected, because real peers stray there or because they mean nothing:
///   - ConnectionTimeout and ClientKeepalive of any value: use the clamp functions;
///   - the ChannelLifetime of CONN/B1 (2.2.4.5: no protocol significance, SHOULD be ignored). It repeats
///     the Content-Length of the IN request, which is the real limit and may be shorter than the range;
///   - Version of any value (2.2.3.5.7).
/// On error `out` is unspecified. Whether the PDU is one of the protocol is not judged here.
DecodeResult decode(base::Bytes pdu, Rts& out) noexcept;

/// The mirror of decode(). Padding is written as zeros. The PDU must fit RtsBytes.
RtsBytes encode(const Rts& rts) noexcept;

/// The size of a command of this type on the wire, its type field included: of ClientAddress the IPv4
/// form, of Padding the empty form.
constexpr std::size_t command_size(CommandType type) noexcept
{
    switch (type) {
    case CommandType::receive_window_size:
    case CommandType::connection_timeout:
    case CommandType::channel_lifetime:
    case CommandType::client_keepalive:
    case CommandType::version:
    case CommandType::padding:
    case CommandType::destination:
    case CommandType::ping_traffic_sent_notify:
        return 8;
    case CommandType::flow_control_ack:
        return 28;
    case CommandType::cookie:
    case CommandType::association_group_id:
        return 20;
    case CommandType::empty:
    case CommandType::negative_ance:
    case CommandType::ance:
        return 4;
    case CommandType::client_address:
        return 24;
    }
    return 0;
}

/// The name in MS-RPCH 2.2.3.5, for logs.
const char* name(CommandType type) noexcept;
/// "flags=0x0004 Version Cookie Cookie Cookie", for logs; tells no cookie.
std::string describe(const Rts& rts);

} // namespace rpch
