#pragma once

#include "base/cursor.h"
#include "rpch/cookie.h"
#include "rpch/rts.h"

#include <cstdint>
#include <string>

namespace leg {

/// The first PDU of a channel's connection. If it is an RTS PDU it begins with the version and the cookie of
/// the virtual connection, whichever of MS-RPCH 2.2.4 it is; if it is an RPC PDU the peer speaks version 1.
struct FirstPdu {
    enum class Kind : std::uint8_t {
        partial, ///< more bytes are needed
        rts,     ///< complete: `pdu`, `virtual_connection`, `size`
        rpc,     ///< an RPC PDU begins
        bad,     ///< `error` says why
    };

    Kind kind = Kind::partial;
    rpch::Rts pdu;
    rpch::Cookie virtual_connection;
    std::uint32_t size = 0; ///< bytes
    std::string error;
};

/// Reads it from the front of what has come so far.
FirstPdu read_first_pdu(base::Bytes bytes);

} // namespace leg
