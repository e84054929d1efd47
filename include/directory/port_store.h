#pragma once

#include "directory/change.h"
#include "directory/database.h"
#include "directory/valid_ports.h"

#include <string>
#include <vector>

namespace directory {

/// An entry of the list as it is stored, with where it comes from.
struct StoredPortEntry {
    PortEntry entry;
    std::string provenance; ///< generated: NetBIOS name of the server; operator: login name of who added it
    std::string time;       ///< since when, UTC, ISO 8601
};

/// The two ValidPorts lists of the database, which are never merged in storage. Throws DatabaseError when the
/// database fails or holds an entry that does not parse.
class PortStore {
public:
    explicit PortStore(Database& database) : database_(database) {}

    /// Generated entries first, each list in its order.
    std::vector<StoredPortEntry> list();

    /// The operator's list. `who` is the provenance.
    Change add(const PortEntry& entry, std::string_view who);
    Change remove(const PortEntry& entry);

    /// What the generated list should be: for each mailbox server in service its NetBIOS name and its FQDN,
    /// ports 6001-6002 and 6004 each.
    std::vector<StoredPortEntry> generate();
    /// The generated list as it is stored.
    std::vector<StoredPortEntry> generated();
    /// Puts `entries` in the place of the generated list.
    void replace_generated(const std::vector<StoredPortEntry>& entries);

private:
    Database& database_;
};

struct Rebuild {
    enum class Kind { unchanged, changed, failed };

    Kind kind = Kind::failed;
    std::string old_text; ///< the generated list before, registry syntax
    std::string new_text; ///< and after
    std::string error;    ///< when failed
};

/// Makes the generated list anew and stores it when it differs; what an entry keeps keeps its time. With `dry_run`
/// nothing is stored. Opens its own connection, which can write nothing but the generated list.
Rebuild rebuild_generated(const std::string& database_path, bool dry_run) noexcept;
/// The same on a connection that may write the generated list.
Rebuild rebuild_generated(Database& database, bool dry_run) noexcept;

} // namespace directory
