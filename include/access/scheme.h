#pragma once

#include "access/account.h"
#include "access/cache.h"
#include "access/check.h"
#include "access/domains.h"
#include "access/password_check.h"
#include "access/policy.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace auth {

class Realms;

/// What all authenticators of the process share. The parts must outlive every authenticator.
struct Backends {
    const Policy& policy;
    AccountSource& accounts;
    Cache& cache;
    PasswordChecks& passwords;
    Realms* realms = nullptr;   ///< of Kerberos; null: no tickets, and no passwords of a KDC
    Domains* domains = nullptr; ///< null: NTLM lets in local accounts alone
};

/// The connection that is to be authenticated.
struct Channel {
    bool tls = false;
    /// What ties a login to it: the application data of its TLS session's bindings (RFC 5929 section 4), when the policy asks for
    /// them; may be empty.
    std::string end_point = {};
};

/// What a scheme says to one token of the client.
struct Attempt {
    enum class Kind {
        accepted,  ///< `text` is the canonical name; `token`, base64, is still to go to the client unless it is empty
        refused,   ///< `text` is the reason, for the log
        continues, ///< `text` is the answer to the client, base64
        busy,
        check,     ///< `check` is to be made; then checked() goes on
        again,     ///< so far it is good; look_up() of the same credentials tells whether it still is
    } kind;
    std::string text;
    std::shared_ptr<Check> check = nullptr;
    std::string token = {};
};

/// The state of one scheme on one connection. One thread at a time.
class SchemeState {
public:
    virtual ~SchemeState() = default;
    /// Never blocks. Nullopt when only look_up() can tell.
    virtual std::optional<Attempt> glance(std::string_view credentials) = 0;
    /// On the lane of the directory, which it may ask, right after a glance() at the same credentials that could not tell. What takes
    /// long is asked for as a check.
    virtual Attempt look_up(std::string_view credentials) = 0;
    /// The `check` of the last look_up() was made. Never blocks.
    virtual Attempt checked();
};

/// One HTTP authentication scheme: a row of the table, and a file of its own.
struct Scheme {
    const char* name; ///< as in Authorization and WWW-Authenticate; compared without case
    /// True when one login holds for all later requests of the connection that carry no Authorization.
    bool for_connection;
    /// Whether the scheme may be offered and accepted on this channel.
    bool (*allowed)(const Policy&, const Channel&);
    /// What follows the name in WWW-Authenticate of a first challenge; may be empty.
    std::string (*parameters)(const Policy&);
    std::unique_ptr<SchemeState> (*begin)(const Backends&, const Channel&);
};

extern const Scheme basic_scheme;
extern const Scheme ntlm_scheme;      ///< the messages of MS-NLMP in base64 (MS-NTHT)
extern const Scheme negotiate_scheme; ///< SPNEGO (RFC 4559), or NTLM as it is, as some clients do

/// Every scheme this program has.
std::span<const Scheme* const> schemes() noexcept;
const Scheme* find_scheme(std::span<const Scheme* const> among, std::string_view name) noexcept;

} // namespace auth
