#include "kerberos/password.h"

#include "krb5_owners.h"

#include <exception>

namespace kerberos {
namespace {

struct Options {
    explicit Options(const Krb5& library) : library_(library) { krb5_get_init_creds_opt_alloc(library.get(), &handle); }
    ~Options() { krb5_get_init_creds_opt_free(library_.get(), handle); }
    Options(const Options&) = delete;
    Options& operator=(const Options&) = delete;

    krb5_get_init_creds_opt* handle = nullptr;

private:
    const Krb5& library_;
};

struct Credentials {
    explicit Credentials(const Krb5& library) : library_(library) {}
    ~Credentials() { krb5_free_cred_contents(library_.get(), &handle); }
    Credentials(const Credentials&) = delete;
    Credentials& operator=(const Credentials&) = delete;

    krb5_creds handle{};

private:
    const Krb5& library_;
};

/// What a KDC says of the user (RFC 4120 7.5.9); all else says nothing of him.
bool is_a_no(krb5_error_code code) noexcept
{
    switch (code) {
    case KRB5KDC_ERR_PREAUTH_FAILED:
    case KRB5KRB_AP_ERR_BAD_INTEGRITY: // the answer cannot be read with this password
    case KRB5_PREAUTH_FAILED: // no password at all would do
    case KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN:
    case KRB5KDC_ERR_CLIENT_REVOKED:
    case KRB5KDC_ERR_NAME_EXP:
    case KRB5KDC_ERR_KEY_EXP:
    case KRB5KDC_ERR_CLIENT_NOTYET:
    case KRB5KDC_ERR_POLICY:
        return true;
    default:
        return false;
    }
}

} // namespace

Verdict check_password(const Service& service, const std::string& principal, const std::string& password)
try {
    const Krb5 library;
    const Keytab keytab(library, service.keytab());
    const Principal client(library, principal), server(library, service.principal());
    if (!client.get() || !server.get())
        return {Verdict::Kind::wrong, "this is no name of a Kerberos principal"};
    const Options options(library);
    if (!options.handle)
        return {Verdict::Kind::unavailable, "no memory"};
    constexpr krb5_deltat a_minute = 60;
    krb5_get_init_creds_opt_set_tkt_life(options.handle, a_minute);
    krb5_get_init_creds_opt_set_renew_life(options.handle, 0);
    krb5_get_init_creds_opt_set_forwardable(options.handle, 0);
    krb5_get_init_creds_opt_set_proxiable(options.handle, 0);
    Credentials credentials(library);
    krb5_error_code code = krb5_get_init_creds_password(library.get(), &credentials.handle, client.get(), password.c_str(), nullptr,
                                                        nullptr, 0, nullptr, options.handle);
    if (code != 0)
        return {is_a_no(code) ? Verdict::Kind::wrong : Verdict::Kind::unavailable, library.text(code)};
    // Whoever answers in the KDC's place knows the password that he has just been sent, but not our key.
    krb5_verify_init_creds_opt demand;
    krb5_verify_init_creds_opt_init(&demand);
    krb5_verify_init_creds_opt_set_ap_req_nofail(&demand, 1);
    code = krb5_verify_init_creds(library.get(), &credentials.handle, server.get(), keytab.get(), nullptr, &demand);
    if (code != 0)
        return {Verdict::Kind::unavailable, "the KDC does not prove itself with the key of " + service.principal() + ": " + library.text(code)};
    return {Verdict::Kind::right, {}};
} catch (const std::exception& error) {
    return {Verdict::Kind::unavailable, error.what()};
}

} // namespace kerberos
