#include "net/stream.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

namespace net {

namespace {

IoResult refused(int error) noexcept
{
    if (error == EAGAIN || error == EWOULDBLOCK)
        return {IoResult::Kind::again};
    return {IoResult::Kind::error, 0, error};
}

} // namespace

IoResult Stream::read(std::span<std::uint8_t> out) noexcept
{
    if (tls_)
        return tls_->read(out);
    if (out.empty())
        return {};
    ssize_t got;
    do
        got = ::recv(fd_.get(), out.data(), out.size(), MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return refused(errno);
    if (got == 0)
        return {IoResult::Kind::eof};
    const auto size = static_cast<std::size_t>(got);
    return {IoResult::Kind::ok, size, 0, size == out.size()};
}

IoResult Stream::write(base::Bytes bytes) noexcept
{
    if (tls_)
        return tls_->write(bytes);
    if (bytes.empty())
        return {};
    ssize_t sent;
    do
        sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return refused(errno);
    return {IoResult::Kind::ok, static_cast<std::size_t>(sent)};
}

IoResult Stream::flush() noexcept
{
    return tls_ ? tls_->flush() : IoResult{};
}

void Stream::shutdown_write() noexcept
{
    if (tls_)
        tls_->shutdown_write();
    else
        ::shutdown(fd_.get(), SHUT_WR);
}

void Stream::close() noexcept
{
    tls_.reset();
    fd_.reset();
}

std::size_t Stream::unsent() const noexcept
{
    int waiting = 0;
    if (::ioctl(fd_.get(), SIOCOUTQ, &waiting) != 0 || waiting < 0)
        waiting = 0;
    return static_cast<std::size_t>(waiting) + (tls_ ? tls_->unsent() : 0);
}

std::string Stream::describe() const
{
    return tls_ ? tls_->describe() : "plain";
}

std::string Stream::error_text(const IoResult& result) const
{
    if (tls_) {
        const std::string failure = tls_->failure();
        if (!failure.empty())
            return "TLS: " + failure;
    }
    return std::generic_category().message(result.error);
}

} // namespace net
