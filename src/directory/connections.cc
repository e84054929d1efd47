#include "directory/connections.h"

#include <algorithm>
#include <utility>

namespace directory {

Connections::Connections(std::string path) : path_(std::move(path))
{
    idle_.push_back(open_another());
}

namespace {

std::optional<FileState> index_of(const std::string& path) noexcept
{
    return FileState::of(path + "-shm");
}

bool same_file(const std::optional<FileState>& a, const std::optional<FileState>& b) noexcept
{
    return a && b ? a->same_file(*b) : a.has_value() == b.has_value();
}

} // namespace

/// A connection to the file that the others are connected to.
std::unique_ptr<Database> Connections::open(Database::Mode mode)
{
    const auto check = [this] {
        const std::optional<FileState> now = FileState::of(path_);
        const std::lock_guard lock(mutex_);
        if (!now || !now->same_file(file_))
            throw DatabaseError(path_ + ": the file was replaced or removed; it is looked for again in a moment");
    };
    check();
    auto database = std::make_unique<Database>(path_, mode, &stopping_);
    check();
    return database;
}

/// The first connection to the file that has the name now.
std::unique_ptr<Database> Connections::open_another()
{
    const std::optional<FileState> before = FileState::of(path_);
    auto database = std::make_unique<Database>(path_, Database::Mode::read, &stopping_);
    const std::optional<FileState> after = FileState::of(path_);
    if (!before || !after || !after->same_file(*before))
        throw DatabaseError(path_ + ": the file is just being replaced");
    const std::lock_guard lock(mutex_);
    file_ = *after;
    index_ = index_of(path_);
    return database;
}

/// Counts one more as lent.
void Connections::borrow(std::unique_lock<std::mutex>& lock)
{
    changed_.wait(lock, [this] { return !closing_; });
    if (!fault_.empty())
        throw DatabaseError(fault_);
    ++lent_;
}

void Connections::give_back() noexcept
{
    {
        const std::lock_guard lock(mutex_);
        --lent_;
    }
    changed_.notify_all();
}

Connections::Lease Connections::take()
{
    std::unique_lock lock(mutex_);
    borrow(lock);
    if (idle_.empty()) {
        lock.unlock();
        try {
            return {*this, open(Database::Mode::read), true};
        } catch (const DatabaseError&) {
            // One connection is there as long as the database is good: idle by now, or somebody has it and brings it back.
            give_back();
            lock.lock();
            changed_.wait(lock, [this] { return !closing_ && (!idle_.empty() || !fault_.empty()); });
            borrow(lock);
        }
    }
    std::unique_ptr<Database> database = std::move(idle_.back());
    idle_.pop_back();
    return {*this, std::move(database), true};
}

Connections::Lease Connections::take_generating()
{
    {
        std::unique_lock lock(mutex_);
        borrow(lock);
    }
    try {
        return {*this, open(Database::Mode::generate), false};
    } catch (...) {
        give_back();
        throw;
    }
}

Connections::Followed Connections::follow()
{
    const std::lock_guard turn(follow_mutex_);
    const std::optional<FileState> now = FileState::of(path_);
    FileState open;
    bool broken, alone;
    {
        const std::lock_guard lock(mutex_);
        open = file_;
        broken = !fault_.empty();
        alone = !same_file(index_of(path_), index_);
    }
    if (!broken && now == open && !alone) {
        open_observers();
        return Followed::same;
    }
    const bool another = !now || !now->same_file(open);
    if (!broken) {
        if (another)
            drop_log(now);
        close_all(alone);
    }
    std::string fault;
    std::unique_ptr<Database> first;
    try {
        if (!now)
            throw DatabaseError(path_ + ": the file is gone; a directory database that is put there will be read");
        first = open_another();
        first->check_pages();
    } catch (const DatabaseError& error) {
        fault = now ? std::string(another ? "the file was replaced: " : "the file has changed: ") + error.what() : error.what();
        first.reset();
    }
    {
        const std::lock_guard lock(mutex_);
        fault_ = fault;
        closing_ = false;
        if (first)
            idle_.push_back(std::move(first));
    }
    changed_.notify_all();
    if (!fault.empty())
        throw DatabaseError(fault);
    ++opening_;
    open_observers();
    return another ? Followed::another_file : Followed::read_anew;
}

void Connections::close_all(bool leave_log) noexcept
{
    std::unique_lock lock(mutex_);
    closing_ = true;
    changed_.wait(lock, [this] { return lent_ == 0; });
    const auto close = [leave_log](std::unique_ptr<Database>& database) {
        if (leave_log && database)
            database->leave_log();
        database.reset();
    };
    std::for_each(idle_.begin(), idle_.end(), close);
    idle_.clear();
    lock.unlock();
    for (Observer* const observer : observers_) {
        const std::lock_guard own(observer->mutex_);
        close(observer->database_);
    }
}

/// Those that have lost their connection, or could not get one.
void Connections::open_observers() noexcept
{
    for (Observer* const observer : observers_) {
        try {
            observer->open();
        } catch (const DatabaseError&) {
            // Its next look() says so, and the next follow() tries again.
        }
    }
}

/// SQLite would take the log of the file that was open for that of the file which is there now. That is what was written
/// before this one came; what was written later is its own.
void Connections::drop_log(const std::optional<FileState>& now)
{
    const std::optional<FileState> log = FileState::of(path_ + "-wal");
    if (log && log->size != 0 && (!now || log->changed <= now->changed))
        take()->empty_log();
}

void Connections::empty_log()
{
    const std::optional<FileState> log = FileState::of(path_ + "-wal");
    if (!log || log->size == 0)
        return;
    take()->empty_log();
    const std::optional<FileState> now = FileState::of(path_);
    const std::lock_guard lock(mutex_);
    if (now && now->same_file(file_))
        file_ = *now;
}

Connections::Lease::Lease(Connections& owner, std::unique_ptr<Database> database, bool pooled) noexcept
    : owner_(owner), database_(std::move(database)), pooled_(pooled)
{
}

Connections::Lease::~Lease()
{
    if (pooled_) {
        const std::lock_guard lock(owner_.mutex_);
        owner_.idle_.push_back(std::move(database_));
    }
    database_.reset();
    owner_.give_back();
}

Connections::Observer::Observer(Connections& owner, AtALock at_a_lock) : owner_(owner), at_a_lock_(at_a_lock)
{
    const std::lock_guard lock(owner_.follow_mutex_);
    open();
    owner_.observers_.push_back(this);
}

Connections::Observer::~Observer()
{
    const std::lock_guard lock(owner_.follow_mutex_);
    std::erase(owner_.observers_, this);
}

void Connections::Observer::open()
{
    {
        const std::lock_guard lock(mutex_);
        if (database_)
            return;
    }
    auto database = owner_.open(Database::Mode::read);
    if (at_a_lock_ == AtALock::fail)
        database->never_wait();
    const std::lock_guard lock(mutex_);
    database_ = std::move(database);
    opening_ = owner_.opening_;
}

Connections::Observer::View Connections::Observer::look()
{
    const std::lock_guard lock(mutex_);
    if (!database_)
        throw DatabaseError(owner_.path_ + ": no connection to the database; it is tried again in a moment");
    return {opening_, database_->data_version()};
}

} // namespace directory
