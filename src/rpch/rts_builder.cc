#include "rpch/rts_builder.h"

#include <cassert>

namespace rpch {

RtsBuilder::RtsBuilder(RtsId id) noexcept : row_(row(id))
{
    rts_.flags = row_.flags;
}

RtsBuilder& RtsBuilder::add(const Command& command) noexcept
{
    assert(rts_.count < row_.count && row_.types[rts_.count] == command.type);
    rts_.add(command);
    return *this;
}

RtsBuilder& RtsBuilder::add(CommandType type, std::uint32_t value) noexcept
{
    return add({.type = type, .value = value});
}

RtsBuilder& RtsBuilder::version(std::uint32_t value) noexcept
{
    return add(CommandType::version, value);
}

RtsBuilder& RtsBuilder::cookie(const Cookie& value) noexcept
{
    return add({.type = CommandType::cookie, .cookie = value});
}

RtsBuilder& RtsBuilder::receive_window(std::uint32_t bytes) noexcept
{
    return add(CommandType::receive_window_size, bytes);
}

RtsBuilder& RtsBuilder::connection_timeout(std::uint32_t milliseconds) noexcept
{
    return add(CommandType::connection_timeout, milliseconds);
}

RtsBuilder& RtsBuilder::channel_lifetime(std::uint32_t bytes) noexcept
{
    return add(CommandType::channel_lifetime, bytes);
}

RtsBuilder& RtsBuilder::client_keepalive(std::uint32_t milliseconds) noexcept
{
    return add(CommandType::client_keepalive, milliseconds);
}

RtsBuilder& RtsBuilder::association_group(const Cookie& value) noexcept
{
    return add({.type = CommandType::association_group_id, .cookie = value});
}

RtsBuilder& RtsBuilder::client_address(const ClientAddress& value) noexcept
{
    return add({.type = CommandType::client_address, .address = value});
}

RtsBuilder& RtsBuilder::destination(Destination value) noexcept
{
    return add(CommandType::destination, static_cast<std::uint32_t>(value));
}

RtsBuilder& RtsBuilder::flow_control_ack(const FlowControlAck& value) noexcept
{
    return add({.type = CommandType::flow_control_ack, .ack = value});
}

RtsBuilder& RtsBuilder::ping_traffic_sent(std::uint32_t bytes) noexcept
{
    return add(CommandType::ping_traffic_sent_notify, bytes);
}

RtsBuilder& RtsBuilder::ance() noexcept
{
    return add(CommandType::ance, 0);
}

RtsBuilder& RtsBuilder::negative_ance() noexcept
{
    return add(CommandType::negative_ance, 0);
}

RtsBuilder& RtsBuilder::empty() noexcept
{
    return add(CommandType::empty, 0);
}

RtsBytes RtsBuilder::done() const noexcept
{
    assert(rts_.is(row_.id));
    return encode(rts_);
}

} // namespace rpch
