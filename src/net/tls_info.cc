#include "net/tls.h"

#include "tls_credentials.h"

#include <gnutls/x509.h>

#include <arpa/inet.h>

namespace net {

// What a session can tell about itself and its peer.

namespace {

std::string take(gnutls_datum_t& text)
{
    const std::string result(reinterpret_cast<const char*>(text.data), text.size);
    gnutls_free(text.data);
    text = {};
    return result;
}

std::vector<std::string> alternative_names(gnutls_x509_crt_t certificate)
{
    std::vector<std::string> names;
    for (unsigned index = 0;; ++index) {
        char buffer[512];
        std::size_t size = sizeof buffer;
        const int type = gnutls_x509_crt_get_subject_alt_name(certificate, index, buffer, &size, nullptr);
        if (type == GNUTLS_E_SHORT_MEMORY_BUFFER)
            continue;
        if (type < 0)
            return names;
        char text[INET6_ADDRSTRLEN];
        if (type == GNUTLS_SAN_DNSNAME)
            names.emplace_back(buffer, size);
        else if (type == GNUTLS_SAN_IPADDRESS && (size == 4 || size == 16)
                 && ::inet_ntop(size == 4 ? AF_INET : AF_INET6, buffer, text, sizeof text))
            names.emplace_back(text);
    }
}

} // namespace

std::string TlsSession::end_point_binding() const
{
    gnutls_datum_t hash{};
    if (!established_ || gnutls_session_channel_binding(session_, GNUTLS_CB_TLS_SERVER_END_POINT, &hash) < 0)
        return {};
    return take(hash);
}

std::string TlsSession::describe() const
{
    const char* const version = gnutls_protocol_get_name(gnutls_protocol_get_version(session_));
    const char* const suite = gnutls_ciphersuite_get(session_);
    return std::string(version ? version : "TLS") + (suite ? std::string(" ") + suite : "");
}

bool TlsSession::asked_for_certificate() const noexcept
{
    return gnutls_certificate_client_get_request_status(session_) != 0;
}

std::string TlsSession::server_name() const
{
    char name[256];
    std::size_t size = sizeof name;
    unsigned type = GNUTLS_NAME_DNS;
    if (gnutls_server_name_get(session_, name, &size, &type, 0) < 0 || size >= sizeof name)
        return {};
    return {name, size};
}

std::optional<TlsPeer> TlsSession::peer() const
{
    unsigned count = 0;
    const gnutls_datum_t* const list = gnutls_certificate_get_peers(session_, &count);
    gnutls_x509_crt_t certificate = nullptr;
    if (!list || count == 0 || gnutls_x509_crt_init(&certificate) < 0)
        return std::nullopt;

    std::optional<TlsPeer> peer;
    if (gnutls_x509_crt_import(certificate, &list[0], GNUTLS_X509_FMT_DER) >= 0) {
        peer.emplace();
        gnutls_datum_t text{};
        if (gnutls_x509_crt_get_dn3(certificate, &text, 0) >= 0)
            peer->subject = take(text);
        if (gnutls_x509_crt_get_issuer_dn3(certificate, &text, 0) >= 0)
            peer->issuer = take(text);
        peer->names = alternative_names(certificate);
        peer->not_before = gnutls_x509_crt_get_activation_time(certificate);
        peer->not_after = gnutls_x509_crt_get_expiration_time(certificate);
    }
    gnutls_x509_crt_deinit(certificate);
    return peer;
}

} // namespace net
