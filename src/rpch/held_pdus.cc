#include "rpch/held_pdus.h"

#include "rpch/acknowledgement.h"

namespace rpch {

bool HeldPdus::hold(const Rts& pdu)
{
    for (RtsBytes& held : pdus_) {
        Rts earlier;
        if (decode(held, earlier).ok() && supersedes(pdu, earlier)) {
            held = encode(pdu);
            return true;
        }
    }
    if (pdus_.size() == limit)
        return false;
    pdus_.push_back(encode(pdu));
    return true;
}

} // namespace rpch
