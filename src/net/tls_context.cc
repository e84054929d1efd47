#include "net/tls.h"

#include "base/unique_fd.h"
#include "net/address.h"
#include "tls_credentials.h"

#include <gnutls/x509.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace net {

namespace {

// TLS 1.1 and older are refused on both ends (RFC 8996).
constexpr const char* server_priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE";
constexpr const char* client_priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

constexpr unsigned common_flags = GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS;

// More than the bundle of all public authorities.
constexpr std::size_t file_limit = 4 * 1024 * 1024;

[[noreturn]] void fail(const std::string& file, const std::string& reason)
{
    throw std::runtime_error(file + ": " + reason);
}

std::string read_file(const std::string& file)
{
    const base::UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    std::string text;
    char buffer[4096];
    ssize_t got = fd ? ::read(fd.get(), buffer, sizeof buffer) : -1;
    for (; got > 0 && text.size() < file_limit; got = ::read(fd.get(), buffer, sizeof buffer))
        text.append(buffer, static_cast<std::size_t>(got));
    if (got < 0)
        fail(file, std::strerror(errno));
    return text;
}

gnutls_datum_t datum(std::string& text)
{
    return {reinterpret_cast<unsigned char*>(text.data()), static_cast<unsigned>(text.size())};
}

/// The certificates of a PEM file.
class Chain {
public:
    explicit Chain(const std::string& file)
    {
        std::string text = read_file(file);
        const gnutls_datum_t pem = datum(text);
        const int code = gnutls_x509_crt_list_import2(&list_, &size_, &pem, GNUTLS_X509_FMT_PEM,
                                                      GNUTLS_X509_CRT_LIST_SORT);
        if (code < 0)
            fail(file, std::string("not a PEM certificate: ") + gnutls_strerror(code));
    }
    ~Chain()
    {
        for (unsigned i = 0; i < size_; ++i)
            gnutls_x509_crt_deinit(list_[i]);
        gnutls_free(list_);
    }
    Chain(const Chain&) = delete;
    Chain& operator=(const Chain&) = delete;

    gnutls_x509_crt_t* list() const noexcept { return list_; }
    int size() const noexcept { return static_cast<int>(size_); }

private:
    gnutls_x509_crt_t* list_ = nullptr;
    unsigned size_ = 0;
};

/// The private key of a PEM file.
class Key {
public:
    explicit Key(const std::string& file)
    {
        std::string text = read_file(file);
        const gnutls_datum_t pem = datum(text);
        if (gnutls_x509_privkey_init(&key_) < 0)
            throw std::bad_alloc();
        const int code = gnutls_x509_privkey_import2(key_, &pem, GNUTLS_X509_FMT_PEM, nullptr, 0);
        gnutls_memset(text.data(), 0, text.size());
        if (code < 0) {
            gnutls_x509_privkey_deinit(key_);
            fail(file, std::string("not a PEM private key: ") + gnutls_strerror(code));
        }
    }
    ~Key() { gnutls_x509_privkey_deinit(key_); }
    Key(const Key&) = delete;
    Key& operator=(const Key&) = delete;

    gnutls_x509_privkey_t get() const noexcept { return key_; }

private:
    gnutls_x509_privkey_t key_ = nullptr;
};

void add_pair(TlsCredentials& credentials, const std::string& certificate_file, const std::string& key_file)
{
    const Chain chain(certificate_file);
    const Key key(key_file);
    const int code = gnutls_certificate_set_x509_key(credentials.certificates(), chain.list(), chain.size(), key.get());
    if (code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        fail(key_file, "the key does not belong to the certificate " + certificate_file);
    if (code < 0)
        fail(certificate_file, gnutls_strerror(code));
}

} // namespace

TlsServerContext::TlsServerContext(const std::vector<Pair>& pairs)
{
    if (pairs.empty())
        throw std::runtime_error("TLS: no certificate given");
    const auto credentials = std::make_shared<TlsCredentials>(server_priority, false);
    for (const Pair& pair : pairs)
        add_pair(*credentials, pair.certificate, pair.key);
    credentials_ = credentials;
}

std::unique_ptr<TlsSession> TlsServerContext::accept(int fd) const
{
    std::unique_ptr<TlsSession> session(
        new TlsSession(credentials_, fd, GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET | common_flags));
    if (!session->session_)
        return nullptr;
    gnutls_certificate_server_set_request(session->session_, GNUTLS_CERT_IGNORE);
    return session;
}

TlsClientContext::TlsClientContext(const TlsClientOptions& options)
{
    const auto credentials = std::make_shared<TlsCredentials>(
        options.priority.empty() ? client_priority : options.priority, options.verify);
    if (options.ca_file.empty()) {
        // None at all is no error here: then nothing verifies, and the handshake says so.
        gnutls_certificate_set_x509_system_trust(credentials->certificates());
    } else {
        const Chain authorities(options.ca_file);
        const int code = gnutls_certificate_set_x509_trust(credentials->certificates(), authorities.list(),
                                                           authorities.size());
        if (code < 0)
            fail(options.ca_file, gnutls_strerror(code));
    }
    if (!options.certificate.empty())
        add_pair(*credentials, options.certificate, options.key);
    credentials_ = credentials;
}

std::unique_ptr<TlsSession> TlsClientContext::connect(int fd, const std::string& host) const
{
    std::unique_ptr<TlsSession> session(new TlsSession(credentials_, fd, GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT | common_flags));
    if (!session->session_)
        return nullptr;
    session->host_ = host;
    if (session->host_.ends_with('.'))
        session->host_.pop_back();
    // RFC 6066 section 3: literal addresses are not sent as a server name.
    const std::string& name = session->host_;
    if (!name.empty() && !Address::from_host(name, 0)
        && gnutls_server_name_set(session->session_, GNUTLS_NAME_DNS, name.data(), name.size()) < 0)
        return nullptr;
    return session;
}

} // namespace net
