#include "test_certificate.h"

#include "unit/base/temporary_name.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include <arpa/inet.h>
#include <unistd.h>

#include <ctime>
#include <stdexcept>

namespace {

void must(int code)
{
    if (code < 0)
        throw std::runtime_error(gnutls_strerror(code));
}

std::string take(gnutls_datum_t& text)
{
    const std::string result(reinterpret_cast<const char*>(text.data), text.size);
    gnutls_free(text.data);
    text = {};
    return result;
}

void add_name(gnutls_x509_crt_t crt, const std::string& name)
{
    unsigned char address[16];
    const int family = name.find(':') != std::string::npos ? AF_INET6 : AF_INET;
    if (inet_pton(family, name.c_str(), address) == 1)
        must(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, address, family == AF_INET ? 4 : 16,
                                                  GNUTLS_FSAN_APPEND));
    else
        must(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, name.data(),
                                                  static_cast<unsigned>(name.size()), GNUTLS_FSAN_APPEND));
}

} // namespace

TestCertificate::TestCertificate(const std::vector<std::string>& names)
{
    gnutls_x509_privkey_t private_key;
    must(gnutls_x509_privkey_init(&private_key));
    must(gnutls_x509_privkey_generate(private_key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
                                      0));
    gnutls_x509_crt_t crt;
    must(gnutls_x509_crt_init(&crt));
    must(gnutls_x509_crt_set_version(crt, 3));
    unsigned char serial[8];
    must(gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial));
    serial[0] = 1;
    must(gnutls_x509_crt_set_serial(crt, serial, sizeof serial));
    must(gnutls_x509_crt_set_activation_time(crt, std::time(nullptr) - 3600));
    must(gnutls_x509_crt_set_expiration_time(crt, std::time(nullptr) + 3600));
    must(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, names.at(0).data(),
                                       static_cast<unsigned>(names[0].size())));
    for (const std::string& name : names)
        add_name(crt, name);
    must(gnutls_x509_crt_set_basic_constraints(crt, 1, -1));
    must(gnutls_x509_crt_set_key(crt, private_key));
    must(gnutls_x509_crt_sign2(crt, crt, private_key, GNUTLS_DIG_SHA256, 0));

    gnutls_datum_t text{};
    must(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &text));
    certificate = take(text);
    must(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &text));
    der = take(text);
    must(gnutls_x509_privkey_export2(private_key, GNUTLS_X509_FMT_PEM, &text));
    key = take(text);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(private_key);
}

TestFile::TestFile(const std::string& content)
{
    path_ = temporary_name("rpctunnel-test");
    const int fd = mkstemp(path_.data());
    if (fd < 0 || write(fd, content.data(), content.size()) != static_cast<ssize_t>(content.size()))
        throw std::runtime_error("temporary file");
    close(fd);
}

TestFile::~TestFile()
{
    unlink(path_.c_str());
}
