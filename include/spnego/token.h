#pragma once

#include "base/cursor.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The tokens of RFC 4178 4.2, with what MS-SPNG 2.2.1 adds, in DER.
namespace spnego {

using Token = std::vector<std::uint8_t>;

/// Our ceiling, for a Kerberos ticket with a large PAC inside; longer ones are malformed.
constexpr std::size_t max_token = 65536;
constexpr std::size_t max_mechanisms = 32; ///< of a list; Windows offers four

namespace oid {
constexpr std::string_view spnego = "1.3.6.1.5.5.2";
constexpr std::string_view kerberos = "1.2.840.113554.1.2.2";
constexpr std::string_view ms_kerberos = "1.2.840.48018.1.2.2"; ///< one bit short, by an error of Windows 2000 (MS-SPNG 1.9)
constexpr std::string_view ntlmssp = "1.3.6.1.4.1.311.2.2.10";
} // namespace oid

bool is_kerberos(std::string_view mechanism) noexcept;

enum class Form {
    init,     ///< InitialContextToken of SPNEGO
    response, ///< NegTokenResp
    kerberos, ///< InitialContextToken of Kerberos, raw (RFC 4121 4.1)
    other
};

/// What `token` begins as; it can still be malformed.
Form form_of(base::Bytes token) noexcept;

enum class NegState : std::uint8_t {
    accept_completed = 0,
    accept_incomplete = 1,
    reject = 2,
    request_mic = 3,
};

/// NegTokenInit in its InitialContextToken. Of NegTokenInit2 the hints are passed over.
struct NegTokenInit {
    std::vector<std::string> mechanisms; ///< in the order of preference, dotted
    Token mech_list;                     ///< MechTypeList as it was sent: what mechListMIC is made of
    Token mech_token;                    ///< empty: none
    Token mic;                           ///< empty: none

    static std::optional<NegTokenInit> parse(base::Bytes token);
    /// Of `mechanisms` and `mech_token`.
    Token build() const;
};

struct NegTokenResp {
    std::optional<NegState> state;
    std::string mechanism = {}; ///< supportedMech; empty: none
    Token response = {};        ///< responseToken; empty: none
    Token mic = {};             ///< mechListMIC; empty: none

    static std::optional<NegTokenResp> parse(base::Bytes token);
    Token build() const;
};

/// The MechTypeList of `init` alone, for who has built it.
Token mech_list_of(base::Bytes init);

} // namespace spnego
