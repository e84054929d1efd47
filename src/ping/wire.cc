#include "ping/wire.h"

#include <poll.h>

#include <algorithm>
#include <array>

namespace ping {

int Deadline::left_ms(std::int64_t limit) const noexcept
{
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, limit));
}

std::vector<net::Address> Network::resolve(const std::string& host, std::uint16_t port, std::uint32_t timeout_s,
                                           std::string& error)
{
    if (const auto address = net::Address::from_host(host, port))
        return {*address};

    resolved_.reset();
    net::Lookup lookup(loop_, resolver_, net::Lookup::Callback::of<&Network::on_resolved>(this));
    lookup.start(host, port);
    const Deadline deadline(timeout_s);
    while (!resolved_ && !deadline.over())
        loop_.run_once(net::Millis{deadline.left_ms(1000)});
    error = resolved_ ? resolved_->error : lookup.overdue();
    return resolved_ ? std::move(resolved_->addresses) : std::vector<net::Address>();
}

net::ConnectResult Network::connect(const std::string& name, const std::vector<net::Address>& addresses,
                                    std::uint32_t timeout_s)
{
    connected_.reset();
    net::Connector connector(loop_, resolver_);
    connector.start(name, addresses, net::Millis{timeout_s * 1000},
                    net::Connector::Callback::of<&Network::on_connected>(this));
    while (!connected_)
        loop_.run_once(net::Millis{1000});
    return std::move(*connected_);
}

void Channel::start(net::Stream stream)
{
    stream_ = std::move(stream);
    unread_ = {};
    head_ = {};
    within_body_ = false;
    over_ = false;
    error_.clear();
}

void Channel::open(base::UniqueFd fd)
{
    start(net::Stream(std::move(fd)));
}

void Channel::expect_body() noexcept
{
    body_.begin({});
    within_body_ = true;
}

bool Channel::open(base::UniqueFd fd, const net::TlsClientContext& context, const std::string& host,
                   const Deadline& deadline)
{
    start({});
    std::unique_ptr<net::TlsSession> session = context.connect(fd.get(), host);
    if (!session) {
        error_ = "out of memory";
        return false;
    }
    for (;;) {
        const net::Handshake step = session->handshake();
        asked_for_certificate_ = session->asked_for_certificate();
        switch (step.kind) {
        case net::Handshake::Kind::done:
            stream_ = net::Stream(std::move(fd), std::move(session));
            return true;
        case net::Handshake::Kind::failed:
            error_ = step.reason;
            untrusted_ = !session->verification_error().empty();
            return false;
        case net::Handshake::Kind::again:
            break;
        }
        if (deadline.over()) {
            error_ = "the handshake does not end";
            return false;
        }
        pollfd wait{fd.get(), static_cast<short>(step.wants_write ? POLLOUT : POLLIN), 0};
        ::poll(&wait, 1, deadline.left_ms());
    }
}

bool Channel::send(base::Bytes bytes, const Deadline& deadline)
{
    while (!bytes.empty() || stream_.flushing()) {
        const bool flushing = stream_.flushing();
        const net::IoResult result = flushing ? stream_.flush() : stream_.write(bytes);
        if (result.ok()) {
            if (!flushing)
                bytes = bytes.subspan(result.size);
            continue;
        }
        if (result.kind != net::IoResult::Kind::again) {
            error_ = stream_.error_text(result);
            return false;
        }
        if (deadline.over()) {
            error_ = "the peer takes no more bytes";
            return false;
        }
        pollfd wait{stream_.fd(), POLLOUT, 0};
        ::poll(&wait, 1, deadline.left_ms());
    }
    return true;
}

bool Channel::send(const web::Request& request, const Deadline& deadline)
{
    if (report_.tracing())
        report_.trace(place_, ">", request.head(false));
    const std::string head = request.head();
    return send(base::Bytes(reinterpret_cast<const std::uint8_t*>(head.data()), head.size()), deadline);
}

Channel::Event Channel::fail(std::string error)
{
    over_ = true;
    error_ = std::move(error);
    return Event::failed;
}

Channel::Event Channel::parse()
{
    if (within_body_) {
        const web::BodyReader::Piece piece = body_.next(unread_);
        switch (piece.kind) {
        case web::BodyReader::Kind::more:
            return Event::nothing;
        case web::BodyReader::Kind::bytes:
            body_bytes_ = piece.bytes;
            return Event::body;
        case web::BodyReader::Kind::end:
            within_body_ = false;
            return Event::end;
        case web::BodyReader::Kind::bad:
            return fail("malformed chunked body");
        }
    }
    switch (head_.take(unread_)) {
    case web::HeadReader::Kind::more:
        return Event::nothing;
    case web::HeadReader::Kind::done:
        report_.trace(place_, "<", head_.raw());
        body_.begin(head_.response());
        within_body_ = true;
        return Event::head;
    case web::HeadReader::Kind::bad:
        return fail(head_.error());
    }
    return Event::nothing;
}

Channel::Event Channel::next()
{
    if (over_)
        return Event::nothing;
    for (;;) {
        if (const Event event = parse(); event != Event::nothing)
            return event;
        const net::IoResult result = stream_.read(buffer_);
        switch (result.kind) {
        case net::IoResult::Kind::ok:
            unread_ = base::Bytes(buffer_).first(result.size);
            break;
        case net::IoResult::Kind::again:
            return Event::nothing;
        case net::IoResult::Kind::eof:
            over_ = true;
            error_ = "the peer closed the connection";
            return Event::closed;
        case net::IoResult::Kind::error:
            return fail(stream_.error_text(result));
        }
    }
}

Channel::Event Channel::wait(const Deadline& deadline)
{
    Channel* const self[] = {this};
    for (;;) {
        const Event event = next();
        if (event != Event::nothing || over_ || deadline.over())
            return event;
        sleep(self, deadline.left_ms());
    }
}

void Channel::sleep(std::span<Channel* const> channels, int ms)
{
    std::array<pollfd, 2> waits{};
    std::size_t count = 0;
    for (Channel* channel : channels) {
        if (channel->over_ || !channel->stream_)
            continue;
        if (channel->stream_.readable_inside())
            return;
        short events = POLLIN;
        if (channel->stream_.flushing()) {
            channel->stream_.flush();
            events |= POLLOUT;
        }
        waits[count++] = {channel->stream_.fd(), events, 0};
    }
    ::poll(waits.data(), count, ms);
}

} // namespace ping
