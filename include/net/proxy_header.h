#pragma once

#include "base/cursor.h"
#include "net/address.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace net {

/// A header of the PROXY protocol, version 2: what a proxy tells the next one about the connection that it
/// carries on, in front of its first byte.
struct ProxyHeader {
    /// Of whatever a peer sends, addresses and all, no more is taken.
    static constexpr std::size_t limit = 2048;

    Address source;        ///< of the client; unspecified when the header has none
    Address destination;   ///< where the client connected; unspecified likewise
    std::string authority; ///< PP2_TYPE_AUTHORITY: the name that the client asked for
    std::string user;      ///< type 0xE0, of the range for own use: who the client has proven to be

    /// The bytes to send. Both addresses go, or neither when they are of different families.
    std::vector<std::uint8_t> encode() const;

    enum class Result : std::uint8_t {
        taken,   ///< the header was removed from the front of the input
        partial, ///< more bytes are needed; nothing was removed
        absent,  ///< the input begins with something else
        bad,     ///< it begins as a header and is none that can be taken
    };
    /// Reads a header from the front of `input`. Fields of unknown types are skipped, as the protocol says.
    Result decode(base::Bytes& input);
};

} // namespace net
