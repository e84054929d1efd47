#pragma once

#include "rpch/rts_table.h"

#include <cstdint>

namespace rpch {

/// The mirror of RtsFields: builds the PDU `id` from its values, in the order of its row.
///
///     RtsBuilder(RtsId::conn_a1).version().cookie(vc).cookie(out).receive_window(65536).done()
///
/// A wrong or missing command, or a Destination that the PDU does not allow, is a programming error
/// (assert).
class RtsBuilder {
public:
    explicit RtsBuilder(RtsId id) noexcept;
    RtsBuilder(const RtsBuilder&) = delete;
    RtsBuilder& operator=(const RtsBuilder&) = delete;

    /// We speak version 1 (MS-RPCH 2.2.3.5.7).
    RtsBuilder& version(std::uint32_t value = 1) noexcept;
    RtsBuilder& cookie(const Cookie& value) noexcept;
    RtsBuilder& receive_window(std::uint32_t bytes) noexcept;
    RtsBuilder& connection_timeout(std::uint32_t milliseconds) noexcept;
    RtsBuilder& channel_lifetime(std::uint32_t bytes) noexcept;
    RtsBuilder& client_keepalive(std::uint32_t milliseconds) noexcept;
    RtsBuilder& association_group(const Cookie& value) noexcept;
    RtsBuilder& client_address(const ClientAddress& value) noexcept;
    RtsBuilder& destination(Destination value) noexcept;
    RtsBuilder& flow_control_ack(const FlowControlAck& value) noexcept;
    RtsBuilder& ping_traffic_sent(std::uint32_t bytes) noexcept;
    RtsBuilder& ance() noexcept;
    RtsBuilder& negative_ance() noexcept;
    RtsBuilder& empty() noexcept;

    RtsBytes done() const noexcept;

private:
    RtsBuilder& add(const Command& command) noexcept;
    RtsBuilder& add(CommandType type, std::uint32_t value) noexcept;

    const RtsRow& row_;
    Rts rts_;
};

} // namespace rpch
