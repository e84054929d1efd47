#include "net/tls.h"

#include "tls_credentials.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace net {

namespace {

// A ClientHello or a chain of certificates is far smaller; GnuTLS would take 128 KiB.
constexpr std::size_t handshake_message_limit = 64 * 1024;
// What one call works on without any progress for its caller.
constexpr int idle_limit = 100;
// Records of write_limit plain bytes. When the peer asked for tiny records their overhead is larger; then
// one write() takes less.
constexpr std::size_t gather_size = TlsSession::write_limit + 8 * 1024;
constexpr std::size_t record_room = 16 * 1024 + 1024;
// GnuTLS asks for the five bytes of a record's header, and then for the rest. A small record comes with the header.
constexpr std::size_t read_ahead = 4096;
// Cipher bytes outside write() come from alerts and key updates only.
constexpr std::size_t unsent_limit = 4 * gather_size;

/// The cipher bytes of the write() that runs in this thread.
struct Gathered {
    std::array<std::uint8_t, gather_size> bytes;
    std::size_t size;
};
thread_local Gathered gathered;

} // namespace

/// GnuTLS's transport: the session itself is the transport pointer.
struct TlsGlue {
    static ssize_t pull(gnutls_transport_ptr_t session, void* out, std::size_t size)
    {
        return static_cast<TlsSession*>(session)->pull(out, size);
    }

    static ssize_t push(gnutls_transport_ptr_t session, const giovec_t* pieces, int count)
    {
        ssize_t total = 0;
        for (int i = 0; i < count; ++i) {
            const base::Bytes bytes(static_cast<const std::uint8_t*>(pieces[i].iov_base), pieces[i].iov_len);
            const ssize_t sent = static_cast<TlsSession*>(session)->push(bytes);
            if (sent < 0)
                return total > 0 ? total : -1;
            total += sent;
            if (static_cast<std::size_t>(sent) < bytes.size())
                break;
        }
        return total;
    }

    // Asked only where GnuTLS would wait, which it does not here; its default takes the pointer for a
    // descriptor.
    static int pull_timeout(gnutls_transport_ptr_t, unsigned) { return 1; }

    static int verify(gnutls_session_t session)
    {
        return static_cast<TlsSession*>(gnutls_session_get_ptr(session))->verify();
    }
};

TlsSession::TlsSession(std::shared_ptr<const TlsCredentials> credentials, int fd, unsigned flags)
    : credentials_(std::move(credentials)), fd_(fd)
{
    if (gnutls_init(&session_, flags) < 0) {
        session_ = nullptr;
        return;
    }
    if (gnutls_priority_set(session_, credentials_->priority()) < 0
        || gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, credentials_->certificates()) < 0) {
        gnutls_deinit(std::exchange(session_, nullptr));
        return;
    }
    gnutls_transport_set_ptr(session_, this);
    gnutls_transport_set_pull_function(session_, TlsGlue::pull);
    gnutls_transport_set_vec_push_function(session_, TlsGlue::push);
    gnutls_transport_set_pull_timeout_function(session_, TlsGlue::pull_timeout);
    gnutls_handshake_set_max_packet_length(session_, handshake_message_limit);
    gnutls_session_set_ptr(session_, this);
    if (flags & GNUTLS_CLIENT)
        gnutls_session_set_verify_function(session_, TlsGlue::verify);
}

TlsSession::~TlsSession()
{
    if (session_)
        gnutls_deinit(session_);
}

long TlsSession::pull(void* out, std::size_t size) noexcept
{
    if (!ahead_.empty()) {
        const base::Bytes bytes = ahead_.front().first(std::min(size, ahead_.size()));
        std::memcpy(out, bytes.data(), bytes.size());
        ahead_.pop(bytes.size());
        return static_cast<long>(bytes.size());
    }
    std::uint8_t near[read_ahead];
    const std::span<std::uint8_t> place =
        size < read_ahead ? std::span<std::uint8_t>(near) : std::span(static_cast<std::uint8_t*>(out), size);
    for (;;) {
        if (drained_)
            errno = EAGAIN;
        const ssize_t got = drained_ ? -1 : ::recv(fd_, place.data(), place.size(), MSG_DONTWAIT);
        if (got > 0) {
            heard_ = true;
            const base::Bytes bytes = place.first(static_cast<std::size_t>(got));
            // In a handshake nobody asks once more when the end came with these bytes.
            drained_ = established_ && bytes.size() < place.size();
            if (place.data() == out)
                return got;
            const base::Bytes wanted = bytes.first(std::min(size, bytes.size()));
            std::memcpy(out, wanted.data(), wanted.size());
            ahead_.push(bytes.subspan(wanted.size()));
            return static_cast<long>(wanted.size());
        }
        if (got < 0 && errno == EINTR)
            continue;
        const bool blocked = got == 0 || errno == EAGAIN || errno == EWOULDBLOCK;
        if (blocked) {
            // To GnuTLS the peer's end without close_notify is fatal for both directions. Our callers
            // treat it as an end of file, so GnuTLS hears only that nothing is at hand.
            peer_ended_ = got == 0;
            pull_blocked_ = true;
        } else {
            errno_ = errno;
        }
        gnutls_transport_set_errno(session_, blocked ? EAGAIN : errno_);
        return -1;
    }
}

