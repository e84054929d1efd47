#pragma once

#include "directory/connections.h"
#include "directory/decision.h"
#include "directory/directory.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace directory {

/// Permissions that still hold, so that a request need not wait for a worker. What is not allowed is judged anew each
/// time, so nobody fills the cache with names. One thread.
///
/// Whether they hold is asked of the database each time, on a connection of its own: PRAGMA data_version costs two
/// microseconds, never waits for a lock, and says so from the moment at which a commit is seen by any reader, in every
/// journal mode. The times of the database's files do not: a write-ahead log is written before its commit holds. That another
/// file has taken the place of the database is found by Watch, which then gives the cache another connection.
class DecisionCache {
public:
    /// Of each of the two generations that are kept: the older one goes when the younger one is full.
    static constexpr std::size_t limit = 2048;

    /// Names a state of the directory; taken before a decision is asked for.
    using Stamp = std::uint64_t;

    /// Throws DatabaseError.
    explicit DecisionCache(Directory& directory);

    /// The state of now. Permissions of another state are forgotten. When it cannot be told, they are too, and what is
    /// decided at this stamp is not kept.
    Stamp look() noexcept;
    /// Judge::generation() as it was before the last look().
    std::uint64_t generation() const noexcept { return generation_; }
    /// The permission for a target, word for word, in the state that the last look() has seen; null when there is none.
    std::shared_ptr<const Decision> find(std::string_view target);
    void store(const std::shared_ptr<const Decision>& decision, Stamp asked_at);

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
    };
    using Decisions = std::unordered_map<std::string, std::shared_ptr<const Decision>, Hash, std::equal_to<>>;

    void forget() noexcept;

    const Judge& judge_;
    Connections::Observer observer_;
    Connections::Observer::View view_;
    std::uint64_t generation_ = 0;
    bool known_ = false; // view_ and generation_ are those of the last look
    Stamp stamp_ = 0;
    Decisions young_, old_;
};

} // namespace directory
