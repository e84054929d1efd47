#include "tunnel/local_hop.h"

#include <cassert>
#include <utility>

namespace tunnel {

void LocalHop::connect()
{
    VirtualServer& server = finder_.find_virtual_server(virtual_connection_, arrival_);
    if (!server.attach(side_, *this))
        return user_.hop_failed({.reason = "the virtual connection has this channel already"});
    server_ = &server;
    if (server.connected())
        user_.hop_connected();
}

void LocalHop::send_rts(base::Bytes pdu)
{
    if (!server_)
        return;
    rpch::Rts decoded;
    [[maybe_unused]] const rpch::DecodeResult result = rpch::decode(pdu, decoded);
    assert(result.ok());
    server_->receive_rts(side_, decoded);
}

void LocalHop::put_rpc(const rpch::Framer::Piece& piece)
{
    if (server_)
        server_->put_rpc(piece);
}

void LocalHop::flush()
{
    if (server_)
        server_->flush();
}

void LocalHop::resume()
{
    if (server_)
        server_->resume();
}

void LocalHop::keep_alive(std::uint32_t ms)
{
    if (server_)
        server_->keep_alive(ms);
}

void LocalHop::close()
{
    if (VirtualServer* const server = std::exchange(server_, nullptr))
        server->detach(side_);
}

void LocalHop::server_failed(const std::string& reason)
{
    server_ = nullptr;
    user_.hop_failed({.reason = reason});
}

void LocalHop::server_ended(const std::string& reason)
{
    server_ = nullptr;
    user_.hop_closed(reason);
}

} // namespace tunnel