long TlsSession::push(base::Bytes bytes) noexcept
{
    if (gathering_) {
        assert(bytes.size() <= gather_size - gathered.size);
        std::memcpy(gathered.bytes.data() + gathered.size, bytes.data(), bytes.size());
        gathered.size += bytes.size();
        return static_cast<long>(bytes.size());
    }
    // Nothing may overtake cipher bytes that wait.
    if (flushing() && unsent_.size() + bytes.size() <= unsent_limit) {
        unsent_.push(bytes);
        return static_cast<long>(bytes.size());
    }
    for (;;) {
        if (flushing())
            errno = EAGAIN;
        const ssize_t sent =
            flushing() ? -1 : ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0)
            return sent;
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            errno_ = errno;
        gnutls_transport_set_errno(session_, errno);
        return -1;
    }
}

int TlsSession::verify() noexcept
{
    unsigned status = 0;
    const int code = gnutls_certificate_verify_peers3(session_, host_.empty() ? nullptr : host_.c_str(), &status);
    if (code < 0) {
        verification_error_ = gnutls_strerror(code);
    } else if (status != 0) {
        gnutls_datum_t text{};
        if (gnutls_certificate_verification_status_print(status, gnutls_certificate_type_get(session_), &text, 0) >= 0)
            verification_error_.assign(reinterpret_cast<const char*>(text.data), text.size);
        gnutls_free(text.data);
        while (verification_error_.ends_with(' ') || verification_error_.ends_with('\0'))
            verification_error_.pop_back();
        if (verification_error_.empty())
            verification_error_ = "The certificate is NOT trusted.";
    }
    return verification_error_.empty() || !credentials_->verify() ? 0 : GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
}

Handshake TlsSession::handshake() noexcept
{
    using Kind = Handshake::Kind;
    if (failure_ != 0)
        return {Kind::failed, false, failure()};
    // To GnuTLS another handshake would be a renegotiation.
    if (established_)
        return {Kind::done, false, {}};
    drained_ = false;
    for (int steps = 0; steps < idle_limit; ++steps) {
        pull_blocked_ = false;
        const int code = gnutls_handshake(session_);
        if (code == GNUTLS_E_SUCCESS) {
            established_ = true;
            return {Kind::done, false, {}};
        }
        if (code == GNUTLS_E_AGAIN || code == GNUTLS_E_INTERRUPTED) {
            const bool writing = gnutls_record_get_direction(session_) == 1;
            if (peer_ended_ && !writing) {
                failure_ = GNUTLS_E_PREMATURE_TERMINATION;
                return {Kind::failed, false, "the peer closed the connection"};
            }
            if (writing || pull_blocked_)
                return {Kind::again, writing, {}};
        } else if (gnutls_error_is_fatal(code)) {
            failure_ = code;
            const std::string reason = failure();
            gnutls_alert_send_appropriate(session_, code);
            return {Kind::failed, false, reason.empty() ? std::generic_category().message(errno_) : reason};
        }
    }
    failure_ = GNUTLS_E_TOO_MANY_HANDSHAKE_PACKETS;
    return {Kind::failed, false, failure()};
}

IoResult TlsSession::dead(long code) noexcept
{
    if (failure_ == 0)
        failure_ = static_cast<int>(code);
    return {IoResult::Kind::error, 0, errno_ != 0 ? errno_ : EPROTO};
}

