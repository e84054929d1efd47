#pragma once

#include "rpch/effects.h"
#include "rpch/rts_table.h"

#include <optional>
#include <span>

namespace rpch {

/// One line of a role's automaton: in `states`, `pdu` may come from `where`, and `act` is what then happens.
/// A PDU without a line is a protocol error (MS-RPCH 3.2.1: common details).
template <class Role> struct Rule {
    /// Null, or what is wrong with the PDU: a protocol error. An act that reports an error has no effects.
    using Act = const char* (Role::*)(Leg from, const Rts& pdu, Effects& effects);

    Where where;
    RoleState states;
    RtsId pdu;
    Act act;
    std::optional<Destination> to = std::nullopt; ///< narrows FlowControlAckWithDestination
};

/// The line for a PDU, or null.
template <class Role>
const Rule<Role>* find_rule(std::span<const Rule<Role>> rules, Where where, RoleState states, const Rts& pdu) noexcept
{
    for (const Rule<Role>& rule : rules)
        if (rule.where == where && overlap(rule.states, states) && pdu.is(rule.pdu) &&
            (!rule.to || pdu.destination() == rule.to))
            return &rule;
    return nullptr;
}

} // namespace rpch
