#pragma once

namespace directory {

class Database;

/// The version of the schema that this program reads and writes (PRAGMA user_version).
extern const int schema_version;

/// Brings an empty or older database to schema_version, in one transaction. Throws DatabaseError.
void upgrade_schema(Database& database);

/// Throws DatabaseError, with what to do, unless the database is a directory of just this version.
void check_schema(Database& database);

} // namespace directory
