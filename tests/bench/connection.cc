#include "bench/connection.h"

#include "bench/plan.h"
#include "bench/session.h"

namespace bench {

void Connection::start(base::UniqueFd socket, base::Bytes greeting, const std::shared_ptr<Session>& session)
{
    if (session) {
        framed_ = false;
        session_ = session;
    }
    channel_.accept(std::move(socket));
    channel_.control(greeting);
    channel_.flush();
}

void Connection::close(const std::string& reason)
{
    if (!channel_.open())
        return;
    channel_.close();
    host_.connection_gone(*this, reason);
}

void Connection::drop()
{
    dropped_ = true;
    close("dropped");
}

void Connection::join(const std::shared_ptr<Session>& session, rpch::Leg leg)
{
    session_ = session;
    leg_ = leg;
}

void Connection::channel_bytes(Channel&, base::Bytes bytes)
{
    if (framed_)
        return take_pdus(bytes);
    session_->take(bytes);
    session_->arrived(static_cast<std::uint32_t>(bytes.size()));
}

void Connection::channel_drained(Channel&)
{
    session_->on_drained(leg_);
}

void Connection::take_pdus(base::Bytes bytes)
{
    std::uint32_t consumed = 0;
    while (channel_.open()) {
        const rpch::Framer::Piece piece = framer_.next(bytes);
        if (piece.kind == rpch::Framer::Kind::more)
            break;
        if (piece.kind == rpch::Framer::Kind::bad)
            give_up(std::string("backend: ") + piece.error);
        if (piece.kind == rpch::Framer::Kind::rts) {
            rpch::Rts pdu;
            if (const rpch::DecodeResult result = rpch::decode(piece.bytes, pdu); !result.ok())
                give_up(std::string("backend: ") + result.error);
            session_ ? session_->on_rts(leg_, pdu) : host_.connection_begins(*this, pdu);
            continue;
        }
        if (!session_)
            give_up("backend: a connection begins with an RPC PDU");
        if (piece.first)
            session_->on_rpc(leg_, piece.frag_length);
        session_->take(piece.bytes);
        consumed += static_cast<std::uint32_t>(piece.bytes.size());
    }
    if (consumed > 0 && session_)
        session_->arrived(consumed);
}

} // namespace bench
