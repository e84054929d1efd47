#include "directory/schema.h"

#include "directory/database.h"

#include <iterator>
#include <string>

namespace directory {
namespace {

/// "RPCT": tells a directory from any other SQLite file.
constexpr std::int64_t application_id = 0x52504354;

/// A row brings version N to N + 1. Rows are only ever added. Names compare without case where the
/// collation says so; STRICT makes the declared types hold.
constexpr const char* versions[] = {
    R"sql(
PRAGMA application_id = 0x52504354;

CREATE TABLE servers (
    id         INTEGER PRIMARY KEY,
    netbios    TEXT NOT NULL COLLATE NOCASE UNIQUE
               CHECK (length(netbios) BETWEEN 1 AND 63 AND netbios NOT GLOB '*[^A-Za-z0-9_-]*'),
    fqdn       TEXT NOT NULL COLLATE NOCASE UNIQUE
               CHECK (length(fqdn) BETWEEN 1 AND 253 AND fqdn NOT GLOB '*[^A-Za-z0-9._-]*'),
    role       TEXT NOT NULL CHECK (role IN ('mailbox', 'cas', 'dc')),
    version    TEXT NOT NULL DEFAULT '',
    site       TEXT NOT NULL DEFAULT '',
    in_service INTEGER NOT NULL DEFAULT 1 CHECK (in_service IN (0, 1)),
    UNIQUE (id, role)
) STRICT;

CREATE TRIGGER server_names_insert BEFORE INSERT ON servers
WHEN EXISTS (SELECT 1 FROM servers WHERE netbios = new.fqdn OR fqdn = new.netbios)
BEGIN
    SELECT RAISE(ABORT, 'the name belongs to another server');
END;

CREATE TRIGGER server_names_update BEFORE UPDATE OF netbios, fqdn ON servers
WHEN EXISTS (SELECT 1 FROM servers WHERE id <> new.id AND (netbios = new.fqdn OR fqdn = new.netbios))
BEGIN
    SELECT RAISE(ABORT, 'the name belongs to another server');
END;

CREATE TABLE endpoints (
    server       INTEGER NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
    port         INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
    transport    TEXT NOT NULL CHECK (transport IN ('ncacn_http', 'ncacn_ip_tcp', 'https')),
    connect_host TEXT CHECK (length(connect_host) BETWEEN 1 AND 253 AND connect_host NOT GLOB '*[^A-Za-z0-9._:-]*'),
    connect_port INTEGER CHECK (connect_port BETWEEN 1 AND 65535),
    PRIMARY KEY (server, port),
    CHECK ((connect_host IS NULL) = (connect_port IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE databases (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (length(name) BETWEEN 1 AND 64)
) STRICT;

-- The role column is there for the foreign key: only a mailbox server can hold a copy.
CREATE TABLE copies (
    database INTEGER NOT NULL REFERENCES databases (id) ON DELETE CASCADE,
    server   INTEGER NOT NULL,
    role     TEXT NOT NULL DEFAULT 'mailbox' CHECK (role = 'mailbox'),
    active   INTEGER NOT NULL DEFAULT 0 CHECK (active IN (0, 1)),
    PRIMARY KEY (database, server),
    FOREIGN KEY (server, role) REFERENCES servers (id, role)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_active_copy ON copies (database) WHERE active = 1;
CREATE INDEX copies_of_server ON copies (server);

CREATE TABLE mailboxes (
    guid     TEXT NOT NULL PRIMARY KEY
             CHECK (guid GLOB '????????-????-????-????-????????????'
                    AND length(replace(guid, '-', '')) = 32 AND replace(guid, '-', '') NOT GLOB '*[^0-9a-f]*'
                    AND guid <> '00000000-0000-0000-0000-000000000000'),
    domain   TEXT NOT NULL CHECK (length(domain) BETWEEN 1 AND 253 AND domain NOT GLOB '*[^a-z0-9._-]*'),
    database INTEGER NOT NULL REFERENCES databases (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX mailboxes_of_database ON mailboxes (database);

CREATE TABLE accounts (
    id               INTEGER PRIMARY KEY,
    canonical        TEXT NOT NULL CHECK (length(canonical) BETWEEN 1 AND 255),
    canonical_folded TEXT NOT NULL UNIQUE,
    enabled          INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    pw_crypt         TEXT NOT NULL CHECK (pw_crypt GLOB '$?*'),
    pw_version       INTEGER NOT NULL,
    pw_time          TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
) STRICT;

CREATE TABLE logins (
    name_folded   TEXT NOT NULL CHECK (length(name_folded) BETWEEN 1 AND 255),
    domain_folded TEXT NOT NULL CHECK (length(domain_folded) <= 255),
    name          TEXT NOT NULL,
    domain        TEXT NOT NULL,
    account       INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    PRIMARY KEY (name_folded, domain_folded)
) STRICT, WITHOUT ROWID;
CREATE INDEX logins_of_account ON logins (account);

-- The only table that the daemon writes.
CREATE TABLE valid_ports_generated (
    position INTEGER PRIMARY KEY,
    entry    TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (entry GLOB '?*:[1-9]*' AND entry NOT GLOB '*[; ]*'),
    server   TEXT NOT NULL,
    time     TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
) STRICT;

CREATE TABLE valid_ports_operator (
    position INTEGER PRIMARY KEY,
    entry    TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (entry GLOB '?*:[1-9]*' AND entry NOT GLOB '*[; ]*'),
    added_by TEXT NOT NULL,
    time     TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
) STRICT;

CREATE VIEW valid_ports (entry, origin, provenance, time, position) AS
    SELECT entry, 'generated', server, time, position FROM valid_ports_generated
    UNION ALL
    SELECT entry, 'operator', added_by, time, position FROM valid_ports_operator;
)sql",
    R"sql(
-- Those for whom the operator wants it. For NTLM the hash is as good as the password, so that a reader of accounts need not
-- come across it.
CREATE TABLE ntlm_secret (
    user_id INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    nt_hash BLOB NOT NULL CHECK (length(nt_hash) = 16)
) STRICT;
)sql",
};

std::int64_t pragma(Database& database, const char* sql)
{
    Statement query = database.statement(sql);
    return query.row() ? query.number() : 0;
}

/// The version of the database, 0 when it is empty. Throws when it is something else or too new.
std::int64_t version_of(Database& database)
{
    const std::int64_t version = pragma(database, "PRAGMA user_version");
    const std::int64_t id = pragma(database, "PRAGMA application_id");
    const bool empty = pragma(database, "SELECT count(*) FROM sqlite_schema") == 0;
    if (id != application_id && !(empty && id == 0 && version == 0))
        throw DatabaseError(database.path() + ": this SQLite file is not a directory of rpctunnel");
    if (version > schema_version)
        throw DatabaseError(database.path() + ": the directory has schema version " + std::to_string(version) +
                            ", this program knows versions up to " + std::to_string(schema_version) +
                            "; use the release that wrote it, or a newer one");
    return version;
}

} // namespace

const int schema_version = static_cast<int>(std::size(versions));

void upgrade_schema(Database& database)
{
    if (version_of(database) == schema_version)
        return;
    Transaction transaction(database);
    // Asked again under the lock: somebody else may have been quicker.
    for (std::int64_t version = version_of(database); version < schema_version; ++version)
        database.execute(versions[version]);
    database.execute(("PRAGMA user_version = " + std::to_string(schema_version)).c_str());
    transaction.commit();
}

void check_schema(Database& database)
{
    const std::int64_t version = version_of(database);
    if (version == 0)
        throw DatabaseError(database.path() + ": the directory is empty; \"rpctunnelctl init\" fills it");
    if (version < schema_version)
        throw DatabaseError(database.path() + ": the directory has schema version " + std::to_string(version) +
                            ", this program needs " + std::to_string(schema_version) +
                            "; \"rpctunnelctl init\" brings it up to date");
}

} // namespace directory
