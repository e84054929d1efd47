#pragma once

#include "ntlm/acceptor.h"

#include <cstdint>
#include <optional>
#include <string>

namespace ntlm {

/// The client's side of one login, MS-NLMP 3.1.5.1, NTLM version 2 only, as Windows speaks it. No I/O: random bytes and time
/// are told.
class Initiator {
public:
    /// What Windows asks for when it wants integrity: that signs mechListMIC.
    static constexpr std::uint32_t windows_flags = 0xe2088297;

    /// Text is UTF-8.
    struct Login {
        std::string user, domain, workstation;
        Key nt_hash;
        std::string target;                 ///< MsvAvTargetName, "HTTP/mail.corp.example"; may be empty
        std::optional<BindingHash> binding; ///< of the channel
        bool names_in_negotiate = false;    ///< domain and workstation in the first message too, where they are ASCII
        std::uint32_t flags = windows_flags;
    };

    explicit Initiator(Login login) : login_(std::move(login)) {}

    /// NEGOTIATE_MESSAGE. Begins a login anew.
    Message negotiate();

    struct Random {
        Nonce client_challenge;
        Key session_key;
    };
    /// AUTHENTICATE_MESSAGE. `now` counts when the challenge tells no time; when it does, the message has a MIC. Nullopt: the
    /// challenge is malformed or its server knows no Unicode, or a name of the login is not UTF-8.
    [[nodiscard]] std::optional<Message> authenticate(base::Bytes challenge, const Random& random, FileTime now);

    // After authenticate().
    const Session& session() const noexcept { return session_; }
    bool carried_mic() const noexcept { return carried_mic_; }

private:
    Login login_;
    Message negotiate_;
    Session session_;
    bool carried_mic_ = false;
};

} // namespace ntlm
