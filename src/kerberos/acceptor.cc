#include "kerberos/acceptor.h"

#include "gss.h"

#include <utility>

namespace kerberos {
namespace {

std::string principal_of(gss_name_t name)
{
    OM_uint32 minor;
    OwnedBuffer text;
    if (!name || GSS_ERROR(gss_display_name(&minor, name, text.place(), nullptr)))
        return {};
    return std::string(text.text());
}

} // namespace

struct Acceptor::Context {
    OwnedContext handle;
};

Acceptor::Acceptor(const Service& service, std::string binding)
    : service_(service), binding_(std::move(binding)), context_(std::make_unique<Context>())
{
}

Acceptor::~Acceptor() = default;

Step Acceptor::accept(base::Bytes token)
{
    OM_uint32 minor, flags = 0;
    OwnedName client;
    OwnedBuffer answer;
    gss_buffer_desc input = buffer_of(token);
    gss_channel_bindings_struct bindings = bindings_of(binding_);
    const OM_uint32 major =
        gss_accept_sec_context(&minor, context_->handle.place(), service_.credential().handle.get(), &input,
                               binding_.empty() ? GSS_C_NO_CHANNEL_BINDINGS : &bindings, client.place(), nullptr, answer.place(), &flags,
                               nullptr, nullptr);
    Token reply(answer.bytes().begin(), answer.bytes().end());
    if (GSS_ERROR(major))
        return {Step::Kind::refused, {}, failure_text(major, minor)};
    if ((major & GSS_S_CONTINUE_NEEDED) != 0)
        return {Step::Kind::reply, std::move(reply), {}};
    return {Step::Kind::done, std::move(reply), principal_of(client.get()), (flags & GSS_C_CHANNEL_BOUND_FLAG) != 0};
}

} // namespace kerberos
