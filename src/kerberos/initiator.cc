#include "kerberos/initiator.h"

#include "gss.h"

#include <krb5.h>

#include <stdexcept>
#include <utility>

namespace kerberos {
namespace {

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

Tickets::Tickets(const std::string& keytab, const std::string& principal)
{
    OM_uint32 minor, major = GSS_S_COMPLETE;
    OwnedName name;
    if (!principal.empty()) {
        gss_buffer_desc text = buffer_of(base::bytes_of(principal));
        major = gss_import_name(&minor, &text, GSS_KRB5_NT_PRINCIPAL_NAME, name.place());
    }
    const std::string place = "FILE:" + keytab;
    gss_key_value_element_desc elements[] = {{"client_keytab", place.c_str()}, {"ccache", "MEMORY:"}};
    const gss_key_value_set_desc store{2, elements};
    Mechanisms mechanisms;
    auto credential = std::make_unique<Credential>();
    if (!GSS_ERROR(major))
        major = gss_acquire_cred_from(&minor, name.get(), GSS_C_INDEFINITE, &mechanisms.kerberos_in_spnego, GSS_C_INITIATE, &store,
                                      credential->handle.place(), nullptr, nullptr);
    if (!GSS_ERROR(major))
        major = gss_set_neg_mechs(&minor, credential->handle.get(), &mechanisms.kerberos);
    if (GSS_ERROR(major))
        throw std::runtime_error(keytab + ": no tickets can be got with this: " + failure_text(major, minor));
    credential_ = std::move(credential);
}

Tickets::~Tickets() = default;

struct Initiator::Handles {
    OwnedName target;
    OwnedCredential own;
    OwnedContext context;
    gss_cred_id_t credential = GSS_C_NO_CREDENTIAL; // of the tickets, or own
};

Initiator::Initiator(std::string host, std::string binding, const Tickets* tickets)
    : host_(std::move(host)), binding_(std::move(binding)), tickets_(tickets), handles_(std::make_unique<Handles>())
{
}

Initiator::~Initiator() = default;

Initiator::Step Initiator::failed(std::uint32_t major, std::uint32_t minor) const
{
    Step step{Step::Kind::failed};
    step.trouble = trouble_of(major, minor);
    step.why = failure_text(major, minor);
    return step;
}

/// Why there is no first token. SPNEGO's codes are numbers that the library makes up as it goes; those of Kerberos itself are its
/// own, so that it is asked once more without.
Initiator::Step Initiator::diagnose() const
{
    OwnedContext context;
    OwnedBuffer output;
    OM_uint32 minor = 0;
    const OM_uint32 major = gss_init_sec_context(&minor, handles_->credential, context.place(), handles_->target.get(),
                                                 const_cast<gss_OID>(gss_mech_krb5), 0, 0, GSS_C_NO_CHANNEL_BINDINGS, GSS_C_NO_BUFFER,
                                                 nullptr, output.place(), nullptr, nullptr);
    return failed(major, minor);
}

/// The credential is told to SPNEGO as one of Kerberos alone: else it would offer what other mechanisms are installed here, and
/// tell of their troubles.
bool Initiator::acquire(Step& step)
{
    const std::string service = "HTTP@" + host_;
    gss_buffer_desc name = buffer_of(base::bytes_of(service));
    Mechanisms mechanisms;
    OM_uint32 minor = 0;
    OM_uint32 major = gss_import_name(&minor, &name, GSS_C_NT_HOSTBASED_SERVICE, handles_->target.place());
    if (tickets_ && !GSS_ERROR(major)) {
        handles_->credential = tickets_->credential().handle.get();
        return true;
    }
    if (!GSS_ERROR(major))
        major = gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechanisms.kerberos_in_spnego, GSS_C_INITIATE,
                                 handles_->own.place(), nullptr, nullptr);
    if (!GSS_ERROR(major))
        major = gss_set_neg_mechs(&minor, handles_->own.get(), &mechanisms.kerberos);
    handles_->credential = handles_->own.get();
    if (GSS_ERROR(major))
        step = failed(major, minor);
    return !GSS_ERROR(major);
}

Initiator::Step Initiator::next(base::Bytes token)
{
    Step step{Step::Kind::go_on};
    if (handles_->credential == GSS_C_NO_CREDENTIAL && !acquire(step))
        return step;

    gss_channel_bindings_struct bindings = bindings_of(binding_);
    gss_buffer_desc input = buffer_of(token);
    gss_OID_desc spnego = spnego_oid;
    OwnedBuffer output;
    OM_uint32 minor = 0;
    const OM_uint32 major = gss_init_sec_context(&minor, handles_->credential, handles_->context.place(), handles_->target.get(), &spnego,
                                                 GSS_C_MUTUAL_FLAG | GSS_C_INTEG_FLAG, 0,
                                                 binding_.empty() ? GSS_C_NO_CHANNEL_BINDINGS : &bindings, &input, nullptr,
                                                 output.place(), nullptr, nullptr);
    if (GSS_ERROR(major)) {
        const Step why = failed(major, minor);
        const Step better = token.empty() ? diagnose() : why;
        return better.why.empty() ? why : better;
    }
    if (principal_.empty() && !tickets_) {
        OwnedName owner;
        OwnedBuffer text;
        if (!GSS_ERROR(gss_inquire_cred(&minor, handles_->credential, owner.place(), nullptr, nullptr, nullptr)) &&
            !GSS_ERROR(gss_display_name(&minor, owner.get(), text.place(), nullptr)))
            principal_ = text.text();
    }
    step.kind = (major & GSS_S_CONTINUE_NEEDED) != 0 ? Step::Kind::go_on : Step::Kind::done;
    step.token.assign(output.bytes().begin(), output.bytes().end());
    return step;
}

} // namespace kerberos
