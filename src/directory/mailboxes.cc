#include "directory/mailboxes.h"

#include "base/pasted.h"

namespace directory {
namespace {

constexpr const char* find_database = "SELECT 1 FROM databases WHERE name = ?";
constexpr const char* insert_database = "INSERT INTO databases (name) VALUES (?)";
constexpr const char* count_mailboxes = "SELECT count(*) FROM mailboxes m JOIN databases d ON d.id = m.database"
                                        " WHERE d.name = ?";
constexpr const char* delete_database = "DELETE FROM databases WHERE name = ?";
constexpr const char* list_databases =
    "SELECT d.name, (SELECT s.netbios FROM copies c JOIN servers s ON s.id = c.server"
    "                WHERE c.database = d.id AND c.active = 1),"
    " (SELECT count(*) FROM copies WHERE database = d.id), (SELECT count(*) FROM mailboxes WHERE database = d.id)"
    " FROM databases d ORDER BY d.name";

constexpr const char* find_server = "SELECT role FROM servers WHERE netbios = ?1 OR fqdn = ?1";
constexpr const char* find_copy =
    "SELECT c.active FROM copies c JOIN databases d ON d.id = c.database JOIN servers s ON s.id = c.server"
    " WHERE d.name = ?1 AND (s.netbios = ?2 OR s.fqdn = ?2)";
constexpr const char* count_copies = "SELECT count(*) FROM copies c JOIN databases d ON d.id = c.database"
                                     " WHERE d.name = ?";
constexpr const char* insert_copy =
    "INSERT INTO copies (database, server, active)"
    " SELECT d.id, s.id, NOT EXISTS (SELECT 1 FROM copies WHERE database = d.id AND active = 1)"
    " FROM databases d, servers s WHERE d.name = ?1 AND (s.netbios = ?2 OR s.fqdn = ?2)";
constexpr const char* delete_copy =
    "DELETE FROM copies WHERE database = (SELECT id FROM databases WHERE name = ?1)"
    " AND server = (SELECT id FROM servers WHERE netbios = ?2 OR fqdn = ?2)";
constexpr const char* deactivate_copy =
    "UPDATE copies SET active = 0 WHERE active = 1 AND database = (SELECT id FROM databases WHERE name = ?)";
constexpr const char* activate_copy =
    "UPDATE copies SET active = 1 WHERE database = (SELECT id FROM databases WHERE name = ?1)"
    " AND server = (SELECT id FROM servers WHERE netbios = ?2 OR fqdn = ?2)";
constexpr const char* list_copies =
    "SELECT d.name, s.netbios, c.active, s.in_service FROM copies c JOIN databases d ON d.id = c.database"
    " JOIN servers s ON s.id = c.server WHERE ?1 = '' OR d.name = ?1 ORDER BY d.name, s.netbios";

constexpr const char* find_mailbox = "SELECT m.domain, d.name FROM mailboxes m JOIN databases d ON d.id = m.database"
                                     " WHERE m.guid = ?";
constexpr const char* insert_mailbox = "INSERT INTO mailboxes (guid, domain, database)"
                                       " SELECT ?, ?, id FROM databases WHERE name = ?";
constexpr const char* delete_mailbox = "DELETE FROM mailboxes WHERE guid = ? AND domain = ?";
constexpr const char* list_mailboxes =
    "SELECT m.guid, m.domain, d.name, s.netbios FROM mailboxes m JOIN databases d ON d.id = m.database"
    " LEFT JOIN copies c ON c.database = d.id AND c.active = 1 LEFT JOIN servers s ON s.id = c.server"
    " WHERE ?1 = '' OR d.name = ?1 ORDER BY m.domain, m.guid";

Change no_such_database(std::string_view name)
{
    return Change::missing("there is no database " + base::quoted(name) + "; \"database list\" shows all");
}

Change no_such_copy(std::string_view database, std::string_view server)
{
    return Change::missing("database " + std::string(database) + " has no copy on " + base::quoted(server) +
                           "; \"copy list\" shows all");
}

/// Whether that copy is the active one; nullopt when there is none.
std::optional<bool> copy_active(Database& database, std::string_view name, std::string_view server)
{
    Statement query = database.statement(find_copy);
    return query.bind(name).bind(server).row() ? std::optional(query.number() != 0) : std::nullopt;
}

std::int64_t count(Database& database, const char* sql, std::string_view name)
{
    Statement query = database.statement(sql);
    return query.bind(name).row() ? query.number() : 0;
}

} // namespace

bool Mailboxes::has_database(std::string_view name)
{
    return database_.statement(find_database).bind(name).row();
}

Change Mailboxes::add_database(std::string_view name)
{
    if (has_database(name))
        return Change::exists("database " + std::string(name) + " exists already");
    if (!database_.statement(insert_database).bind(name).run())
        return Change::refused("database \"" + std::string(name) + "\" is refused: " + database_.message());
    return {};
}

Change Mailboxes::remove_database(std::string_view name)
{
    Transaction transaction(database_);
    if (!has_database(name))
        return no_such_database(name);
    if (const auto held = count(database_, count_mailboxes, name); held > 0)
        return Change::refused("database " + std::string(name) + " holds " + std::to_string(held) +
                               (held == 1 ? " mailbox" : " mailboxes") + "; remove them first (\"mailbox list\")");
    if (!database_.statement(delete_database).bind(name).run())
        return Change::refused("database " + std::string(name) + " is in use: " + database_.message());
    transaction.commit();
    return {};
}

std::vector<MailboxDatabase> Mailboxes::databases()
{
    std::vector<MailboxDatabase> databases;
    Statement query = database_.statement(list_databases);
    while (query.row()) {
        MailboxDatabase one;
        one.name = query.text();
        one.active_server = query.text();
        one.copies = query.number();
        one.mailboxes = query.number();
        databases.push_back(std::move(one));
    }
    return databases;
}

Change Mailboxes::add_copy(std::string_view database, std::string_view server)
{
    Transaction transaction(database_);
    if (!has_database(database))
        return no_such_database(database);
    {
        Statement query = database_.statement(find_server);
        if (!query.bind(server).row())
            return Change::missing("there is no server " + base::quoted(server) + "; \"server list\" shows all");
        if (const std::string role = query.text(); role != "mailbox")
            return Change::refused("server " + std::string(server) + " has role " + role +
                                   "; only a mailbox server holds database copies");
    }
    if (copy_active(database_, database, server))
        return Change::exists("database " + std::string(database) + " has a copy on " + std::string(server) +
                              " already");
    if (!database_.statement(insert_copy).bind(database).bind(server).run())
        return Change::refused("the copy is refused: " + database_.message());
    transaction.commit();
    return {};
}

Change Mailboxes::remove_copy(std::string_view database, std::string_view server)
{
    Transaction transaction(database_);
    const auto active = copy_active(database_, database, server);
    if (!active)
        return no_such_copy(database, server);
    if (*active && count(database_, count_copies, database) > 1)
        return Change::refused("the copy of " + std::string(database) + " on " + std::string(server) +
                               " is the active one; activate another first");
    if (!database_.statement(delete_copy).bind(database).bind(server).run())
        return Change::refused("the copy is in use: " + database_.message());
    transaction.commit();
    return {};
}

Change Mailboxes::activate(std::string_view database, std::string_view server)
{
    Transaction transaction(database_);
    if (!has_database(database))
        return no_such_database(database);
    if (!copy_active(database_, database, server))
        return no_such_copy(database, server);
    if (!database_.statement(deactivate_copy).bind(database).run() ||
        !database_.statement(activate_copy).bind(database).bind(server).run())
        return Change::refused("the activation is refused: " + database_.message());
    transaction.commit();
    return {};
}

std::vector<Copy> Mailboxes::copies(std::optional<std::string_view> database)
{
    std::vector<Copy> copies;
    Statement query = database_.statement(list_copies);
    query.bind(database.value_or(""));
    while (query.row()) {
        Copy copy;
        copy.database = query.text();
        copy.server = query.text();
        copy.active = query.number() != 0;
        copy.in_service = query.number() != 0;
        copies.push_back(std::move(copy));
    }
    return copies;
}

Change Mailboxes::add_mailbox(const MailboxName& mailbox, std::string_view database)
{
    Transaction transaction(database_);
    if (!has_database(database))
        return no_such_database(database);
    {
        Statement query = database_.statement(find_mailbox);
        if (query.bind(mailbox.guid).row()) {
            const std::string domain = query.text();
            return Change::exists("mailbox " + mailbox.guid + '@' + domain + " exists already, in database " +
                                  query.text());
        }
    }
    if (!database_.statement(insert_mailbox).bind(mailbox.guid).bind(mailbox.domain).bind(database).run())
        return Change::refused("mailbox " + mailbox.text() + " is refused: " + database_.message());
    transaction.commit();
    return {};
}

Change Mailboxes::remove_mailbox(const MailboxName& mailbox)
{
    Statement query = database_.statement(delete_mailbox);
    const bool ran = query.bind(mailbox.guid).bind(mailbox.domain).run();
    if (ran && query.changes() > 0)
        return {};
    return Change::missing("there is no mailbox " + mailbox.text() + "; \"mailbox list\" shows all");
}

std::vector<Mailbox> Mailboxes::mailboxes(std::optional<std::string_view> database)
{
    std::vector<Mailbox> mailboxes;
    Statement query = database_.statement(list_mailboxes);
    query.bind(database.value_or(""));
    while (query.row()) {
        Mailbox mailbox;
        mailbox.name.guid = query.text();
        mailbox.name.domain = query.text();
        mailbox.database = query.text();
        mailbox.active_server = query.text();
        mailboxes.push_back(std::move(mailbox));
    }
    return mailboxes;
}

} // namespace directory
