#include "directory/connections.h"

#include <utility>

namespace directory {

Connections::Connections(std::string path) : path_(std::move(path))
{
    idle_.push_back(std::make_unique<Database>(path_, Database::Mode::read));
}

Connections::Lease Connections::take()
{
    std::unique_lock lock(mutex_);
    if (idle_.empty()) {
        lock.unlock();
        try {
            return {*this, std::make_unique<Database>(path_, Database::Mode::read)};
        } catch (const DatabaseError&) {
            // The first connection is never closed: it is idle by now, or somebody has it and brings it back.
            lock.lock();
            returned_.wait(lock, [this] { return !idle_.empty(); });
        }
    }
    std::unique_ptr<Database> database = std::move(idle_.back());
    idle_.pop_back();
    return {*this, std::move(database)};
}

Connections::Lease::Lease(Connections& owner, std::unique_ptr<Database> database) noexcept
    : owner_(owner), database_(std::move(database))
{
}

Connections::Lease::~Lease()
{
    {
        const std::lock_guard lock(owner_.mutex_);
        owner_.idle_.push_back(std::move(database_));
    }
    owner_.returned_.notify_one();
}

} // namespace directory
