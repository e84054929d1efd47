#pragma once

#include "directory/database.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace directory {

/// Connections for reading, handed out to one thread at a time. As many exist as were ever in use at once, as far as the
/// system had descriptors for them: who cannot open one waits for another's.
class Connections {
public:
    /// Opens the first connection. Throws DatabaseError.
    explicit Connections(std::string path);

    /// A borrowed connection; goes back when the lease ends.
    class Lease {
    public:
        Lease(Connections& owner, std::unique_ptr<Database> database) noexcept;
        ~Lease();
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;

        Database& operator*() const noexcept { return *database_; }
        Database* operator->() const noexcept { return database_.get(); }

    private:
        Connections& owner_;
        std::unique_ptr<Database> database_;
    };

    /// May wait. A thread takes no second lease beside its first.
    Lease take();

    const std::string& path() const noexcept { return path_; }

private:
    const std::string path_;
    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<std::unique_ptr<Database>> idle_;
};

} // namespace directory
