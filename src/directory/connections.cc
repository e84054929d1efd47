#include "directory/connections.h"

#include <utility>

namespace directory {

Connections::Connections(std::string path) : path_(std::move(path))
{
    idle_.push_back(std::make_unique<Database>(path_, Database::Mode::read));
}

Connections::Lease Connections::take()
{
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            std::unique_ptr<Database> database = std::move(idle_.back());
            idle_.pop_back();
            return {*this, std::move(database)};
        }
    }
    return {*this, std::make_unique<Database>(path_, Database::Mode::read)};
}

Connections::Lease::Lease(Connections& owner, std::unique_ptr<Database> database) noexcept
    : owner_(owner), database_(std::move(database))
{
}

Connections::Lease::~Lease()
{
    const std::lock_guard lock(owner_.mutex_);
    owner_.idle_.push_back(std::move(database_));
}

} // namespace directory
