#include "kerberos/initiator.h"

#include "gss.h"

#include <stdexcept>
#include <utility>

namespace kerberos {

Tickets::Tickets() : credential_(std::make_unique<Credential>()) {}

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
    gss_OID_set_desc kerberos_alone{1, const_cast<gss_OID>(gss_mech_krb5)};
    auto credential = std::make_unique<Credential>();
    if (!GSS_ERROR(major))
        major = gss_acquire_cred_from(&minor, name.get(), GSS_C_INDEFINITE, &kerberos_alone, GSS_C_INITIATE, &store,
                                      credential->handle.place(), nullptr, nullptr);
    if (GSS_ERROR(major))
        throw std::runtime_error(keytab + ": no tickets can be got with this: " + failure_text(major, minor));
    credential_ = std::move(credential);
}

Tickets::~Tickets() = default;

struct Initiator::Context {
    OwnedContext handle;
    OwnedName target;
    gss_OID_desc mechanism{};
};

Initiator::Initiator(const Tickets& tickets, const std::string& host, std::string binding, bool raw)
    : tickets_(tickets), binding_(std::move(binding)), context_(std::make_unique<Context>())
{
    OM_uint32 minor;
    const std::string service = "HTTP@" + host;
    gss_buffer_desc text = buffer_of(base::bytes_of(service));
    gss_import_name(&minor, &text, GSS_C_NT_HOSTBASED_SERVICE, context_->target.place()); // else there is no token, which says why
    context_->mechanism = raw ? *gss_mech_krb5 : spnego_oid;
}

Initiator::~Initiator() = default;

Step Initiator::start()
{
    return step({});
}

Step Initiator::go_on(base::Bytes token)
{
    return step(token);
}

Step Initiator::step(base::Bytes token)
{
    OM_uint32 minor;
    OwnedBuffer answer;
    gss_buffer_desc input = buffer_of(token);
    gss_channel_bindings_struct bindings = bindings_of(binding_);
    const OM_uint32 major = gss_init_sec_context(
        &minor, tickets_.credential().handle.get(), context_->handle.place(), context_->target.get(), &context_->mechanism,
        GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG, 0, binding_.empty() ? GSS_C_NO_CHANNEL_BINDINGS : &bindings,
        token.empty() ? GSS_C_NO_BUFFER : &input, nullptr, answer.place(), nullptr, nullptr);
    if (GSS_ERROR(major))
        return {Step::Kind::refused, {}, failure_text(major, minor)};
    const Step::Kind kind = (major & GSS_S_CONTINUE_NEEDED) != 0 ? Step::Kind::reply : Step::Kind::done;
    return {kind, {answer.bytes().begin(), answer.bytes().end()}, {}};
}

} // namespace kerberos
