#pragma once

#include "directory/statement.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>

struct sqlite3;
struct sqlite3_stmt;

namespace directory {

/// The database cannot be opened, read or written. The text names the file and what to do.
class DatabaseError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// One connection to the directory database. Used by one thread at a time. Foreign keys are enforced, the
/// journal is a write-ahead log, and a lock held by somebody else is waited for (busy_wait).
class Database {
public:
    enum class Mode {
        read,     ///< the database exists and is only read
        generate, ///< as `write`, but SQLite itself refuses to touch anything but the generated part of ValidPorts
        write,    ///< the database exists
        create    ///< made when it does not exist; an older schema is brought up to date
    };

    static constexpr std::chrono::milliseconds busy_wait{5000};

    /// `stop`, unless null, outlives it: once true, no lock is waited for any more. Throws DatabaseError: no such file, not a
    /// directory database, of another schema version.
    Database(const std::string& path, Mode mode, const std::atomic<bool>* stop = nullptr);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// A use of the statement `sql`, which is prepared once. `sql` must be a constant: it is known by its
    /// address. One use of a text at a time. Throws DatabaseError.
    Statement statement(const char* sql);

    /// PRAGMA data_version: differs from the last answer when another connection has committed in between.
    std::int64_t data_version();
    /// From now on a lock held by somebody else is an error at once.
    void never_wait() noexcept { patience_ = {}; }
    /// Throws DatabaseError when its pages are not those of one whole database. Reads all of them.
    void check_pages();
    /// Moves what the write-ahead log holds into the file of this connection and cuts the log to nothing, unless somebody
    /// just reads or writes there. No lock is waited for.
    void empty_log() noexcept;
    /// At its end it touches neither the log nor the database: both names lead to other people's files now.
    void leave_log() noexcept;

    const std::string& path() const noexcept { return path_; }
    /// Runs SQL without parameters or rows. Throws DatabaseError.
    void execute(const char* sql);
    /// What SQLite said last; after a run() that was refused, which constraint it was.
    std::string message() const;

private:
    struct Close {
        void operator()(sqlite3* handle) const noexcept;
    };
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };

    static int on_busy(void* self, int attempts);
    void open(Mode mode);

    std::string path_;
    const std::atomic<bool>* const stop_;
    std::chrono::milliseconds patience_ = busy_wait; // with a lock
    std::chrono::steady_clock::time_point busy_since_;
    std::unique_ptr<sqlite3, Close> handle_;
    std::unordered_map<const char*, std::unique_ptr<sqlite3_stmt, Finalize>> statements_; // ends before handle_
};

/// All changes made during its life become visible at commit(), or never. Takes the write lock at once.
class Transaction {
public:
    explicit Transaction(Database& database);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    void commit();

private:
    Database& database_;
    bool open_ = true;
};

} // namespace directory
