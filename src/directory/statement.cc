#include "directory/statement.h"

#include "directory/database.h"

#include <sqlite3.h>

namespace directory {

Statement::~Statement()
{
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

void Statement::check(int result) const
{
    if (result == SQLITE_OK)
        return;
    sqlite3* database = sqlite3_db_handle(statement_);
    const char* file = sqlite3_db_filename(database, "main");
    std::string text = file && *file ? file : "directory";
    text += ": ";
    text += sqlite3_errmsg(database);
    const int primary = result & 0xff;
    if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED)
        text += " (another program holds the write lock; try again)";
    else if (primary == SQLITE_READONLY)
        text += " (this user may not write the file or its folder)";
    throw DatabaseError(text);
}

Statement& Statement::bind(std::string_view text)
{
    // An empty view may have a null pointer, which SQLite would take for NULL.
    const char* data = text.empty() ? "" : text.data();
    check(sqlite3_bind_text(statement_, ++parameter_, data, static_cast<int>(text.size()), SQLITE_TRANSIENT));
    return *this;
}

Statement& Statement::bind(std::int64_t number)
{
    check(sqlite3_bind_int64(statement_, ++parameter_, number));
    return *this;
}

Statement& Statement::bind_null()
{
    check(sqlite3_bind_null(statement_, ++parameter_));
    return *this;
}

Statement& Statement::bind_blob(std::string_view bytes)
{
    check(sqlite3_bind_blob(statement_, ++parameter_, bytes.data(), static_cast<int>(bytes.size()), SQLITE_TRANSIENT));
    return *this;
}

bool Statement::row()
{
    column_ = 0;
    const int result = sqlite3_step(statement_);
    if (result == SQLITE_ROW)
        return true;
    if (result != SQLITE_DONE)
        check(result);
    return false;
}

bool Statement::run()
{
    const int result = sqlite3_step(statement_);
    if ((result & 0xff) == SQLITE_CONSTRAINT)
        return false;
    if (result != SQLITE_DONE)
        check(result);
    return true;
}

int Statement::changes() const noexcept
{
    return sqlite3_changes(sqlite3_db_handle(statement_));
}

std::string Statement::text()
{
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column_));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column_));
    ++column_;
    return bytes ? std::string(bytes, size) : std::string();
}

std::int64_t Statement::number()
{
    return sqlite3_column_int64(statement_, column_++);
}

bool Statement::is_null() const noexcept
{
    return sqlite3_column_type(statement_, column_) == SQLITE_NULL;
}

} // namespace directory
