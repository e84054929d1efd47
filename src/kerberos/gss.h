#pragma once

#include "base/cursor.h"
#include "kerberos/initiator.h"
#include "kerberos/service.h"

#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

#include <string>
#include <string_view>

// What the files of this room share of GSSAPI.
namespace kerberos {

/// SPNEGO's own identifier, for which the library has no constant.
inline constexpr gss_OID_desc spnego_oid{6, const_cast<char*>("\x2b\x06\x01\x05\x05\x02")};

/// Something of the library's that is released by `release`.
template <class Handle, OM_uint32 (*release)(OM_uint32*, Handle*)> class Owned {
public:
    Owned() = default;
    ~Owned()
    {
        OM_uint32 ignored;
        release(&ignored, &handle_);
    }
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;

    Handle* place() noexcept { return &handle_; }
    Handle get() const noexcept { return handle_; }

private:
    Handle handle_{};
};

inline OM_uint32 delete_context(OM_uint32* minor, gss_ctx_id_t* context)
{
    return *context ? gss_delete_sec_context(minor, context, GSS_C_NO_BUFFER) : GSS_S_COMPLETE;
}

using OwnedName = Owned<gss_name_t, gss_release_name>;
using OwnedCredential = Owned<gss_cred_id_t, gss_release_cred>;
using OwnedContext = Owned<gss_ctx_id_t, delete_context>;

/// Bytes that the library has allocated.
class OwnedBuffer {
public:
    ~OwnedBuffer()
    {
        OM_uint32 ignored;
        gss_release_buffer(&ignored, &buffer_);
    }
    gss_buffer_t place() noexcept { return &buffer_; }
    base::Bytes bytes() const noexcept { return {static_cast<const std::uint8_t*>(buffer_.value), buffer_.length}; }
    std::string_view text() const noexcept { return {static_cast<const char*>(buffer_.value), buffer_.length}; }

private:
    gss_buffer_desc buffer_{};
};

/// The sets of mechanisms that credentials are made of: a credential for both, told which of them SPNEGO is to offer and to
/// accept. Other mechanisms may be installed on the machine, and it would take those too.
struct Mechanisms {
    gss_OID_desc oids[2] = {*gss_mech_krb5, spnego_oid};
    gss_OID_set_desc kerberos_in_spnego{2, oids}, kerberos{1, oids};
};

/// The library only reads it.
inline gss_buffer_desc buffer_of(base::Bytes bytes) noexcept
{
    return {bytes.size(), const_cast<std::uint8_t*>(bytes.data())};
}

/// `data` outlives it.
inline gss_channel_bindings_struct bindings_of(const std::string& data) noexcept
{
    gss_channel_bindings_struct bindings{};
    bindings.application_data = buffer_of(base::bytes_of(data));
    return bindings;
}

/// What the library says of a failure: the mechanism's words, or GSSAPI's own when it has none.
std::string failure_text(OM_uint32 major, OM_uint32 minor);

struct Service::Credential {
    OwnedCredential handle;
};
struct Tickets::Credential {
    OwnedCredential handle;
};

} // namespace kerberos
