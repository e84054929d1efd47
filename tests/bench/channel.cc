#include "bench/channel.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace bench {
namespace {

std::array<std::uint8_t, 256 * 1024> buffer; // of all channels: the generator has one thread

/// What one channel writes before others have their turn.
constexpr std::uint64_t turn_size = 512 * 1024;

} // namespace

Channel::Channel(net::Loop& loop, const Pattern& pattern, Owner& owner)
    : pattern_(pattern), owner_(owner), watch_(loop, net::Watch::Callback::of<&Channel::on_events>(this)),
      more_(loop, net::Task::Callback::of<&Channel::flush>(this)),
      listen_(loop, net::Task::Callback::of<&Channel::on_listen>(this)),
      hold_(loop, net::Timer::Callback::of<&Channel::on_held>(this))
{
}

void Channel::connect(const net::Address& to, const net::Address& from, const net::TlsClientContext* tls)
{
    tls_ = tls;
    connecting_.reset(::socket(to.ipv6() ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int one = 1;
    sockaddr_storage address;
    socklen_t size = from.to_sockaddr(address);
    const int fd = connecting_.get();
    if (fd < 0 || ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one) != 0 ||
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
        ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0)
        return fail(std::strerror(errno));
    size = to.to_sockaddr(address);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 && errno != EINPROGRESS)
        return fail(std::strerror(errno));
    if (!watch_.add(fd))
        fail(std::strerror(errno));
}

void Channel::accept(base::UniqueFd socket)
{
    stream_ = net::Stream(std::move(socket));
    if (!watch_.add(stream_.fd()))
        fail(std::strerror(errno));
}

void Channel::close()
{
    watch_.remove();
    more_.cancel();
    listen_.cancel();
    hold_.cancel();
    handshaking_.reset();
    connecting_.reset();
    if (stream_)
        stream_.close();
}

void Channel::fail(const std::string& reason)
{
    close();
    owner_.channel_closed(*this, reason);
}

void Channel::on_events(std::uint32_t events)
{
    if (!stream_) {
        shake_hands();
        if (!stream_)
            return;
    }
    if ((events & EPOLLOUT) && (!control_.empty() || goal_ > position_ || stream_.flushing()))
        flush();
    const bool hung_up = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    if (stream_ && listens_)
        read(hung_up);
    else if (stream_ && hung_up)
        fail("closed by the peer before its turn");
}

void Channel::shake_hands()
{
    if (!handshaking_) {
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(connecting_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0)
            return fail(std::strerror(error));
        tcp_info info{};
        size = sizeof info;
        ::getsockopt(connecting_.get(), IPPROTO_TCP, TCP_INFO, &info, &size);
        if (info.tcpi_state == TCP_SYN_SENT)
            return;
        if (!tls_) {
            stream_ = net::Stream(std::move(connecting_));
            return owner_.channel_ready(*this);
        }
        handshaking_ = tls_->connect(connecting_.get(), "bench.example");
    }
    const net::Handshake step = handshaking_->handshake();
    if (step.kind == net::Handshake::Kind::failed)
        return fail("TLS: " + step.reason);
    if (step.kind == net::Handshake::Kind::done) {
        stream_ = net::Stream(std::move(connecting_), std::move(handshaking_));
        owner_.channel_ready(*this);
    }
}

/// `to_the_end`: the end waits behind the bytes.
void Channel::read(bool to_the_end)
{
    while (stream_) {
        const net::IoResult result = stream_.read(buffer);
        switch (result.kind) {
        case net::IoResult::Kind::ok:
            owner_.channel_bytes(*this, base::Bytes(buffer).first(result.size));
            if (!result.more && !to_the_end)
                return;
            break;
        case net::IoResult::Kind::again: return;
        case net::IoResult::Kind::eof: return fail("closed by the peer");
        case net::IoResult::Kind::error: return fail(stream_.error_text(result));
        }
    }
}

/// Writes all of `bytes` or as much as the socket takes; false when no more can be written now.
bool Channel::wrote(base::Bytes bytes, std::size_t& size)
{
    const net::IoResult result = stream_.write(bytes);
    size = result.ok() ? result.size : 0;
    if (result.kind == net::IoResult::Kind::error)
        fail(stream_.error_text(result));
    return result.ok();
}

void Channel::listen()
{
    listens_ = true;
    listen_.schedule();
}

void Channel::on_listen()
{
    if (stream_)
        read(true);
}

void Channel::control(base::Bytes bytes, net::Millis delay)
{
    if (held_.empty() && delay == net::Millis{})
        return control_.push(bytes);
    held_.push_back({{bytes.begin(), bytes.end()}, delay});
    if (held_.size() == 1)
        hold_.set(delay);
}

void Channel::last(base::Bytes pdu, net::Millis delay)
{
    last_.push(pdu);
    if (delay > net::Millis{})
        hold_.set(delay);
}

void Channel::on_held()
{
    while (!held_.empty() && !hold_.armed()) {
        control_.push(held_.front().bytes);
        held_.pop_front();
        if (!held_.empty() && held_.front().delay > net::Millis{})
            hold_.set(held_.front().delay);
    }
    flush();
}

void Channel::flush()
{
    const bool ends = !last_.empty();
    write_all();
    if (ends && last_.empty())
        owner_.channel_drained(*this);
}

void Channel::write_all()
{
    if (!stream_ || (stream_.flushing() && !stream_.flush().ok()))
        return;
    const std::uint64_t turn = position_ + turn_size;
    const std::uint32_t pdu = pattern_.pdu_size();
    std::size_t size = 0;
    for (;;) {
        const std::uint64_t within = position_ % pdu;
        if (!control_.empty() && (within == 0 || control_begun_)) {
            if (!wrote(control_.front(), size))
                return;
            control_.pop(size);
            control_begun_ = !control_.empty();
        } else if (position_ < goal_ && (held_.empty() || within != 0)) {
            if (position_ >= turn)
                return more_.schedule();
            const bool runs_on = control_.empty() && held_.empty();
            if (!wrote(pattern_.at(position_, runs_on ? goal_ - position_ : pdu - within), size))
                return;
            position_ += size;
        } else if (!last_.empty() && position_ == goal_ && !hold_.armed()) {
            control_.push(last_.front());
            last_.clear();
        } else {
            return;
        }
    }
}

} // namespace bench
