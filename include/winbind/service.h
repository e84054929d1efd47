#pragma once

#include "ntlm/keys.h"
#include "ntlm/message.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// NTLM logins that a domain controller judges, by way of winbindd.
namespace winbind {

/// What a client's AUTHENTICATE_MESSAGE says. The names are UTF-8 and spelled as the client spells them, since the response is
/// made over them.
struct Login {
    std::string user, domain, workstation;
    ntlm::Nonce challenge{};
    std::vector<std::uint8_t> lm, nt;
};

/// A user whom the domain controller knows.
struct Person {
    std::string account;           ///< as the domain spells it
    std::string domain;            ///< its NetBIOS name
    std::string dns_domain;        ///< empty when it has none
    std::vector<std::string> sids; ///< "S-1-5-21-...": the user's own, then those of the groups, groups in groups too
    ntlm::Key session_key;         ///< SessionBaseKey
};

struct Judgement {
    enum class Kind {
        person,  ///< the response is right
        refused, ///< the domain controller has looked at it and says no
        unavailable ///< nobody has looked at it
    } kind = Kind::unavailable;
    Person person;
    std::string reason; ///< for the log, unless it is a person
};

/// How winbindd stands to this machine and this process.
struct State {
    std::string fault; ///< why no domain user can log in, with the remedy; empty: they can
    /// This machine's name in its domain, and that domain.
    std::string netbios_name, netbios_domain, dns_domain;
    /// The SID of each group that was asked for; nothing when the domain has no group of that name.
    std::map<std::string, std::optional<std::string>> groups;
};

/// Both functions block, any thread; they do not throw.
class Service {
public:
    virtual ~Service() = default;
    virtual Judgement judge(const Login& login) = 0;
    /// `groups`: "DOMAIN\name" each. Nothing is told of them when there is a fault.
    virtual State look(const std::vector<std::string>& groups) = 0;
};

} // namespace winbind
