#pragma once

#include "leg/arrival.h"
#include "leg/failure.h"
#include "rpch/framer.h"
#include "rpch/rts.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace pairing {

/// A proxy's connection to a VirtualServer, for one channel: in memory (hop::Local), or a TCP connection from
/// another node or another product's proxy (RemoteProxy). What the virtual server asks of it.
///
/// The virtual server does not own it. Callbacks into the virtual server may come inside these calls. After
/// server_failed(), server_ended() and server_relieved() the virtual server has forgotten the proxy.
class Proxy {
public:
    virtual leg::Side side() const = 0;

    /// Where the service was found in the end. Before server_reached(), unless it is where it was looked for.
    virtual void server_routed(const directory::Route& route) = 0;
    /// The service is reached: VirtualServer::introduce() follows, now or later but not before.
    virtual void server_reached() = 0;
    /// Instead of it: the service cannot be reached.
    virtual void server_failed(const leg::Failure& failure) = 0;

    virtual void server_rts(base::Bytes pdu) = 0;
    /// The RTS PDU that goes behind all RPC PDUs; VirtualServer::drained() follows when it has left.
    virtual void server_last(base::Bytes pdu) = 0;

    /// OUT: how many bytes the service may be read for. `room`: what the role leaves for PDUs that have not begun;
    /// `coming`: bytes that the PDU which has begun has still to come.
    virtual std::size_t server_allowance(std::uint32_t room, std::uint32_t coming) = 0;
    /// OUT: a piece of an RPC PDU of the service, to be written or copied before server_delivered() returns.
    virtual void server_rpc(const rpch::Framer::Piece& piece) = 0;
    virtual void server_delivered() = 0;
    /// OUT: the window has opened for what waits here.
    virtual void server_flow() = 0;
    /// OUT: whether the client can replace the channel, as far as one can tell.
    virtual bool server_recycles() const = 0;

    /// IN: whether an RPC PDU may go to the service, and that it goes.
    virtual bool server_admits(std::uint32_t size) const = 0;
    virtual void server_sent(std::uint32_t size) = 0;
    /// IN: `size` bytes of RPC PDUs of this proxy have reached the service.
    virtual void server_consumed(std::uint32_t size) = 0;

    /// The end, which what was put before may still precede.
    virtual void server_ended(const std::string& reason) = 0;
    /// The successor has taken over: the proxy ends this one.
    virtual void server_relieved() = 0;

protected:
    ~Proxy() = default;
};

} // namespace pairing
