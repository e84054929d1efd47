#pragma once

#include "directory/change.h"
#include "directory/database.h"
#include "directory/target.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace directory {

struct MailboxDatabase {
    std::string name;
    std::string active_server; ///< NetBIOS name; empty when it has no copy
    std::int64_t copies = 0;
    std::int64_t mailboxes = 0;
};

struct Copy {
    std::string database;
    std::string server; ///< NetBIOS name
    bool active = false;
    bool in_service = true; ///< the server's
};

struct Mailbox {
    MailboxName name;
    std::string database;
    std::string active_server; ///< NetBIOS name; empty when the database has no copy
};

/// Databases, their copies and the mailboxes in them. A database has at most one active copy; its first copy
/// is the active one. Throws DatabaseError when the database fails.
class Mailboxes {
public:
    explicit Mailboxes(Database& database) : database_(database) {}

    Change add_database(std::string_view name);
    /// Takes its copies along; refused while it holds mailboxes.
    Change remove_database(std::string_view name);
    std::vector<MailboxDatabase> databases();

    /// On a mailbox server only.
    Change add_copy(std::string_view database, std::string_view server);
    /// The active copy goes only as the last one.
    Change remove_copy(std::string_view database, std::string_view server);
    Change activate(std::string_view database, std::string_view server);
    std::vector<Copy> copies(std::optional<std::string_view> database = std::nullopt);

    Change add_mailbox(const MailboxName& mailbox, std::string_view database);
    Change remove_mailbox(const MailboxName& mailbox);
    std::vector<Mailbox> mailboxes(std::optional<std::string_view> database = std::nullopt);

private:
    bool has_database(std::string_view name);

    Database& database_;
};

} // namespace directory
