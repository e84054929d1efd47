#include "access/realms.h"

#include "base/text.h"
#include "kerberos/password.h"

namespace auth {

Realms::Realms(const std::string& keytab, const std::string& service, const Admission& admission, unsigned threads, std::size_t waiting)
    : service_(keytab, service), admission_(admission)
{
    if (threads == 0)
        return;
    passwords_.emplace(base::Lane::Plan{base::Resource::kdc, threads, waiting, std::chrono::seconds(10)}, "questions to a KDC",
                       [this](const PasswordCheck& check) -> PasswordCheck::Finding {
                           const kerberos::Verdict verdict = kerberos::check_password(service_, check.against, check.password.c_str());
                           using Kind = kerberos::Verdict::Kind;
                           if (verdict.kind == Kind::unavailable)
                               return {{}, "the password cannot be checked: " + verdict.reason};
                           return {verdict.kind == Kind::right, verdict.reason};
                       });
}

std::optional<std::string> Realms::principal(const Login& spelled) const
{
    if (!passwords_ || spelled.domain.empty() || admit(spelled).canonical.empty())
        return std::nullopt;
    return spelled.name + '@' + base::upper(spelled.domain); // as realms are written
}

Realms::Answer Realms::admit(const Login& login) const
{
    const Admission::Answer answer = admission_.judge({.realm = login.domain, .domain = {}, .dns_domain = {}, .sids = {}});
    if (answer.kind == Admission::Answer::Kind::admitted)
        return {login.folded().text(), {}};
    return {{}, answer.text};
}

} // namespace auth
