#include "kerberos/service.h"

#include "gss.h"
#include "krb5_owners.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace kerberos {
namespace {

/// The principals of the keytab, each once.
std::vector<std::string> principals_of(const std::string& file)
{
    const Krb5 library;
    const Keytab keytab(library, file);
    std::vector<std::string> names;
    krb5_kt_cursor cursor;
    if (const krb5_error_code code = krb5_kt_start_seq_get(library.get(), keytab.get(), &cursor))
        throw std::runtime_error(file + ": this is no keytab: " + library.text(code));
    krb5_keytab_entry entry;
    while (krb5_kt_next_entry(library.get(), keytab.get(), &entry, &cursor) == 0) {
        char* name = nullptr;
        if (krb5_unparse_name(library.get(), entry.principal, &name) == 0 && std::find(names.begin(), names.end(), name) == names.end())
            names.emplace_back(name);
        krb5_free_unparsed_name(library.get(), name);
        krb5_free_keytab_entry_contents(library.get(), &entry);
    }
    krb5_kt_end_seq_get(library.get(), keytab.get(), &cursor);
    return names;
}

/// "HTTP@mail.corp.example" and "HTTP" to "HTTP/mail.corp.example@REALM".
bool names(std::string_view service, std::string_view principal)
{
    const std::size_t slash = principal.find('/');
    if (slash == principal.npos)
        return false;
    const std::string_view host = principal.substr(slash + 1, principal.rfind('@') - slash - 1);
    const std::size_t at = service.find('@');
    return principal.substr(0, slash) == service.substr(0, at) && (at == service.npos || service.substr(at + 1) == host);
}

} // namespace

bool built_in() noexcept
{
    return true;
}

Service::Service(std::string keytab, std::string name) : keytab_(std::move(keytab))
{
    if (access(keytab_.c_str(), R_OK) != 0)
        throw std::runtime_error(keytab_ + ": " + std::strerror(errno) +
                                 (errno == EACCES ? "; the user that the daemon runs as must be able to read it, and nobody else" : ""));
    const std::vector<std::string> all = principals_of(keytab_);
    const auto first = std::find_if(all.begin(), all.end(), [&](const std::string& one) { return names(name, one); });
    if (first == all.end()) {
        std::string have;
        for (const std::string& one : all)
            have += (have.empty() ? "" : ", ") + one;
        throw std::runtime_error(keytab_ + ": there is no key of " + name + "; it has " + (have.empty() ? "none" : have) +
                                 "; add one (ktadd, ktpass, net ads keytab add), or name another service in kerberos_service");
    }
    principal_ = *first;

    OM_uint32 minor;
    OwnedName host_service;
    gss_buffer_desc text = buffer_of(base::bytes_of(name));
    OM_uint32 major = gss_import_name(&minor, &text, GSS_C_NT_HOSTBASED_SERVICE, host_service.place());
    auto credential = std::make_unique<Credential>();
    Mechanisms mechanisms;
    const std::string place = "FILE:" + keytab_;
    gss_key_value_element_desc element{"keytab", place.c_str()};
    const gss_key_value_set_desc store{1, &element};
    if (!GSS_ERROR(major))
        major = gss_acquire_cred_from(&minor, host_service.get(), GSS_C_INDEFINITE, &mechanisms.kerberos_in_spnego, GSS_C_ACCEPT, &store,
                                      credential->handle.place(), nullptr, nullptr);
    if (!GSS_ERROR(major))
        major = gss_set_neg_mechs(&minor, credential->handle.get(), &mechanisms.kerberos);
    if (GSS_ERROR(major))
        throw std::runtime_error(keytab_ + ": tickets cannot be accepted: " + failure_text(major, minor));
    credential_ = std::move(credential);
}

Service::~Service() = default;

} // namespace kerberos
