#pragma once

#include "ntlm/initiator.h"
#include "ping/login.h"
#include "spnego/initiator.h"

#include <string>

namespace ping {

/// NTLM version 2 with user and password, raw or inside SPNEGO.
class NtlmLogin final : public Login {
public:
    enum class Wrapping {
        raw,
        spnego,
        spnego_second, ///< Kerberos is offered first, without a token of it: what a domain's client does that has no ticket
    };

    NtlmLogin(ntlm::Initiator::Login who, Wrapping wrapping) : wrapping_(wrapping), initiator_(std::move(who)) {}

    Step next(base::Bytes token) override;
    const char* name() const noexcept override { return "challenge"; }
    std::string describe() const override;
    /// The computer's names in the challenge.
    std::string peer() const override { return peer_; }

private:
    Step begin();
    Step answer(base::Bytes challenge);

    const Wrapping wrapping_;
    ntlm::Initiator initiator_;
    spnego::Initiator negotiation_;
    std::string peer_;
    bool begun_ = false, answered_ = false;
};

} // namespace ping
