#pragma once

#include "spnego/initiator.h"
#include "unit/rpch/vectors.h"

#include <string>

/// What stands for NTLM's tokens and signatures: SPNEGO does not look into them.
namespace tokens {

inline const std::string ntlmssp(spnego::oid::ntlmssp), kerberos(spnego::oid::kerberos), ms_kerberos(spnego::oid::ms_kerberos);
inline const spnego::Token type1{1, 1}, type2{2, 2, 2}, type3{3, 3, 3, 3};
inline const spnego::Token initiators_mic(16, 0x1a), acceptors_mic(16, 0xac);

inline spnego::Mics mics()
{
    spnego::Mics both;
    both.initiator.fill(0x1a);
    both.acceptor.fill(0xac);
    return both;
}

} // namespace tokens
