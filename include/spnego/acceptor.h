#pragma once

#include "spnego/token.h"

#include <array>
#include <optional>
#include <string_view>

namespace spnego {

/// The mechanism's signatures of the list of mechanisms (mechListMIC, RFC 4178 section 5), one for each way.
struct Mics {
    std::array<std::uint8_t, 16> initiator, acceptor;
};

enum class Refusal {
    malformed,
    unexpected,    ///< not now: a response where a first token is due, or a token too many
    no_mechanism,  ///< none of the client's is ours
    rejected,      ///< by the other side
    mic_missing,
    mic_wrong,     ///< somebody has changed the list of mechanisms on the way
    mic_impossible ///< it is needed, and the mechanism has agreed on no way to sign
};

/// "the list of mechanisms was changed on the way"
std::string_view to_text(Refusal refusal) noexcept;

/// What to do after a token has come.
struct Step {
    enum class Kind {
        kerberos,  ///< this token, the whole of it, and all that follow are for the Kerberos library; it speaks SPNEGO too
        mechanism, ///< `token` is for NTLM; its answer comes back by answer() or finish()
        reply,     ///< send `token`, the other side has to send one more
        done,      ///< logged in; send `token` if it is not empty
        refused    ///< by `refusal`
    };
    Kind kind;
    Token token = {};
    Refusal refusal = Refusal::malformed;
};

/// The server's side of one negotiation whose outcome is NTLM (RFC 4178 4 and 5, MS-SPNG 3.2.5 and 3.3.5). It knows of NTLM no
/// more than its name: tokens and signatures are handed in. One thread at a time, no I/O. A first token begins anew at any time.
class Acceptor {
public:
    /// `kerberos`: there is a keytab.
    explicit Acceptor(bool kerberos) noexcept : kerberos_(kerberos) {}

    Step read(base::Bytes token);

    /// What to send when the mechanism wants to send `token` and has not finished.
    Token answer(Token token);

    /// When the mechanism has let the client in. `carried_mic`: its own messages were protected, so that the client signs the
    /// list too. `mics`: of mech_list(), nullopt when the mechanism cannot sign. The answer is of kind reply, done or refused.
    Step finish(bool carried_mic, const std::optional<Mics>& mics);

    /// As the client has sent it.
    base::Bytes mech_list() const noexcept { return init_.mech_list; }

private:
    enum class State {
        start,
        mechanism,    // a token of the mechanism is due
        at_mechanism, // it has one
        mic           // only the client's signature is missing
    };

    Step begin(base::Bytes token);
    Step go_on(base::Bytes token);
    Step refuse(Refusal refusal) noexcept;

    const bool kerberos_;
    State state_ = State::start;
    NegTokenInit init_;
    bool first_choice_ = false;    // NTLM was the client's
    bool mechanism_told_ = false;  // supportedMech is in our first token and in no other
    Token clients_mic_;
    std::array<std::uint8_t, 16> expected_mic_{};
};

} // namespace spnego
