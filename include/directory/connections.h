#pragma once

#include "directory/database.h"
#include "directory/file_state.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace directory {

/// All connections of this process to one database file, so that they end together when another file takes its place: SQLite
/// knows the log beside a file by its name alone, and must not see two files of that name at once. One per process and path,
/// any thread.
///
/// Readers are handed out to one thread at a time. As many exist as were ever in use at once, as far as the system had
/// descriptors for them: who cannot open one waits for another's.
class Connections {
public:
    /// Opens the first connection. Throws DatabaseError.
    explicit Connections(std::string path);

    /// A borrowed connection; goes back when the lease ends.
    class Lease {
    public:
        Lease(Connections& owner, std::unique_ptr<Database> database, bool pooled) noexcept;
        ~Lease();
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;

        Database& operator*() const noexcept { return *database_; }
        Database* operator->() const noexcept { return database_.get(); }

    private:
        Connections& owner_;
        std::unique_ptr<Database> database_;
        const bool pooled_; // else it is closed
    };

    /// For reading. May wait. A thread takes no second lease beside its first. Throws DatabaseError when there is no good
    /// database, see follow().
    Lease take();
    /// One that may write the generated list, made for this. Throws DatabaseError.
    Lease take_generating();

    /// A connection on which commits are seen. One thread.
    class Observer {
    public:
        enum class AtALock { wait, fail };

        /// Throws DatabaseError.
        Observer(Connections& owner, AtALock at_a_lock);
        ~Observer();
        Observer(const Observer&) = delete;
        Observer& operator=(const Observer&) = delete;

        /// Compare it with another one of the same observer.
        struct View {
            std::uint64_t opening = 0; ///< grows when the database is opened anew
            std::int64_t version = 0;  ///< of its content, Database::data_version()

            bool operator==(const View&) const = default;
        };
        /// Differs from the last one when somebody has committed since, or when another file is open. Throws DatabaseError.
        View look();

    private:
        friend class Connections;

        void open();

        Connections& owner_;
        const AtALock at_a_lock_;
        std::mutex mutex_; // follow() opens it anew
        std::unique_ptr<Database> database_;
        std::uint64_t opening_ = 0;
    };

    enum class Followed {
        same,        ///< the file that is open is still the one of that name
        read_anew,   ///< the same file, but somebody has written it, perhaps not by SQLite
        another_file ///< of another device or inode
    };
    /// Looks what file has the name now. When it is another one, or has been written, or the files of its log have been taken
    /// away, in which others no longer meet us, all connections are closed and opened anew. Throws DatabaseError, which says what happened, when there is no good database; until a later call finds one,
    /// take() and look() throw the same. Blocks; waits for leases.
    Followed follow();

    /// Moves what the write-ahead log holds into the database, unless somebody just reads or writes there: the log would be
    /// left behind beside a file that takes the database's place. An observer may see that as a commit. Blocks. Throws
    /// DatabaseError like take().
    void empty_log();

    /// From now on a lock held by somebody else is an error at once, also to who waits for one already. For the end.
    void stop() noexcept { stopping_ = true; }

    const std::string& path() const noexcept { return path_; }

private:
    std::unique_ptr<Database> open(Database::Mode mode);
    std::unique_ptr<Database> open_another();
    void borrow(std::unique_lock<std::mutex>& lock);
    void give_back() noexcept;
    void close_all(bool leave_log) noexcept;
    void open_observers() noexcept;
    void drop_log(const std::optional<FileState>& now);

    const std::string path_;
    std::atomic<bool> stopping_{false};
    std::mutex mutex_;
    std::condition_variable changed_;
    // Under mutex_.
    std::vector<std::unique_ptr<Database>> idle_;
    std::size_t lent_ = 0;
    bool closing_ = false;
    std::string fault_;  // why there is no good database
    FileState file_;     // what is open
    std::optional<FileState> index_; // of its log, which all who have it open share; where it is
    std::mutex follow_mutex_; // over observers_, and follow() takes turns
    std::vector<Observer*> observers_;
    std::atomic<std::uint64_t> opening_{1};
};

} // namespace directory
