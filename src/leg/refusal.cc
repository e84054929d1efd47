#include "leg/refusal.h"

#include "base/log.h"

namespace leg {

void log_refused(const Refused& who, std::string_view reason)
{
    base::log::notice("refused", {{"id", who.id != 0 ? std::to_string(who.id) : "-"}, {"channel", who.channel},
                                  {"vc", who.virtual_connection ? who.virtual_connection->prefix() : "-"},
                                  {"peer", who.peer.text()}, {"user", who.party.principal}, {"target", who.party.target},
                                  {"reason", reason}});
}

} // namespace leg
