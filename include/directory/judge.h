#pragma once

#include "directory/connections.h"
#include "directory/decision.h"
#include "directory/valid_ports_in_force.h"
#include "directory/watch.h"

#include <cstdint>
#include <string_view>

namespace directory {

/// The only judge of a target: syntax, ValidPorts, mailbox, route. One per process, any thread.
class Judge {
public:
    /// All of them outlive the judge.
    Judge(Connections& readers, const ValidPortsInForce& list, Watch& watch) noexcept
        : readers_(readers), list_(list), watch_(watch)
    {
    }

    /// Judges the query of a request, MS-RPCH 2.2.2. Nothing is cached but the allowlist: asking again gives
    /// the route of now, so the routes of living tunnels are checked by this too. Reads SQLite and blocks.
    Decision decide(std::string_view raw_target) noexcept;
    /// Grows when decide() may have come to say something else: a commit was seen, or another list has come into force. What
    /// was decided at another generation is to be asked again before it is used for long. Never blocks.
    std::uint64_t generation() const noexcept { return watch_.generation() + list_.generation(); }

    /// The questions of decide() to a database, about nobody. Throws DatabaseError when it cannot answer them.
    static void ask_about_nobody(Database& database);

private:
    void judge_mailbox(Decision& decision);
    void judge_name(Decision& decision);

    Connections& readers_;
    const ValidPortsInForce& list_;
    Watch& watch_;
};

} // namespace directory
