#include "leg/leg.h"

#include <algorithm>
#include <cstring>

namespace leg {

Leg::Leg(net::Loop& loop, net::Stream stream, Owner& owner)
    : loop_(loop), owner_(&owner), stream_(std::move(stream)),
      watch_(loop, net::Watch::Callback::of<&Leg::on_events>(this)), more_(loop, net::Task::Callback::of<&Leg::read>(this))
{
}

bool Leg::start(base::Bytes early)
{
    if (!watch_.add(stream_.fd()))
        return false;
    readable_ = stream_.readable_inside(); // of everything else the watch brings an event
    take(early);
    return true;
}

void Leg::take(base::Bytes early)
{
    resume();
    if (early.empty())
        return;
    received_ += early.size();
    deliver(early);
}

void Leg::serve(Owner& owner) noexcept
{
    owner_ = &owner;
    if (outlet_)
        outlet_->ask(owner);
}

void Leg::resume() noexcept
{
    if (readable_ && !closed_)
        more_.schedule();
}

void Leg::close() noexcept
{
    if (!closed_ && stream_.tls())
        stream_.shutdown_write(); // says close_notify
    closed_ = true;
    watch_.close(stream_);
    more_.cancel();
    rest_limit_.reset();
}

net::Stream Leg::release() noexcept
{
    closed_ = true;
    watch_.hand_over();
    more_.cancel();
    rest_limit_.reset();
    return std::move(stream_);
}

void Leg::on_events(std::uint32_t events) noexcept
{
    if (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP))
        hung_up_ = true;
    if (events & (EPOLLERR | EPOLLHUP))
        broken_ = true;
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP | EPOLLRDHUP))
        readable_ = true;
    if ((events & EPOLLOUT) && outlet_ && !outlet_->idle())
        owner_->leg_writable();
    if (!closed_)
        read();
}

void Leg::read() noexcept
{
    const std::span<std::uint8_t> scratch = loop_.scratch();
    for (std::size_t turn = 0; readable_ && !closed_;) {
        const std::size_t allowance = owner_->leg_allowance();
        if (allowance == 0)
            return hung_up_ ? await_rest() : void();
        if (turn >= scratch.size())
            return more_.schedule(); // others have their turn
        std::copy_n(tail_.begin(), tail_size_, scratch.begin());
        const net::IoResult result =
            stream_.read(scratch.subspan(tail_size_, std::min(allowance, scratch.size() - tail_size_)));
        switch (result.kind) {
        case net::IoResult::Kind::ok: {
            received_ += result.size;
            turn += result.size;
            readable_ = result.more || hung_up_;
            const std::size_t size = tail_size_ + result.size;
            tail_size_ = 0;
            deliver(scratch.first(size));
            break;
        }
        case net::IoResult::Kind::again: readable_ = false; break;
        case net::IoResult::Kind::eof: return lose("closed by the peer");
        case net::IoResult::Kind::error: broken_ = true; return lose(stream_.error_text(result));
        }
    }
}

/// A leg that may not read would never learn of its peer's end. Called again whenever something has moved.
void Leg::await_rest()
{
    const net::Millis patience = owner_->leg_patience(broken_);
    if (patience == net::Millis(0))
        return lose(broken_ ? "connection reset by the peer" : "closed by the peer");
    if (!rest_limit_)
        rest_limit_ = std::make_unique<net::Timer>(loop_, net::Timer::Callback::of<&Leg::on_rest_timeout>(this));
    rest_limit_->set(patience);
}

void Leg::on_rest_timeout()
{
    broken_ = true;
    lose("closed by the peer; what it had sent before could not be passed on in time");
}

void Leg::deliver(base::Bytes input)
{
    switch (banner_.take(input)) {
    case Banner::Result::absent: break;
    case Banner::Result::partial: return;
    case Banner::Result::wrong: return fail("the server does not speak ncacn_http/1.0");
    case Banner::Result::complete: owner_->leg_banner(); break;
    }
    while (!closed_) {
        if (!input.empty() && input.size() < rpch::framing_size && framer_.at_boundary()) {
            if (const char* const error = rpch::Framer::objection(input))
                return fail(std::string("no PDU stream: ") + error);
            std::copy(input.begin(), input.end(), tail_.begin());
            tail_size_ = static_cast<std::uint8_t>(input.size());
            break;
        }
        const rpch::Framer::Piece piece = framer_.next(input);
        if (piece.kind == rpch::Framer::Kind::more)
            break;
        switch (piece.kind) {
        case rpch::Framer::Kind::rpc: owner_->leg_rpc(piece); break;
        case rpch::Framer::Kind::rts: {
            rpch::Rts pdu;
            const rpch::DecodeResult decoded = rpch::decode(piece.bytes, pdu);
            if (!decoded.ok())
                return fail(std::string("malformed RTS PDU: ") + decoded.error);
            owner_->leg_rts(pdu);
            break;
        }
        case rpch::Framer::Kind::bad: return fail(std::string("no PDU stream: ") + piece.error);
        case rpch::Framer::Kind::more: break;
        }
    }
    if (!closed_)
        owner_->leg_delivered();
}

void Leg::lose(const std::string& reason)
{
    gone_ = true;
    fail(reason);
}

void Leg::fail(const std::string& reason)
{
    closed_ = true;
    watch_.hand_over();
    more_.cancel();
    rest_limit_.reset();
    owner_->leg_closed(reason);
}

} // namespace leg
