#pragma once

#include "directory/connections.h"

#include <atomic>
#include <cstdint>
#include <mutex>

namespace directory {

/// Whether the directory has changed, be it by a commit or because another file has taken the place of its database, and
/// whether it can be read. One per process, any thread.
class Watch {
public:
    /// Throws DatabaseError.
    explicit Watch(Connections& readers);

    /// True when somebody has committed to the database, or replaced or written its file, since the last call (or since
    /// construction): the list in force is to be refreshed, and the routes of living tunnels are to be asked for again. Finds
    /// out whether it is usable(); while there is no good database of its name, it is not. Reads SQLite and blocks.
    bool changed() noexcept;
    /// Grows with each change that changed() sees, and when it finds the database gone.
    std::uint64_t generation() const noexcept { return generation_; }

    /// The last time that anybody tried, here or in Judge::decide(), what a decision needs could be read. The allowlist plays
    /// no part, since its last good one stays in force. Never blocks.
    bool usable() const noexcept { return usable_; }
    /// Somebody could not read it. It is not usable() until changed() has found otherwise.
    void doubt() noexcept { usable_ = false; }

private:
    Connections& readers_;
    std::atomic<std::uint64_t> generation_{0};
    std::atomic<bool> usable_{true};
    std::mutex mutex_; // over the rest
    Connections::Observer own_;
    Connections::Observer::View seen_;
    bool told_ = false; // the log knows that the directory cannot be read
};

} // namespace directory
