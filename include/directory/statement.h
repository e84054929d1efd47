#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3_stmt;

namespace directory {

/// One use of a prepared statement, from Database::statement(). Parameters are bound in order and columns
/// are read in order. Its end resets the statement, so that no read lock outlives it. Every failure of
/// SQLite but a broken constraint throws DatabaseError.
class Statement {
public:
    explicit Statement(sqlite3_stmt* statement) noexcept : statement_(statement) {}
    ~Statement();
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    /// The text is copied.
    Statement& bind(std::string_view text);
    Statement& bind(std::int64_t number);
    Statement& bind_null();
    Statement& bind_blob(std::string_view bytes);

    /// True: the next row waits to be read.
    bool row();
    /// Runs a statement without rows to its end. False: a CHECK, UNIQUE, FOREIGN KEY or trigger constraint
    /// refused it and it changed nothing.
    [[nodiscard]] bool run();
    /// Rows that run() changed.
    int changes() const noexcept;

    /// The next column of the row; a BLOB reads as text. NULL reads as an empty text and as zero.
    std::string text();
    std::int64_t number();
    /// Whether the next column is NULL; does not go past it.
    bool is_null() const noexcept;

private:
    void check(int result) const;

    sqlite3_stmt* statement_;
    int parameter_ = 0;
    int column_ = 0;
};

} // namespace directory
