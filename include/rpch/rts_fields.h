#pragma once

#include "rpch/rts.h"

#include <cstddef>
#include <cstdint>

namespace rpch {

/// Reads the commands of a decoded PDU one after the other.
///
/// The error is sticky: a command of another type than asked for, or none left, fails the reader, and
/// every later read yields zero. Read all fields, then ask `done()` once. Refers to the Rts.
class RtsFields {
public:
    explicit RtsFields(const Rts& rts) noexcept : rts_(rts) {}

    std::uint32_t version() noexcept;
    Cookie cookie() noexcept;
    std::uint32_t receive_window() noexcept;     ///< bytes
    std::uint32_t connection_timeout() noexcept; ///< ms as received; see clamp_connection_timeout
    std::uint32_t channel_lifetime() noexcept;   ///< bytes
    std::uint32_t client_keepalive() noexcept;   ///< ms as received; see clamp_client_keepalive
    Cookie association_group() noexcept;
    ClientAddress client_address() noexcept;
    Destination destination() noexcept;
    FlowControlAck flow_control_ack() noexcept;
    std::uint32_t ping_traffic_sent() noexcept;  ///< bytes
    std::uint32_t padding() noexcept;            ///< number of padding bytes
    void ance() noexcept;
    void negative_ance() noexcept;
    void empty() noexcept;

    bool ok() const noexcept { return !failed_; }
    /// True when nothing failed and every command was read.
    bool done() const noexcept { return !failed_ && next_ == rts_.count; }

private:
    const Command& take(CommandType type) noexcept;

    const Rts& rts_;
    std::size_t next_ = 0;
    bool failed_ = false;
};

} // namespace rpch
