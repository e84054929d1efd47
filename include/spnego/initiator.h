#pragma once

#include "spnego/acceptor.h"

#include <optional>
#include <string>
#include <vector>

namespace spnego {

/// The client's side of one negotiation for NTLM (RFC 4178 4 and 5). No I/O; tokens and signatures are handed in.
class Initiator {
public:
    /// The first token. `offered` has NTLM in it; `token` is that of the first mechanism.
    Token start(Token token, std::vector<std::string> offered = {std::string(oid::ntlmssp)});

    /// Of kind mechanism (an empty `token`: the server has chosen NTLM and waits for its first message), reply, done or
    /// refused.
    Step read(base::Bytes token);

    /// What to send when the mechanism wants to send `token` and has not finished.
    Token answer(Token token) const;

    /// What to send with the mechanism's last token; the server's answer goes to read(). The list is signed when the
    /// mechanism protected its own messages (`carried_mic`), when NTLM was not first, or when the server asks for it. Nullopt:
    /// it must be, and `mics`, those of mech_list(), is.
    std::optional<Token> finish(Token token, bool carried_mic, const std::optional<Mics>& mics);

    /// As it was sent.
    base::Bytes mech_list() const noexcept { return mech_list_; }

private:
    enum class State {
        negotiating,
        unsigned_, // the mechanism's last token went without a signature
        signed_,   // or with one, and the server must sign too
        answered   // the server has signed first
    };

    Step conclude(const NegTokenResp& response);

    State state_ = State::negotiating;
    Token mech_list_;
    bool first_choice_ = true;
    bool asked_for_mic_ = false;
    std::optional<Mics> mics_;
};

} // namespace spnego
