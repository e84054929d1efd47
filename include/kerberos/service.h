#pragma once

#include <memory>
#include <string>

namespace kerberos {

/// Whether this program was built with MIT Kerberos. Without it every constructor below throws, and says so.
bool built_in() noexcept;

/// The keys with which this host takes part in Kerberos. Immutable, any thread. The keytab itself is read at each use, so
/// that a new key in it counts at once.
class Service {
public:
    /// `keytab`: a file. `name`: "HTTP@mail.corp.example", or "HTTP" for a key of any host. Throws std::runtime_error that says
    /// what is wrong with the keytab and how to mend it.
    Service(std::string keytab, std::string name);
    ~Service();
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    const std::string& keytab() const noexcept { return keytab_; }
    /// The first key of that name: "HTTP/mail.corp.example@CORP.EXAMPLE".
    const std::string& principal() const noexcept { return principal_; }

    struct Credential; ///< the library's
    const Credential& credential() const noexcept { return *credential_; }

private:
    const std::string keytab_;
    std::string principal_;
    std::unique_ptr<const Credential> credential_;
};

} // namespace kerberos