IoResult TlsSession::read(std::span<std::uint8_t> out) noexcept
{
    using Kind = IoResult::Kind;
    if (out.empty())
        return {};
    if (failure_ != 0)
        return dead(failure_);

    // Until the span is full or the kernel has nothing more: GnuTLS also answers "again" after records that
    // carry no data, such as a session ticket, while data is still waiting.
    std::size_t total = 0;
    int idle = 0;
    drained_ = false;
    while (total < out.size()) {
        pull_blocked_ = false;
        const ssize_t got = gnutls_record_recv(session_, out.data() + total, out.size() - total);
        if (got > 0) {
            total += static_cast<std::size_t>(got);
            continue;
        }
        const bool again = got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED;
        if (again && pull_blocked_ && !peer_ended_) {
            if (total > 0)
                return {Kind::ok, total, 0, false};
            // A record that is not complete: the end may have come with it, and then no event follows.
            if (!std::exchange(drained_, false))
                return {Kind::again};
            continue;
        }
        if (got == 0 || (again && pull_blocked_)) {
            at_end_ = true;
            return total > 0 ? IoResult{Kind::ok, total, 0, true} : IoResult{Kind::eof};
        }
        if (got == GNUTLS_E_REHANDSHAKE)
            gnutls_alert_send(session_, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION);
        const bool harmless = again || got == GNUTLS_E_WARNING_ALERT_RECEIVED;
        if (!harmless || ++idle > idle_limit) {
            const IoResult result = dead(got);
            return total > 0 ? IoResult{Kind::ok, total, 0, true} : result;
        }
    }
    return {Kind::ok, total, 0, true};
}

IoResult TlsSession::write(base::Bytes bytes) noexcept
{
    using Kind = IoResult::Kind;
    if (failure_ != 0)
        return dead(failure_);
    if (shutting_)
        return {Kind::error, 0, EPIPE};
    if (flushing())
        return {Kind::again};

    const std::size_t wanted = std::min(bytes.size(), write_limit);
    std::size_t total = 0;
    long failed = 0;
    gathering_ = true;
    gathered.size = 0;
    while (total < wanted && gather_size - gathered.size >= record_room) {
        const ssize_t taken = gnutls_record_send(session_, bytes.data() + total, wanted - total);
        if (taken < 0 && taken != GNUTLS_E_INTERRUPTED) {
            failed = taken;
            break;
        }
        total += taken > 0 ? static_cast<std::size_t>(taken) : 0;
    }
    gathering_ = false;
    const IoResult sent = send_gathered();
    if (failed != 0)
        return dead(failed);
    return sent.kind == Kind::error ? sent : IoResult{Kind::ok, total};
}

IoResult TlsSession::send_gathered() noexcept
{
    base::Bytes rest(gathered.bytes.data(), gathered.size);
    while (!rest.empty() && !flushing()) {
        const ssize_t sent = ::send(fd_, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
            rest = rest.subspan(static_cast<std::size_t>(sent));
            // A short count means that the kernel is full.
            break;
        }
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            break;
        errno_ = errno;
        return dead(GNUTLS_E_PUSH_ERROR);
    }
    unsent_.push(rest);
    return {};
}

IoResult TlsSession::flush() noexcept
{
    using Kind = IoResult::Kind;
    while (flushing()) {
        const base::Bytes rest = unsent_.front();
        const ssize_t sent = ::send(fd_, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
            unsent_.pop(static_cast<std::size_t>(sent));
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return {Kind::again};
        } else if (errno != EINTR) {
            errno_ = errno;
            return dead(GNUTLS_E_PUSH_ERROR);
        }
    }
    if (shutting_)
        ::shutdown(fd_, SHUT_WR);
    return {};
}

bool TlsSession::readable_inside() const noexcept
{
    return gnutls_record_check_pending(session_) > 0 || !ahead_.empty() || at_end_ || failure_ != 0;
}

void TlsSession::shutdown_write() noexcept
{
    if (std::exchange(shutting_, true))
        return;
    if (established_ && failure_ == 0) {
        gathering_ = true;
        gathered.size = 0;
        gnutls_bye(session_, GNUTLS_SHUT_WR);
        gathering_ = false;
        send_gathered();
    }
    if (!flushing())
        ::shutdown(fd_, SHUT_WR);
}

std::string TlsSession::failure() const
{
    if (failure_ == 0 || errno_ != 0)
        return {};
    if (failure_ == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR && !verification_error_.empty())
        return verification_error_;
    std::string text = gnutls_strerror(failure_);
    if (failure_ == GNUTLS_E_FATAL_ALERT_RECEIVED) {
        const char* const alert = gnutls_alert_get_name(gnutls_alert_get(session_));
        text += std::string(" (") + (alert ? alert : "unknown") + ')';
    }
    return text;
}

} // namespace net
