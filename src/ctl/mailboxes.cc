#include "directory/mailboxes.h"

#include "base/fold.h"
#include "base/pasted.h"
#include "ctl/commands.h"
#include "directory/target.h"

namespace ctl {
namespace {

Exit bad_mailbox(const Context& context)
{
    const std::string text = context.arguments.operand(0);
    const std::string odd = base::odd_byte(text, [](char c) noexcept { return directory::is_name_byte(c) || c == '@'; });
    return context.report.failed(Exit::usage, '"' + text + "\" is not GUID@DOMAIN" + (odd.empty() ? "" : ": " + odd) +
                                                  "; it is 8-4-4-4-12 hexadecimal digits without braces, and the domain"
                                                  " of the owner's primary mail address");
}

} // namespace

Exit database_add(Context& context)
{
    const std::string database = context.arguments.operand(0);
    std::string unseen = base::unseen_byte(database);
    if (unseen.empty())
        unseen = base::odd_byte(database, [](char c) noexcept { return c != '"'; });
    if (database.empty() || database.size() > 64 || !unseen.empty() || !base::fold(database))
        return context.report.failed(Exit::usage, "the name of a database is 1 to 64 bytes of text" +
                                                      (unseen.empty() ? "" : ", without " + unseen));
    return context.report.change(directory::Mailboxes(context.write()).add_database(database),
                                 "database " + database + " is added");
}

Exit database_list(Context& context)
{
    Listing listing({{"name", "NAME"}, {"active", "ACTIVE ON"}, {"copies", "COPIES"}, {"mailboxes", "MAILBOXES"}});
    for (const directory::MailboxDatabase& database : directory::Mailboxes(context.read()).databases())
        listing.add({database.name, database.active_server, database.copies, database.mailboxes});
    return listing.print(context.report);
}

Exit database_remove(Context& context)
{
    const std::string database = context.arguments.operand(0);
    return context.report.change(directory::Mailboxes(context.write()).remove_database(database),
                                 "database " + database + " is removed");
}

Exit copy_add(Context& context)
{
    const std::string database = context.arguments.operand(0);
    const std::string server = context.arguments.operand(1);
    return context.report.change(directory::Mailboxes(context.write()).add_copy(database, server),
                                 "the copy of " + database + " on " + server + " is added");
}

Exit copy_list(Context& context)
{
    Listing listing({{"database", "DATABASE"}, {"server", "SERVER"}, {"active", "ACTIVE"},
                     {"in_service", "IN SERVICE"}});
    directory::Mailboxes mailboxes(context.read());
    for (const directory::Copy& copy : mailboxes.copies(context.arguments.operand(0)))
        listing.add({copy.database, copy.server, copy.active, copy.in_service});
    return listing.print(context.report);
}

Exit copy_remove(Context& context)
{
    const std::string database = context.arguments.operand(0);
    const std::string server = context.arguments.operand(1);
    return context.report.change(directory::Mailboxes(context.write()).remove_copy(database, server),
                                 "the copy of " + database + " on " + server + " is removed");
}

Exit activate(Context& context)
{
    const std::string database = context.arguments.operand(0);
    const std::string server = context.arguments.operand(1);
    return context.report.change(directory::Mailboxes(context.write()).activate(database, server),
                                 "database " + database + " is active on " + server);
}

Exit mailbox_add(Context& context)
{
    const auto mailbox = directory::parse_mailbox_name(context.arguments.operand(0));
    if (!mailbox)
        return bad_mailbox(context);
    const std::string database = context.arguments.operand(1);
    return context.report.change(directory::Mailboxes(context.write()).add_mailbox(*mailbox, database),
                                 "mailbox " + mailbox->text() + " is added to database " + database);
}

Exit mailbox_list(Context& context)
{
    Listing listing({{"mailbox", "MAILBOX"}, {"database", "DATABASE"}, {"active", "ACTIVE ON"}});
    directory::Mailboxes mailboxes(context.read());
    for (const directory::Mailbox& mailbox : mailboxes.mailboxes(context.arguments.operand(0)))
        listing.add({mailbox.name.text(), mailbox.database, mailbox.active_server});
    return listing.print(context.report);
}

Exit mailbox_remove(Context& context)
{
    const auto mailbox = directory::parse_mailbox_name(context.arguments.operand(0));
    if (!mailbox)
        return bad_mailbox(context);
    return context.report.change(directory::Mailboxes(context.write()).remove_mailbox(*mailbox),
                                 "mailbox " + mailbox->text() + " is removed");
}

} // namespace ctl
