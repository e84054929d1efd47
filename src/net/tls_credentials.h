#pragma once

#include <gnutls/gnutls.h>

#include <new>
#include <stdexcept>
#include <string>

namespace net {

/// What the sessions of one context share. Immutable once the context is built; GnuTLS needs it as long as
/// any session lives.
class TlsCredentials {
public:
    TlsCredentials(const std::string& priority, bool verify) : verify_(verify)
    {
        if (gnutls_certificate_allocate_credentials(&certificates_) < 0)
            throw std::bad_alloc();
        const char* position = nullptr;
        const int code = gnutls_priority_init(&priority_, priority.c_str(), &position);
        if (code < 0) {
            gnutls_certificate_free_credentials(certificates_);
            throw std::runtime_error("TLS priority \"" + priority + "\": " + gnutls_strerror(code));
        }
    }
    ~TlsCredentials()
    {
        gnutls_certificate_free_credentials(certificates_);
        gnutls_priority_deinit(priority_);
    }
    TlsCredentials(const TlsCredentials&) = delete;
    TlsCredentials& operator=(const TlsCredentials&) = delete;

    gnutls_certificate_credentials_t certificates() const noexcept { return certificates_; }
    gnutls_priority_t priority() const noexcept { return priority_; }
    /// Client: an untrusted server ends the handshake.
    bool verify() const noexcept { return verify_; }

private:
    gnutls_certificate_credentials_t certificates_ = nullptr;
    gnutls_priority_t priority_ = nullptr;
    bool verify_;
};

} // namespace net
