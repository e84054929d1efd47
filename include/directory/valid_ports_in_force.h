#pragma once

#include "directory/connections.h"
#include "directory/port_store.h"
#include "directory/valid_ports.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace directory {

/// The allowlist that decides now: the last one that could be read. One per process, any thread. refresh() and rebuild() read
/// SQLite and block: call them where that may be.
class ValidPortsInForce {
public:
    /// Reads the list as the database holds it. Throws DatabaseError when it holds a malformed entry or cannot be read.
    explicit ValidPortsInForce(Connections& readers);

    /// Never null. Never blocks.
    std::shared_ptr<const ValidPorts> get() const noexcept;
    /// Grows when another list comes into force.
    std::uint64_t generation() const noexcept { return generation_; }

    /// Takes over the operator's and the generated entries from the database. When that fails, the result says why, and the
    /// last good list stays in force: an entry that was removed still allows. Try again until it is empty.
    std::string refresh() noexcept;

    /// Makes the generated list anew, see rebuild_generated(). An identical list is silent and writes nothing; a
    /// change is stored, taken into force and logged in one line with old= and new=; a failure keeps the last good
    /// list: try again.
    Rebuild rebuild() noexcept;

private:
    std::shared_ptr<const ValidPorts> read();

    Connections& readers_;
    mutable std::mutex list_mutex_;
    std::shared_ptr<const ValidPorts> list_; // under list_mutex_
    std::atomic<std::uint64_t> generation_{0};
    std::mutex refresh_mutex_; // an older list does not take the place of a newer one
};

} // namespace directory
