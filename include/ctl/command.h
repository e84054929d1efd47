#pragma once

#include "ctl/arguments.h"
#include "ctl/report.h"
#include "directory/database.h"

#include <memory>
#include <span>
#include <string>

namespace ctl {

/// What a command works with.
struct Context {
    std::string path; ///< of the database
    Arguments arguments;
    Report report;

    directory::Database& open(directory::Database::Mode mode);
    directory::Database& read() { return open(directory::Database::Mode::read); }
    directory::Database& write() { return open(directory::Database::Mode::write); }

    std::unique_ptr<directory::Database> database;
};

/// A row of the table of commands.
struct Command {
    const char* name;   ///< one or two words
    const char* syntax; ///< of its arguments, see Arguments
    const char* help;   ///< one line
    Exit (*run)(Context&);
};

/// All commands, in the order of help. Throws nothing; their functions throw directory::DatabaseError.
std::span<const Command> commands() noexcept;

/// Where the database is unless -d says otherwise.
extern const char* const default_database;

} // namespace ctl
