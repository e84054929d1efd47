#include "http/connection.h"

#include "base/log.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace http {
namespace {

/// For the rest of a head, or of the body of a request that is answered here, that has begun before a drain.
constexpr net::Millis last_patience{1000};

} // namespace

Connection::Connection(Front& front, std::uint64_t id, base::UniqueFd socket, const net::Address& peer,
                       std::unique_ptr<net::TlsSession> tls)
    : front_(front), id_(id), socket_(std::move(socket)), tls_(std::move(tls)), peer_(peer),
      watch_(front.env_.loop, net::Watch::Callback::of<&Connection::on_event>(this)),
      deadline_(front.env_.loop, net::Timer::Callback::of<&Connection::on_deadline>(this))
{
}

Connection::~Connection() = default;

bool Connection::start()
{
    if (tls_) {
        deadline_.set(front_.env_.limits.handshake);
        return watch_.add(socket_.get(), net::Watch::all_events, net::Loop::Turn::door);
    }
    stream_ = net::Stream(std::move(socket_));
    state_ = State::head;
    // The time for the first head counts from here: nothing obliges us to wait for a client that says nothing.
    deadline_.set(front_.env_.limits.head);
    if (watch_.add(stream_.fd(), net::Watch::all_events, net::Loop::Turn::door))
        return true;
    const int error = errno;
    (void)stream_.write(base::bytes_of(leg::rpc_error_reply(leg::rpc_code::out_of_resources)));
    errno = error;
    return false;
}

void Connection::drain()
{
    close_after_ = true;
    if (state_ == State::handshake || (state_ == State::head && input_.empty()))
        close({});
    else if (state_ == State::head || state_ == State::body) // nobody may hold the end up by half a request
        deadline_.set(std::min(front_.env_.limits.head, last_patience));
    else if (state_ == State::dropping)
        linger();
}

void Connection::close(std::string_view reason)
{
    if (state_ == State::closed)
        return;
    if (!reason.empty())
        base::log::notice("closed", {{"id", id_}, {"peer", peer_.text()}, {"reason", reason}});
    state_ = State::closed;
    deadline_.cancel();
    asked_.cancel();
    exchange_.reset();
    if (socket_) // the handshake goes on
        watch_.remove();
    tls_.reset();
    socket_.reset();
    watch_.close(stream_);
    input_.clear();
    output_.clear();
    front_.forget(id_);
}

void Connection::on_event(std::uint32_t events)
{
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        readable_ = true;

    const bool dead = (events & (EPOLLHUP | EPOLLERR)) != 0;
    if (dead && (state_ == State::judging || state_ == State::replying))
        return close("the client has gone before its reply");
    if ((events & EPOLLOUT) && (!output_.empty() || stream_.flushing()))
        flush();
    advance();
}

void Connection::on_deadline()
{
    switch (state_) {
    case State::handshake:
        return close("TLS handshake took too long");
    case State::head:
        if (input_.empty())
            return close({});
        refuse(408, "request head took too long", {}, {});
        return advance();
    case State::judging:
        give_up();
        return advance();
    case State::body:
        close_after_ = true; // the client may have the reply without its body
        reply_own();
        return advance();
    case State::replying:
        return close("the client does not take its reply");
    case State::dropping:
    case State::lingering:
        return close({});
    case State::closed:
        return;
    }
}

/// Goes on with whatever the state waits for from the client; the states change inside.
void Connection::advance()
{
    State before;
    do {
        before = state_;
        switch (state_) {
        case State::handshake:
            on_handshake();
            break;
        case State::head:
            read_head();
            break;
        case State::body:
        case State::dropping:
            drop_body();
            break;
        case State::lingering:
            discard();
            break;
        case State::judging:
        case State::replying:
        case State::closed:
            return;
        }
    } while (state_ != before);
}

void Connection::on_handshake()
{
    const net::Handshake step = tls_->handshake();
    switch (step.kind) {
    case net::Handshake::Kind::again:
        return;
    case net::Handshake::Kind::failed:
        return close(tls_->heard() ? "TLS: " + step.reason : ""); // many a health check says nothing
    case net::Handshake::Kind::done:
        break;
    }
    stream_ = net::Stream(std::move(socket_), std::move(tls_));
    readable_ = true; // the request may have come with the client's last handshake record
    state_ = State::head;
    deadline_.set(front_.env_.limits.head);
}

/// The connection lives on after a complete reply.
void Connection::next_request()
{
    state_ = State::head;
    question_.reset();
    facts_ = {};
    scanner_.reset();
    idle_ = input_.empty();
    deadline_.set(idle_ ? front_.env_.limits.idle : front_.env_.limits.head);
}

} // namespace http
