#pragma once

#include "directory/decision.h"
#include "leg/arrival.h"
#include "leg/failure.h"
#include "rpch/framer.h"
#include "rpch/rts.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace hop {

/// A channel's way to its server: the second leg of an inbound or an outbound proxy. Its kind is chosen
/// per endpoint in the directory; MS-RPCH is spoken on it whatever the kind.
///
/// Owned by its channel and destroyed with it, with Loop::defer. One thread.
class Hop {
public:
    /// The channel that uses the hop.
    class User {
    public:
        /// Where the server was found in the end: a failed connection may have changed it. Before hop_connected().
        virtual void hop_routed(const directory::Route& route) = 0;
        virtual void hop_connected() = 0;
        virtual void hop_failed(const leg::Failure& failure) = 0; ///< instead of hop_connected
        virtual void hop_rts(const rpch::Rts& pdu) = 0;
        virtual void hop_rpc(const rpch::Framer::Piece& piece) = 0;
        virtual void hop_delivered() = 0; ///< what was delivered must be written or copied now
        virtual void hop_closed(const std::string& reason) = 0;

        /// OUT: how many bytes may be read from the server now. `ahead`: RTS PDUs can follow the RPC PDUs
        /// in the same stream and must be reached even if the client takes nothing.
        virtual std::size_t hop_allowance(bool ahead) = 0;
        /// OUT: whether the client can replace its channel, as far as one can tell.
        virtual bool hop_recycles() const = 0;
        /// IN: whether an RPC PDU may go to the server now, and that it goes.
        virtual bool hop_admits(std::uint32_t size) const = 0;
        virtual void hop_sent(std::uint32_t size) = 0;
        /// IN: `size` bytes of RPC PDUs have left for the server.
        virtual void hop_consumed(std::uint32_t size) = 0;

    protected:
        ~User() = default;
    };

    virtual ~Hop() = default;

    /// Another user from now on.
    virtual void serve(User& user) = 0;
    virtual void connect() = 0;
    virtual void send_rts(base::Bytes pdu) = 0;
    virtual void put_rpc(const rpch::Framer::Piece& piece) = 0;
    /// An RTS PDU that goes behind every RPC PDU that was put; nothing follows it.
    virtual void send_last(base::Bytes pdu) = 0;
    /// Writes what waits, as far as hop_admits() and the socket allow.
    virtual void flush() = 0;
    /// Bytes that wait to be written.
    virtual std::size_t waiting() const = 0;
    /// The allowance may have grown.
    virtual void resume() = 0;
    virtual void keep_alive(std::uint32_t ms) = 0;
    /// The server end is on another node of ours: the channel can go on without this one, and the server takes
    /// a hint that it should.
    virtual bool movable() const { return false; }
    /// Nothing is called back any more.
    virtual void close() = 0;
};

} // namespace hop
