#include "winbind/status.h"

namespace winbind {
namespace {

constexpr struct {
    std::uint32_t status;
    const char* text;
} refusals[] = {
    {0xc0000064, "unknown user"},                                        // NO_SUCH_USER
    {0xc000006a, "wrong password"},                                      // WRONG_PASSWORD
    {0xc000006d, "wrong name or password"},                              // LOGON_FAILURE
    {0xc000006e, "the account may not log in with NTLM or not like this"}, // ACCOUNT_RESTRICTION: Protected Users, silos
    {0xc000006f, "the account may not log in at this hour"},             // INVALID_LOGON_HOURS
    {0xc0000070, "the account may not log in from this workstation"},    // INVALID_WORKSTATION
    {0xc0000071, "password expired"},                                    // PASSWORD_EXPIRED
    {0xc0000072, "account disabled"},                                    // ACCOUNT_DISABLED
    {0xc00000df, "unknown domain"},                                      // NO_SUCH_DOMAIN
    {0xc000015b, "the account may not log in over the network"},         // LOGON_TYPE_NOT_GRANTED
    {0xc0000193, "account expired"},                                     // ACCOUNT_EXPIRED
    {0xc0000198, "this is the account of a trust"},                      // NOLOGON_INTERDOMAIN_TRUST_ACCOUNT
    {0xc0000199, "this is the account of a workstation"},                // NOLOGON_WORKSTATION_TRUST_ACCOUNT
    {0xc000019a, "this is the account of a server"},                     // NOLOGON_SERVER_TRUST_ACCOUNT
    {0xc0000224, "the password must be changed first"},                  // PASSWORD_MUST_CHANGE
    {0xc0000234, "account locked"},                                      // ACCOUNT_LOCKED_OUT
    {0xc0000413, "its domain does not let it log in here"},              // AUTHENTICATION_FIREWALL_FAILED
    {0xc0000418, "the domain does not allow NTLM"},                      // NTLM_BLOCKED
};

} // namespace

std::string_view refusal_text(std::uint32_t nt_status) noexcept
{
    for (const auto& [status, text] : refusals)
        if (status == nt_status)
            return text;
    return {};
}

} // namespace winbind
