#pragma once

#include "directory/connections.h"
#include "directory/port_store.h"
#include "directory/target.h"
#include "directory/transport.h"
#include "directory/valid_ports.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace directory {

/// Where an allowed target goes. `host` is a name or literal without brackets.
struct Route {
    Transport transport = Transport::ncacn_http;
    std::string host;
    std::uint16_t port = 0;
    std::string server; ///< NetBIOS name of the server; the host itself when the directory has no such server

    bool operator==(const Route&) const = default;
    /// "ncacn_http mbx1.example.com:6001"
    std::string text() const;
};

/// The judgement on one target.
struct Decision {
    enum class Kind {
        allowed,         ///< `route` says where to
        malformed,       ///< not a target at all
        denied,          ///< not in ValidPorts
        unknown_mailbox, ///< GUID@domain that the directory does not hold
        no_route,        ///< known, but nowhere to go now: out of service, no active copy
        failed           ///< the directory could not be read
    };

    Kind kind = Kind::failed;
    Target target;      ///< filled unless malformed
    std::string rule;   ///< what decided, with its origin: "EX1:6001-6002 (generated)"; "default (deny)"
    std::string reason; ///< one sentence for people; never shown to an unauthenticated client
    Route route;        ///< filled when allowed

    bool allowed() const noexcept { return kind == Kind::allowed; }
};

/// "allowed", "malformed", "denied", "unknown-mailbox", "no-route", "failed".
const char* name(Decision::Kind kind) noexcept;

/// The only judge of a target: syntax, ValidPorts, mailbox, route. One per process, any thread.
///
/// decide(), changed(), refresh() and rebuild() read SQLite and block: call them where that
/// may be.
class Policy {
public:
    /// Reads the allowlist as the database holds it. Throws DatabaseError when the database cannot be
    /// opened, is of another version, or holds a malformed entry.
    explicit Policy(std::string database_path);

    /// Judges the query of a request, MS-RPCH 2.2.2. Nothing is cached but the allowlist: asking again gives
    /// the route of now, so the routes of living tunnels are checked by this too.
    Decision decide(std::string_view raw_target) noexcept;

    /// The list in force. Never null.
    std::shared_ptr<const ValidPorts> valid_ports() const noexcept;
    /// Grows when decide() may have come to say something else: changed() has seen a commit, or another list has come
    /// into force. What was decided at another generation is to be asked again before it is used for long.
    std::uint64_t generation() const noexcept { return generation_; }

    const std::string& path() const noexcept { return path_; }

    /// True when somebody has committed to the database since the last call (or since construction):
    /// call refresh(), and ask again for the routes of living tunnels. Finds out whether it is usable().
    bool changed() noexcept;

    /// The last time that anybody tried, in changed() or decide(), what decide() asks could be read. The allowlist plays
    /// no part, since its last good one stays in force. Never blocks.
    bool usable() const noexcept { return usable_; }

    /// Takes over the operator's and the generated entries from the database. When that fails, the result says why, and the
    /// last good list stays in force: an entry that was removed still allows. Try again until it is empty.
    std::string refresh() noexcept;

    /// Makes the generated list anew, see rebuild_generated(). An identical list is silent and writes nothing; a
    /// change is stored, taken into force and logged in one line with old= and new=; a failure keeps the last good
    /// list: try again.
    Rebuild rebuild() noexcept;

private:
    void ask_something();
    void judge_mailbox(Decision& decision);
    void judge_name(Decision& decision);
    std::shared_ptr<const ValidPorts> read_list();
    std::string take_over() noexcept;

    const std::string path_;
    Connections readers_;
    mutable std::mutex list_mutex_;
    std::shared_ptr<const ValidPorts> list_; // under list_mutex_
    std::atomic<std::uint64_t> generation_{0};
    std::atomic<bool> usable_{true};
    std::mutex change_mutex_;                // changed(), refresh() and rebuild() take turns
    std::unique_ptr<Database> watch_;        // under change_mutex_
    std::int64_t seen_version_ = 0;
    bool told_ = false;                      // the log knows that the directory cannot be read
};

} // namespace directory
