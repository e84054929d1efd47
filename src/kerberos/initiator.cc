#include "kerberos/initiator.h"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5.h>

#include <utility>

namespace kerberos {
namespace {

gss_OID_desc spnego_oid{6, const_cast<char*>("\x2b\x06\x01\x05\x05\x02")};

/// What the library gives out and takes back.
class Buffer {
public:
    ~Buffer()
    {
        OM_uint32 minor = 0;
        gss_release_buffer(&minor, &value_);
    }
    gss_buffer_t get() noexcept { return &value_; }
    base::Bytes bytes() const noexcept { return {static_cast<const std::uint8_t*>(value_.value), value_.length}; }
    std::string text() const { return {static_cast<const char*>(value_.value), value_.length}; }

private:
    gss_buffer_desc value_{};
};

gss_buffer_desc lent(base::Bytes bytes) noexcept
{
    return {bytes.size(), const_cast<std::uint8_t*>(bytes.data())};
}

std::string sentence(OM_uint32 code, int type)
{
    std::string text;
    OM_uint32 more = 0;
    do {
        OM_uint32 minor = 0;
        Buffer part;
        if (GSS_ERROR(gss_display_status(&minor, code, type, const_cast<gss_OID>(gss_mech_krb5), &more, part.get())))
            break;
        text += (text.empty() ? "" : ", ") + part.text();
    } while (more != 0);
    return text;
}

Initiator::Trouble trouble_of(OM_uint32 major, OM_uint32 minor)
{
    using Trouble = Initiator::Trouble;
    switch (static_cast<krb5_error_code>(minor)) {
    case KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN:
        return Trouble::unknown_service;
    case KRB5KRB_AP_ERR_SKEW:
        return Trouble::clock;
    case KRB5KRB_AP_ERR_TKT_EXPIRED:
        return Trouble::expired;
    case KRB5_KDC_UNREACH:
    case KRB5_REALM_UNKNOWN:
        return Trouble::no_kdc;
    case KRB5_FCC_NOFILE:
    case KRB5_CC_NOTFOUND:
        return Trouble::no_ticket;
    default:
        break;
    }
    switch (GSS_ROUTINE_ERROR(major)) {
    case GSS_S_NO_CRED:
        return Trouble::no_ticket;
    case GSS_S_CREDENTIALS_EXPIRED:
        return Trouble::expired;
    default:
        return Trouble::other;
    }
}

} // namespace

struct Initiator::Handles {
    gss_name_t target = GSS_C_NO_NAME;
    gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;

    ~Handles()
    {
        OM_uint32 minor = 0;
        gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
        gss_release_cred(&minor, &credential);
        gss_release_name(&minor, &target);
    }
};

Initiator::Initiator(std::string host, std::string binding)
    : host_(std::move(host)), binding_(std::move(binding)), handles_(std::make_unique<Handles>())
{
}

Initiator::~Initiator() = default;

Initiator::Step Initiator::failed(std::uint32_t major, std::uint32_t minor) const
{
    Step step{Step::Kind::failed};
    step.trouble = trouble_of(major, minor);
    step.why = sentence(minor, GSS_C_MECH_CODE);
    if (step.why.empty() || minor == 0)
        step.why = sentence(major, GSS_C_GSS_CODE);
    return step;
}

/// Why there is no first token. SPNEGO's codes are numbers that the library makes up as it goes; those of Kerberos itself are its
/// own, so that it is asked once more without.
Initiator::Step Initiator::diagnose() const
{
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    Buffer output;
    OM_uint32 minor = 0, ignored = 0;
    const OM_uint32 major = gss_init_sec_context(&minor, handles_->credential, &context, handles_->target, const_cast<gss_OID>(gss_mech_krb5),
                                                 0, 0, GSS_C_NO_CHANNEL_BINDINGS, GSS_C_NO_BUFFER, nullptr, output.get(), nullptr, nullptr);
    gss_delete_sec_context(&ignored, &context, GSS_C_NO_BUFFER);
    return failed(major, minor);
}

/// The credential is told to SPNEGO as one of Kerberos alone: else it would offer what other mechanisms are installed here, and
/// tell of their troubles.
bool Initiator::acquire(Step& step)
{
    const std::string service = "HTTP@" + host_;
    gss_buffer_desc name = lent(base::bytes_of(service));
    gss_OID_desc oids[] = {*gss_mech_krb5, spnego_oid};
    gss_OID_set_desc both{2, oids}, kerberos{1, oids};
    OM_uint32 minor = 0;
    OM_uint32 major = gss_import_name(&minor, &name, GSS_C_NT_HOSTBASED_SERVICE, &handles_->target);
    if (!GSS_ERROR(major))
        major = gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &both, GSS_C_INITIATE, &handles_->credential, nullptr, nullptr);
    if (!GSS_ERROR(major))
        major = gss_set_neg_mechs(&minor, handles_->credential, &kerberos);
    if (GSS_ERROR(major))
        step = failed(major, minor);
    return !GSS_ERROR(major);
}

Initiator::Step Initiator::next(base::Bytes token)
{
    Step step{Step::Kind::go_on};
    if (handles_->credential == GSS_C_NO_CREDENTIAL && !acquire(step))
        return step;

    gss_channel_bindings_struct bindings{};
    bindings.application_data = lent(base::bytes_of(binding_));
    gss_buffer_desc input = lent(token);
    Buffer output;
    OM_uint32 minor = 0;
    const OM_uint32 major = gss_init_sec_context(&minor, handles_->credential, &handles_->context, handles_->target, &spnego_oid,
                                                 GSS_C_MUTUAL_FLAG | GSS_C_INTEG_FLAG, 0,
                                                 binding_.empty() ? GSS_C_NO_CHANNEL_BINDINGS : &bindings, &input, nullptr, output.get(),
                                                 nullptr, nullptr);
    if (GSS_ERROR(major)) {
        const Step why = failed(major, minor);
        const Step better = token.empty() ? diagnose() : why;
        return better.why.empty() ? why : better;
    }
    if (principal_.empty()) {
        gss_name_t owner = GSS_C_NO_NAME;
        Buffer text;
        if (!GSS_ERROR(gss_inquire_cred(&minor, handles_->credential, &owner, nullptr, nullptr, nullptr)) &&
            !GSS_ERROR(gss_display_name(&minor, owner, text.get(), nullptr)))
            principal_ = text.text();
        gss_release_name(&minor, &owner);
    }
    step.kind = (major & GSS_S_CONTINUE_NEEDED) != 0 ? Step::Kind::go_on : Step::Kind::done;
    step.token.assign(output.bytes().begin(), output.bytes().end());
    return step;
}

} // namespace kerberos
