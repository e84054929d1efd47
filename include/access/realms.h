#pragma once

#include "access/admission.h"
#include "access/password_check.h"
#include "kerberos/service.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace auth {

/// The realms of Kerberos: the keys with which their tickets are accepted, who of them may come in, and the lane on which a KDC is
/// asked about passwords. One per process, any thread.
class Realms {
public:
    /// `admission` outlives it. `threads`: of the lane; 0: no password is checked with a KDC. Throws like kerberos::Service.
    Realms(const std::string& keytab, const std::string& service, const Admission& admission, unsigned threads, std::size_t waiting);

    const kerberos::Service& service() const noexcept { return service_; }

    /// "alice@CORP.EXAMPLE", when a KDC is to be asked about the password of this user, of whom no local account has one. The name
    /// is as it was spelled: a realm tells "Alice" from "alice".
    std::optional<std::string> principal(const Login& spelled) const;
    /// Of a principal().
    PasswordChecks& passwords() noexcept { return *passwords_; }
    /// See PasswordChecks::finish(): nothing can end the library's wait for a KDC that is silent, half a minute at most.
    bool finish(std::chrono::milliseconds within) { return !passwords_ || passwords_->finish(within); }

    /// Who comes in by the ticket or the password of `login` and has no local account: the name, or else the reason, for the log.
    struct Answer {
        std::string canonical = {}; ///< empty: nobody
        std::string reason = {};
    };
    Answer admit(const Login& login) const;

private:
    const kerberos::Service service_;
    const Admission& admission_;
    std::optional<PasswordChecks> passwords_; // ends first: its jobs work with the rest
};

} // namespace auth
