#pragma once

#include "directory/connections.h"
#include "directory/judge.h"
#include "directory/valid_ports_in_force.h"
#include "directory/watch.h"

#include <string>
#include <utility>

namespace directory {

/// All that one process knows of the directory in one database file.
struct Directory {
    /// Throws DatabaseError when the database cannot be opened, is of another version, or holds a malformed entry.
    explicit Directory(std::string path) : readers(std::move(path)) {}
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    Connections readers;
    Watch watch{readers};
    ValidPortsInForce valid_ports{readers};
    Judge judge{readers, valid_ports, watch};
};

} // namespace directory
