#pragma once

#include "base/cursor.h"
#include "base/unique_fd.h"
#include "net/tls.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace net {

/// A connected socket that does not block, with or without TLS. The relay knows nothing else.
///
/// Has no tie to a loop or thread: a Stream can be moved to another thread whenever no call is running.
/// Calls never raise SIGPIPE.
class Stream {
public:
    Stream() noexcept = default;
    explicit Stream(base::UniqueFd fd) noexcept : fd_(std::move(fd)) {}
    /// `tls` was made for this very descriptor and its handshake is done.
    Stream(base::UniqueFd fd, std::unique_ptr<TlsSession> tls) noexcept : fd_(std::move(fd)), tls_(std::move(tls)) {}
    Stream(Stream&&) noexcept = default;
    Stream& operator=(Stream&&) noexcept = default;

    /// Fills `out` as far as bytes are at hand; TLS records are gathered. See IoResult.
    IoResult read(std::span<std::uint8_t> out) noexcept;

    /// Plain: what the kernel takes. TLS: encrypts up to 64 KiB and sends once. Cipher bytes that the kernel
    /// does not take stay inside, their plain bytes count as written, and flushing() is true: call flush()
    /// at the next EPOLLOUT; until it has answered ok, write() answers `again`.
    IoResult write(base::Bytes bytes) noexcept;
    bool flushing() const noexcept { return tls_ && tls_->flushing(); }
    /// ok: nothing is kept any more. again: wait for EPOLLOUT. Plain streams are always flushed.
    IoResult flush() noexcept;

    /// Decrypted bytes, or the end, wait in the TLS session; no event will announce them. Read before you wait.
    bool readable_inside() const noexcept { return tls_ && tls_->readable_inside(); }

    /// TLS: close_notify first. Then no more bytes can be written; the peer sees the end after all that was
    /// written (while flushing(), after the flush).
    void shutdown_write() noexcept;
    /// Closes at once. What the kernel holds is still sent, unless received bytes were left unread (then RST).
    void close() noexcept;

    int fd() const noexcept { return fd_.get(); }
    explicit operator bool() const noexcept { return static_cast<bool>(fd_); }
    bool tls() const noexcept { return tls_ != nullptr; }
    const TlsSession* session() const noexcept { return tls_.get(); }
    /// Bytes that the peer has not acknowledged yet: in the kernel (SIOCOUTQ) and kept inside.
    std::size_t unsent() const noexcept;
    /// "plain", or like "TLS1.3 TLS_AES_256_GCM_SHA384".
    std::string describe() const;
    /// The reason of the last IoResult of kind error, for the log: "Connection reset by peer",
    /// "TLS: A TLS fatal alert has been received."
    std::string error_text(const IoResult& result) const;

private:
    // In this order: the session goes before the descriptor that it uses.
    base::UniqueFd fd_;
    std::unique_ptr<TlsSession> tls_;
};

} // namespace net
