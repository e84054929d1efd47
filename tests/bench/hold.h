#pragma once

#include "net/wheel.h"
#include "rpch/rts_table.h"

#include <optional>
#include <span>
#include <string_view>

namespace bench {

/// A wish to hold back every RTS PDU of one kind that the client would send.
struct Hold {
    rpch::RtsId id;
    net::Millis delay;
};

/// "IN_R2/A5=200": a name of MS-RPCH 2.2.4, and ms. Nothing when it is no such text, or no PDU of the client.
std::optional<Hold> parse_hold(std::string_view text);

/// How long `pdu` must wait. `moved`: the channel that it is about goes to another address; that alone tells some
/// PDUs of IN_R1 and OUT_R1 from those of IN_R2 and OUT_R2.
net::Millis delay_of(std::span<const Hold> holds, const rpch::RtsBytes& pdu, bool moved);

} // namespace bench
