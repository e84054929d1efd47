#include "directory/port_store.h"

#include "base/text.h"

#include <exception>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace directory {
namespace {

constexpr const char* list_generated = "SELECT entry, server, time FROM valid_ports_generated ORDER BY position";
constexpr const char* list_operator = "SELECT entry, added_by, time FROM valid_ports_operator ORDER BY position";
constexpr const char* find_operator = "SELECT 1 FROM valid_ports_operator WHERE entry = ?";
constexpr const char* insert_operator = "INSERT INTO valid_ports_operator (entry, added_by) VALUES (?, ?)";
constexpr const char* delete_operator = "DELETE FROM valid_ports_operator WHERE entry = ?";
constexpr const char* mailbox_servers = "SELECT netbios, fqdn FROM servers WHERE role = 'mailbox' AND in_service = 1"
                                        " ORDER BY netbios";
constexpr const char* delete_generated = "DELETE FROM valid_ports_generated";
constexpr const char* insert_generated = "INSERT INTO valid_ports_generated (position, entry, server, time)"
                                         " VALUES (?, ?, ?, ?)";
constexpr const char* now = "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', 'now')";

/// Store and referral, and the directory service (ports-and-routing: Exchange 2007 and later).
constexpr struct { std::uint16_t first, last; } generated_ranges[] = {{6001, 6002}, {6004, 6004}};

std::vector<StoredPortEntry> read_list(Database& database, const char* sql, Origin origin)
{
    std::vector<StoredPortEntry> list;
    Statement query = database.statement(sql);
    while (query.row()) {
        const std::string text = query.text();
        ParsedPortList parsed = parse_port_list(text, origin);
        if (parsed.error || parsed.entries.size() != 1)
            throw DatabaseError(database.path() + ": the " + name(origin) + " ValidPorts entry \"" + text +
                                "\" is not one: " + (parsed.error ? parsed.error->problem : "one entry is expected"));
        StoredPortEntry stored;
        stored.entry = std::move(parsed.entries.front());
        stored.provenance = query.text();
        stored.time = query.text();
        list.push_back(std::move(stored));
    }
    return list;
}

std::string text_of(const std::vector<StoredPortEntry>& list)
{
    std::vector<PortEntry> entries;
    for (const StoredPortEntry& stored : list)
        entries.push_back(stored.entry);
    return port_list_text(entries);
}

} // namespace

std::vector<StoredPortEntry> PortStore::list()
{
    std::vector<StoredPortEntry> all = generated();
    for (StoredPortEntry& stored : read_list(database_, list_operator, Origin::administrator))
        all.push_back(std::move(stored));
    return all;
}

std::vector<StoredPortEntry> PortStore::generated()
{
    return read_list(database_, list_generated, Origin::generated);
}

Change PortStore::add(const PortEntry& entry, std::string_view who)
{
    const std::string text = entry.text();
    if (database_.statement(find_operator).bind(text).row())
        return Change::exists("ValidPorts has the operator entry " + text + " already");
    if (!database_.statement(insert_operator).bind(text).bind(who).run())
        return Change::refused("the entry " + text + " is refused: " + database_.message());
    return {};
}

Change PortStore::remove(const PortEntry& entry)
{
    const std::string text = entry.text();
    {
        Statement query = database_.statement(delete_operator);
        if (query.bind(text).run() && query.changes() > 0)
            return {};
    }
    for (const StoredPortEntry& stored : generated())
        if (base::equal_nocase(stored.entry.text(), text))
            return Change::refused("the entry " + text + " is generated from server " + stored.provenance +
                                   "; take the server out of service or remove it, then rebuild");
    return Change::missing("ValidPorts has no operator entry " + text + "; \"valid-ports list -v\" shows all");
}

std::vector<StoredPortEntry> PortStore::generate()
{
    std::vector<StoredPortEntry> list;
    std::unordered_set<std::string> seen;
    Statement query = database_.statement(mailbox_servers);
    while (query.row()) {
        const std::string netbios = query.text();
        const std::string fqdn = query.text();
        for (const std::string& host : {netbios, fqdn}) {
            if (!seen.insert(base::lower(host)).second)
                continue;
            for (const auto& range : generated_ranges) {
                StoredPortEntry stored;
                stored.entry = {host, false, range.first, range.last, Origin::generated};
                stored.provenance = netbios;
                list.push_back(std::move(stored));
            }
        }
    }
    return list;
}

void PortStore::replace_generated(const std::vector<StoredPortEntry>& entries)
{
    std::unordered_map<std::string, std::string> since;
    for (const StoredPortEntry& stored : generated())
        since[stored.entry.text()] = stored.time;
    std::string today;
    {
        Statement query = database_.statement(now);
        today = query.row() ? query.text() : "";
    }
    const auto refused = [&] {
        throw DatabaseError(database_.path() + ": the generated list is refused: " + database_.message());
    };
    if (!database_.statement(delete_generated).run())
        refused();
    std::int64_t position = 0;
    for (const StoredPortEntry& stored : entries) {
        const std::string text = stored.entry.text();
        const auto known = since.find(text);
        const std::string& time = known == since.end() ? today : known->second;
        Statement query = database_.statement(insert_generated);
        if (!query.bind(++position).bind(text).bind(stored.provenance).bind(time).run())
            refused();
    }
}

Rebuild rebuild_generated(Database& database, bool dry_run) noexcept
{
    Rebuild result;
    try {
        PortStore store(database);
        const auto same = [&] {
            result.old_text = text_of(store.generated());
            result.new_text = text_of(store.generate());
            return result.old_text == result.new_text;
        };
        // The common case takes no write lock.
        if (same()) {
            result.kind = Rebuild::Kind::unchanged;
        } else if (dry_run) {
            result.kind = Rebuild::Kind::changed;
        } else {
            Transaction transaction(database);
            result.kind = same() ? Rebuild::Kind::unchanged : Rebuild::Kind::changed;
            store.replace_generated(store.generate());
            transaction.commit();
        }
    } catch (const std::exception& error) {
        result.kind = Rebuild::Kind::failed;
        result.error = error.what();
    }
    return result;
}

Rebuild rebuild_generated(const std::string& database_path, bool dry_run) noexcept
{
    try {
        Database database(database_path, dry_run ? Database::Mode::read : Database::Mode::generate);
        return rebuild_generated(database, dry_run);
    } catch (const std::exception& error) {
        return {Rebuild::Kind::failed, {}, {}, error.what()};
    }
}

} // namespace directory
