#include "directory/database.h"

#include "base/unique_fd.h"
#include "directory/schema.h"

#include <fcntl.h>
#include <pwd.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <thread>
#include <utility>

namespace directory {
namespace {

/// Makes the file for its owner alone, since it holds password hashes. Made by root, it belongs to whom the
/// folder belongs to: the daemon's user must be able to open it. False when the file is there already.
bool make_file(const std::string& path)
{
    const base::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) {
        if (errno == EEXIST)
            return false;
        throw DatabaseError("cannot make " + path + ": " + std::strerror(errno) +
                            (errno == ENOENT ? " (make its folder first)" : ""));
    }
    const auto slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    struct stat owner {};
    if (::geteuid() == 0 && ::stat(folder.c_str(), &owner) == 0 &&
        ::fchown(file.get(), owner.st_uid, owner.st_gid) != 0) {
        const int error = errno;
        ::unlink(path.c_str());
        throw DatabaseError("cannot give " + path + " to the owner of its folder: " + std::strerror(error));
    }
    return true;
}

/// The daemon's one right to write, enforced by SQLite while it prepares statements.
int only_generated(void*, int action, const char* first, const char*, const char*, const char*)
{
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_FUNCTION:
    case SQLITE_TRANSACTION:
        return SQLITE_OK;
    case SQLITE_INSERT:
    case SQLITE_DELETE:
        return first && std::string_view(first) == "valid_ports_generated" ? SQLITE_OK : SQLITE_DENY;
    default:
        return SQLITE_DENY;
    }
}

std::string user_name(uid_t user)
{
    std::array<char, 4096> room;
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(user, &entry, room.data(), room.size(), &found) != 0 || !found)
        return "user " + std::to_string(user);
    return entry.pw_name;
}

/// Why SQLite could not open a file, for people.
std::string why_not(const std::string& path, int result)
{
    struct stat file {};
    if (::stat(path.c_str(), &file) != 0) {
        const int error = errno;
        if (error == ENOENT)
            return "no such file; \"rpctunnelctl init\" makes it";
        return std::string(std::strerror(error)) + " for " + user_name(::geteuid());
    }
    if (::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0 && errno == EACCES)
        return "it belongs to " + user_name(file.st_uid) + ", and " + user_name(::geteuid()) + " may not read it";
    return sqlite3_errstr(result);
}

} // namespace

void Database::Close::operator()(sqlite3* handle) const noexcept
{
    sqlite3_close(handle);
}

void Database::Finalize::operator()(sqlite3_stmt* statement) const noexcept
{
    sqlite3_finalize(statement);
}

Database::Database(const std::string& path, Mode mode, const std::atomic<bool>* stop) : path_(path), stop_(stop)
{
    const bool made = mode == Mode::create && make_file(path);
    try {
        open(mode);
    } catch (...) {
        if (made) {
            handle_.reset();
            ::unlink(path.c_str());
        }
        throw;
    }
}

Database::~Database() = default;

void Database::open(Mode mode)
{
    // "read" opens for writing too: a reader must be able to recover and to share the write-ahead log.
    // Without the right to do so SQLite falls back to reading by itself; query_only is our promise.
    sqlite3* handle = nullptr;
    const int result = sqlite3_open_v2(path_.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    handle_.reset(handle);
    if (result != SQLITE_OK)
        throw DatabaseError("cannot open " + path_ + ": " + why_not(path_, result));
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_handler(handle, on_busy, this);
    execute("PRAGMA foreign_keys = ON");
    switch (mode) {
    case Mode::create:
        execute("PRAGMA journal_mode = WAL");
        upgrade_schema(*this);
        break;
    case Mode::write:
        check_schema(*this);
        break;
    case Mode::read:
        check_schema(*this);
        execute("PRAGMA query_only = ON");
        break;
    case Mode::generate:
        check_schema(*this);
        sqlite3_set_authorizer(handle, only_generated, nullptr);
        break;
    }
}

void Database::execute(const char* sql)
{
    if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
        throw DatabaseError(path_ + ": " + message());
}

std::string Database::message() const
{
    return sqlite3_errmsg(handle_.get());
}

Statement Database::statement(const char* sql)
{
    auto& prepared = statements_[sql];
    if (!prepared) {
        sqlite3_stmt* statement = nullptr;
        if (sqlite3_prepare_v3(handle_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK)
            throw DatabaseError(path_ + ": " + message());
        prepared.reset(statement);
    }
    assert(!sqlite3_stmt_busy(prepared.get()));
    return Statement(prepared.get());
}

std::int64_t Database::data_version()
{
    Statement query = statement("PRAGMA data_version");
    return query.row() ? query.number() : 0;
}

void Database::check_pages()
{
    Statement query = statement("PRAGMA quick_check(1)");
    const std::string found = query.row() ? query.text() : "nothing";
    if (found != "ok")
        throw DatabaseError(path_ + ": the file is damaged: " + found);
}

void Database::empty_log() noexcept
{
    const auto patience = std::exchange(patience_, std::chrono::milliseconds(0));
    sqlite3_wal_checkpoint_v2(handle_.get(), "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    patience_ = patience;
}

void Database::leave_log() noexcept
{
    int keep = 1;
    sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
    sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

/// In the place of SQLite's own handler, which sleeps up to a tenth of a second and knows no end but the time.
int Database::on_busy(void* self, int attempts)
{
    constexpr std::chrono::milliseconds longest_nap{20};
    auto& database = *static_cast<Database*>(self);
    const auto now = std::chrono::steady_clock::now();
    if (attempts == 0)
        database.busy_since_ = now;
    if ((database.stop_ && *database.stop_) || now - database.busy_since_ >= database.patience_)
        return 0;
    std::this_thread::sleep_for(std::min(std::chrono::milliseconds(attempts + 1), longest_nap));
    return 1;
}

Transaction::Transaction(Database& database) : database_(database)
{
    database_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction()
{
    if (!open_)
        return;
    try {
        database_.execute("ROLLBACK");
    } catch (const DatabaseError&) {
        // SQLite has rolled back by itself, or does so when the connection ends.
    }
}

void Transaction::commit()
{
    database_.execute("COMMIT");
    open_ = false;
}

} // namespace directory
