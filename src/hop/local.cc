#include "hop/local.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace hop {
namespace {

/// PDUs are handed over as our own roles have made them.
rpch::Rts decoded(base::Bytes pdu)
{
    rpch::Rts rts;
    [[maybe_unused]] const rpch::DecodeResult result = rpch::decode(pdu, rts);
    assert(result.ok());
    return rts;
}

} // namespace

void Local::connect()
{
    pairing::VirtualServer* const server = finder_.find_virtual_server(visitor_, !joins_);
    if (!server)
        return user_->hop_failed({.reason = "the channel is to replace one of a virtual connection that does not exist"});
    if (server->party() != visitor_.party())
        return user_->hop_failed({.reason = "the virtual connection belongs to another user or has another target"});
    server_ = server;
    server->attach(*this);
}

// From the proxy to the virtual server.

void Local::send_rts(base::Bytes pdu)
{
    if (!server_)
        return;
    if (std::exchange(introduced_, true))
        server_->receive_rts(*this, decoded(pdu));
    else
        server_->introduce(*this, decoded(pdu));
}

void Local::put_rpc(const rpch::Framer::Piece& piece)
{
    if (!server_)
        return;
    if (held_.empty() && server_->takes_from(*this))
        server_->put_rpc(piece);
    else
        held_.push(piece.bytes);
}

/// The successor has become the default channel.
void Local::release_held()
{
    if (held_.empty() || !server_->takes_from(*this))
        return;
    const base::Fifo held = std::move(held_);
    base::Bytes bytes = held.front();
    rpch::Framer framer; // the last PDU may go on with the next piece; the outlet knows where it is
    while (!bytes.empty())
        server_->put_rpc(framer.next(bytes));
    server_->flush();
}

void Local::send_last(base::Bytes pdu)
{
    last_ = std::make_unique<rpch::Rts>(decoded(pdu));
    release_last();
}

void Local::flush()
{
    if (server_)
        release_held();
    if (server_)
        server_->flush();
}

std::size_t Local::waiting() const
{
    return server_ ? server_->waiting() + held_.size() + (last_ ? 1 : 0) : 0;
}

void Local::resume()
{
    if (server_)
        server_->resume();
}

void Local::keep_alive(std::uint32_t ms)
{
    if (server_)
        server_->keep_alive(ms);
}

void Local::close()
{
    if (pairing::VirtualServer* const server = std::exchange(server_, nullptr))
        server->closed(*this);
}

// From the virtual server to the proxy.

void Local::server_rts(base::Bytes pdu)
{
    user_->hop_rts(decoded(pdu));
}

void Local::server_last(base::Bytes pdu)
{
    last_ = std::make_unique<rpch::Rts>(decoded(pdu));
    release_last();
}

/// Hands over the last PDU, in whichever direction it goes, once no RPC PDU is in front of it.
void Local::release_last()
{
    if (!last_ || !server_ || coming_ > 0 || (side_ == leg::Side::in && server_->held_back()))
        return;
    const std::unique_ptr<rpch::Rts> last = std::move(last_);
    if (side_ == leg::Side::in)
        return server_->receive_rts(*this, *last);
    server_->drained(*this);
    user_->hop_rts(*last);
}

std::size_t Local::server_allowance(std::uint32_t room, std::uint32_t coming)
{
    // The window between the two ends in this process may be overshot by part of a read; the client's may not.
    // A PDU that has begun is always finished, or the RTS PDUs behind it would wait for ever.
    const std::size_t allowance = user_->hop_allowance(false);
    return room == 0 ? std::min<std::size_t>(allowance, coming) : allowance;
}

void Local::server_rpc(const rpch::Framer::Piece& piece)
{
    if (piece.first) {
        server_->sent(*this, piece.frag_length);
        coming_ = piece.frag_length;
    }
    coming_ -= static_cast<std::uint32_t>(piece.bytes.size());
    user_->hop_rpc(piece);
    release_last();
}

void Local::server_sent(std::uint32_t size)
{
    user_->hop_sent(size);
    if (server_)
        server_->received(*this, size);
}

void Local::server_consumed(std::uint32_t size)
{
    // The channel may end when nothing waits any more, and looks for that here.
    release_last();
    user_->hop_consumed(size);
}

void Local::server_failed(const leg::Failure& failure)
{
    server_ = nullptr;
    user_->hop_failed(failure);
}

void Local::server_ended(const std::string& reason)
{
    server_ = nullptr;
    user_->hop_closed(reason);
}

} // namespace hop
