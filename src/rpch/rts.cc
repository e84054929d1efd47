#include "rpch/rts.h"

#include "rpch/pdu.h"
#include "rpch/rts_table.h"

#include <algorithm>
#include <cassert>
#include <cstdio>

namespace rpch {

namespace {

constexpr std::uint32_t ipv4_type = 0, ipv6_type = 1;    // AddressType, 2.2.3.2
constexpr std::size_t ipv4_size = 4, ipv6_size = 16, address_padding = 12;

const char* header_error(const PduHeader& h, std::size_t size) noexcept
{
    if (h.version != rpc_version || h.version_minor != 0)
        return "RTS version is not 5.0";
    if (h.type != PacketType::rts)
        return "not an RTS PDU";
    if (h.flags != (first_fragment | last_fragment))
        return "RTS PDU is not one fragment";
    if (h.drep != little_endian_drep)
        return "RTS PDU is not in the byte order 10 00 00 00";
    if (h.frag_length != size)
        return "RTS fragment length is not the size of the PDU";
    if (h.auth_length != 0)
        return "RTS PDU with authentication";
    if (h.call_id != 0)
        return "RTS PDU with a call id";
    return nullptr;
}

const char* read_address(base::Cursor& c, ClientAddress& address) noexcept
{
    const std::uint32_t type = c.u32();
    if (type != ipv4_type && type != ipv6_type)
        return "ClientAddress of unknown type";
    address.ipv6 = type == ipv6_type;
    c.copy(std::span(address.bytes).first(address.ipv6 ? ipv6_size : ipv4_size));
    c.skip(address_padding);
    return nullptr;
}

/// Reads what follows the type. A short read shows in the cursor.
const char* read_body(base::Cursor& c, Command& command) noexcept
{
    switch (command.type) {
    case CommandType::receive_window_size:
    case CommandType::connection_timeout:
    case CommandType::channel_lifetime:
    case CommandType::client_keepalive:
    case CommandType::version:
    case CommandType::ping_traffic_sent_notify:
        command.value = c.u32();
        return nullptr;
    case CommandType::flow_control_ack:
        command.ack.bytes_received = c.u32();
        command.ack.available_window = c.u32();
        c.copy(command.ack.channel.bytes);
        return nullptr;
    case CommandType::cookie:
    case CommandType::association_group_id:
        c.copy(command.cookie.bytes);
        return nullptr;
    case CommandType::empty:
    case CommandType::negative_ance:
    case CommandType::ance:
        return nullptr;
    case CommandType::padding:
        command.value = c.u32();
        c.skip(command.value);
        return nullptr;
    case CommandType::client_address:
        return read_address(c, command.address);
    case CommandType::destination:
        command.value = c.u32();
        return command.value <= static_cast<std::uint32_t>(Role::outbound_proxy) ? nullptr : "unknown Destination";
    }
    return "unknown command";
}

const char* range_error(const Rts& rts) noexcept
{
    for (const Command& command : rts.commands()) {
        if (command.type == CommandType::receive_window_size &&
            (command.value < min_receive_window || command.value > max_receive_window))
            return "ReceiveWindowSize out of range";
        if (command.type == CommandType::channel_lifetime &&
            (command.value < min_channel_lifetime || command.value > max_channel_lifetime) && !rts.is(RtsId::conn_b1))
            return "ChannelLifetime out of range";
    }
    return nullptr;
}

void write(base::Writer& w, const Command& command) noexcept
{
    w.u32(static_cast<std::uint32_t>(command.type));
    switch (command.type) {
    case CommandType::receive_window_size:
    case CommandType::connection_timeout:
    case CommandType::channel_lifetime:
    case CommandType::client_keepalive:
    case CommandType::version:
    case CommandType::destination:
    case CommandType::ping_traffic_sent_notify:
        w.u32(command.value);
        return;
    case CommandType::flow_control_ack:
        w.u32(command.ack.bytes_received);
        w.u32(command.ack.available_window);
        w.bytes(command.ack.channel.bytes);
        return;
    case CommandType::cookie:
    case CommandType::association_group_id:
        w.bytes(command.cookie.bytes);
        return;
    case CommandType::empty:
    case CommandType::negative_ance:
    case CommandType::ance:
        return;
    case CommandType::padding:
        w.u32(command.value);
        w.zeros(command.value);
        return;
    case CommandType::client_address:
        w.u32(command.address.ipv6 ? ipv6_type : ipv4_type);
        w.bytes(base::Bytes(command.address.bytes).first(command.address.ipv6 ? ipv6_size : ipv4_size));
        w.zeros(address_padding);
        return;
    }
}

std::size_t size_of(const Command& command) noexcept
{
    const std::size_t size = command_size(command.type);
    if (command.type == CommandType::padding)
        return size + command.value;
    if (command.type == CommandType::client_address && command.address.ipv6)
        return size + ipv6_size - ipv4_size;
    return size;
}

} // namespace

void Rts::add(const Command& command) noexcept
{
    assert(count < max_commands);
    list[count++] = command;
}

std::optional<Destination> Rts::destination() const noexcept
{
    if (count == 0 || list[0].type != CommandType::destination)
        return std::nullopt;
    return static_cast<Destination>(list[0].value);
}

std::uint32_t clamp_receive_window(std::uint32_t bytes) noexcept
{
    return std::clamp(bytes, min_receive_window, max_receive_window);
}

std::uint32_t clamp_connection_timeout(std::uint32_t milliseconds) noexcept
{
    return std::clamp(milliseconds, min_connection_timeout, max_connection_timeout);
}

std::uint32_t clamp_client_keepalive(std::uint32_t milliseconds) noexcept
{
    return milliseconds == 0 ? default_client_keepalive : std::max(milliseconds, min_client_keepalive);
}

DecodeResult decode(base::Bytes pdu, Rts& out) noexcept
{
    if (pdu.size() < rts_header_size)
        return {"RTS PDU below 20 bytes"};
    if (pdu.size() > max_rts_size)
        return {"RTS PDU above 256 bytes"};
    const auto header = PduHeader::decode(pdu);
    if (const char* error = header_error(*header, pdu.size()))
        return {error};
    base::Cursor c(pdu.subspan(header_size));
    out.flags = c.u16();
    const std::uint16_t count = c.u16();
    if (count > Rts::max_commands)
        return {"RTS PDU with more than 8 commands"};
    for (out.count = 0; out.count < count; ++out.count) {
        Command& command = out.list[out.count];
        command = {};
        command.type = static_cast<CommandType>(c.u32());
        const char* error = c.ok() ? read_body(c, command) : nullptr;
        if (!c.ok())
            return {"RTS commands go beyond the PDU"};
        if (error)
            return {error};
    }
    if (!c.done())
        return {"bytes after the last RTS command"};
    return {range_error(out)};
}

RtsBytes encode(const Rts& rts) noexcept
{
    std::size_t size = rts_header_size;
    for (const Command& command : rts.commands())
        size += size_of(command);
    RtsBytes out;
    assert(size <= out.buffer.size());
    out.size = static_cast<std::uint8_t>(size);
    base::Writer w(out.buffer);
    PduHeader{.type = PacketType::rts, .frag_length = static_cast<std::uint16_t>(size)}.encode(w);
    w.u16(rts.flags);
    w.u16(rts.count);
    for (const Command& command : rts.commands())
        write(w, command);
    assert(w.size() == size);
    return out;
}

const char* name(CommandType type) noexcept
{
    switch (type) {
    case CommandType::receive_window_size:
        return "ReceiveWindowSize";
    case CommandType::flow_control_ack:
        return "FlowControlAck";
    case CommandType::connection_timeout:
        return "ConnectionTimeout";
    case CommandType::cookie:
        return "Cookie";
    case CommandType::channel_lifetime:
        return "ChannelLifetime";
    case CommandType::client_keepalive:
        return "ClientKeepalive";
    case CommandType::version:
        return "Version";
    case CommandType::empty:
        return "Empty";
    case CommandType::padding:
        return "Padding";
    case CommandType::negative_ance:
        return "NegativeANCE";
    case CommandType::ance:
        return "ANCE";
    case CommandType::client_address:
        return "ClientAddress";
    case CommandType::association_group_id:
        return "AssociationGroupId";
    case CommandType::destination:
        return "Destination";
    case CommandType::ping_traffic_sent_notify:
        return "PingTrafficSentNotify";
    }
    return "unknown";
}

std::string describe(const Rts& rts)
{
    char flags[16];
    std::snprintf(flags, sizeof flags, "flags=0x%04x", rts.flags);
    std::string text = flags;
    for (const Command& command : rts.commands()) {
        text += ' ';
        text += name(command.type);
    }
    return text;
}

} // namespace rpch
