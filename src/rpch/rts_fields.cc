#include "rpch/rts_fields.h"

namespace rpch {

const Command& RtsFields::take(CommandType type) noexcept
{
    static constexpr Command nothing{};
    if (failed_ || next_ >= rts_.count || rts_.list[next_].type != type) {
        failed_ = true;
        return nothing;
    }
    return rts_.list[next_++];
}

std::uint32_t RtsFields::version() noexcept
{
    return take(CommandType::version).value;
}

Cookie RtsFields::cookie() noexcept
{
    return take(CommandType::cookie).cookie;
}

std::uint32_t RtsFields::receive_window() noexcept
{
    return take(CommandType::receive_window_size).value;
}

std::uint32_t RtsFields::connection_timeout() noexcept
{
    return take(CommandType::connection_timeout).value;
}

std::uint32_t RtsFields::channel_lifetime() noexcept
{
    return take(CommandType::channel_lifetime).value;
}

std::uint32_t RtsFields::client_keepalive() noexcept
{
    return take(CommandType::client_keepalive).value;
}

Cookie RtsFields::association_group() noexcept
{
    return take(CommandType::association_group_id).cookie;
}

ClientAddress RtsFields::client_address() noexcept
{
    return take(CommandType::client_address).address;
}

Destination RtsFields::destination() noexcept
{
    return static_cast<Destination>(take(CommandType::destination).value);
}

FlowControlAck RtsFields::flow_control_ack() noexcept
{
    return take(CommandType::flow_control_ack).ack;
}

std::uint32_t RtsFields::ping_traffic_sent() noexcept
{
    return take(CommandType::ping_traffic_sent_notify).value;
}

std::uint32_t RtsFields::padding() noexcept
{
    return take(CommandType::padding).value;
}

void RtsFields::ance() noexcept
{
    take(CommandType::ance);
}

void RtsFields::negative_ance() noexcept
{
    take(CommandType::negative_ance);
}

void RtsFields::empty() noexcept
{
    take(CommandType::empty);
}

} // namespace rpch
