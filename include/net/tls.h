#pragma once

#include "base/cursor.h"
#include "base/fifo.h"
#include "net/io_result.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

struct gnutls_session_int;

namespace net {

/// Certificates, keys, trust and priorities; shared by the context and all its sessions.
class TlsCredentials;

/// What a step of a handshake came to.
struct Handshake {
    enum class Kind { done, again, failed };

    Kind kind = Kind::again;
    /// For `again`: waits for EPOLLOUT instead of EPOLLIN.
    bool wants_write = false;
    /// For `failed`: why, for the log.
    std::string reason;
};

/// The certificate that the far end has shown.
struct TlsPeer {
    std::string subject;            ///< "CN=mail.example.com,O=Example"
    std::string issuer;
    std::vector<std::string> names; ///< subject alternative names: host names and IP addresses
    std::int64_t not_before = 0;    ///< seconds since 1970
    std::int64_t not_after = 0;
};

/// One TLS connection, server or client end, over a descriptor that its owner keeps. Nothing blocks and no
/// call costs CPU while the peer is silent. Bound to no thread.
///
/// The owner calls handshake() at first and at every event until it is done, under its own time limit.
/// Then a Stream takes the session. Sessions are never resumed and no session ticket is ever sent (Samba
/// 4.17 hangs on them). A peer that wishes to renegotiate (TLS 1.2) is refused and the session ends.
class TlsSession {
public:
    static constexpr std::size_t write_limit = 64 * 1024;

    ~TlsSession();
    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;

    Handshake handshake() noexcept;
    /// The peer has sent something.
    bool heard() const noexcept { return heard_; }

    // The calls of Stream, which documents them.
    IoResult read(std::span<std::uint8_t> out) noexcept;
    IoResult write(base::Bytes bytes) noexcept;
    bool flushing() const noexcept { return !unsent_.empty(); }
    std::size_t unsent() const noexcept { return unsent_.size(); }
    IoResult flush() noexcept;
    bool readable_inside() const noexcept;
    void shutdown_write() noexcept;

    /// RFC 5929 section 4: the hash of the server's certificate, without the prefix
    /// "tls-server-end-point:". Both ends; empty when there is none or before the handshake is done.
    std::string end_point_binding() const;
    /// "TLS1.3 TLS_AES_256_GCM_SHA384".
    std::string describe() const;
    /// Server: the name that the client asked for (SNI), or empty.
    std::string server_name() const;
    /// Client: the server's certificate, also when its verification failed.
    std::optional<TlsPeer> peer() const;
    /// Client: the server has asked for a certificate; it need not insist on one. Known once the handshake is done.
    bool asked_for_certificate() const noexcept;
    /// Client: what is wrong with the server's certificate, also when verification is off; empty when it
    /// is in order. Known once the handshake is done or has failed.
    const std::string& verification_error() const noexcept { return verification_error_; }
    /// Why the session died: GnuTLS's words, empty when the socket and not TLS failed.
    std::string failure() const;

private:
    friend class TlsServerContext;
    friend class TlsClientContext;
    friend struct TlsGlue; // GnuTLS's callbacks, in tls_session.cc

    TlsSession(std::shared_ptr<const TlsCredentials> credentials, int fd, unsigned flags);

    long pull(void* out, std::size_t size) noexcept;
    long push(base::Bytes bytes) noexcept;
    int verify() noexcept;
    IoResult send_gathered() noexcept;
    IoResult dead(long code) noexcept;

    std::shared_ptr<const TlsCredentials> credentials_;
    gnutls_session_int* session_ = nullptr;
    base::Fifo unsent_;
    base::Fifo ahead_; // cipher bytes that came before GnuTLS has asked for them
    std::string host_; // client: whom the certificate must name
    std::string verification_error_;
    int fd_;
    int errno_ = 0;   // of the last failed send or receive
    int failure_ = 0; // GnuTLS's code
    bool established_ = false;
    bool pull_blocked_ = false; // the kernel had nothing to receive
    bool drained_ = false;      // nor will it be asked again in this call: the last answer was short
    bool peer_ended_ = false;   // without close_notify
    bool at_end_ = false;       // either way
    bool heard_ = false;
    bool gathering_ = false;
    bool shutting_ = false; // SHUT_WR follows when unsent_ is empty
};

/// The server's certificates. Thread-safe: one context serves all shards; a reload makes a new one while
/// sessions of the old one live on.
class TlsServerContext {
public:
    struct Pair {
        std::string certificate; ///< PEM file, the server's certificate first, then its chain
        std::string key;         ///< PEM file, not encrypted
    };

    /// Throws std::runtime_error that names the file and the reason: it cannot be read, is no certificate or
    /// key, or the key does not belong to the certificate. With several pairs the client's SNI chooses; the
    /// first is for clients without a matching one.
    explicit TlsServerContext(const std::vector<Pair>& pairs);

    /// A session over `fd`, TLS 1.2 or 1.3. Null when memory is short.
    std::unique_ptr<TlsSession> accept(int fd) const;

private:
    std::shared_ptr<const TlsCredentials> credentials_;
};

struct TlsClientOptions {
    /// A server certificate that does not verify, or names another host, fails the handshake.
    bool verify = true;
    /// PEM file with the trusted authorities; empty: the system's.
    std::string ca_file;
    /// A GnuTLS priority string; empty: TLS 1.3 and 1.2.
    std::string priority = {};
    /// PEM files: the client's own certificate with its chain, and its key, not encrypted. Shown to a server that asks for one,
    /// whatever authorities it names. Empty: none.
    std::string certificate = {}, key = {};
};

/// The client's trust. Thread-safe.
class TlsClientContext {
public:
    /// Throws std::runtime_error that names the file or setting and the reason.
    explicit TlsClientContext(const TlsClientOptions& options);

    /// A session over `fd` to `host`: a name (sent as SNI) or a numeric address. Null when memory is short.
    std::unique_ptr<TlsSession> connect(int fd, const std::string& host) const;

private:
    std::shared_ptr<const TlsCredentials> credentials_;
};

} // namespace net
