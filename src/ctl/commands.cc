#include "ctl/commands.h"

namespace ctl {
namespace {

constexpr Command table[] = {
    {"init", "", "make the directory database, or bring an older one up to date", init},

    {"user add", "NAME [--domain DOMAIN]... [--upn USER@REALM]... [--ntlm]", "add a local user; password on standard input",
     user_add},
    {"user list", "", "users, their logins, and who can use NTLM", user_list},
    {"user disable", "NAME", "refuse the user from now on", user_disable},
    {"user enable", "NAME", "allow a disabled user again", user_enable},
    {"user password", "NAME", "set a new password; password on standard input", user_password},
    {"user ntlm", "NAME on|off", "let the user log in with NTLM, or no longer; on: password on standard input", user_ntlm},
    {"user add-login", "NAME LOGIN", "another name to log in with: NAME, DOMAIN\\NAME or NAME@REALM", user_add_login},
    {"user remove-login", "NAME LOGIN", "take such a name away", user_remove_login},
    {"user remove", "NAME", "remove the user and its logins", user_remove},

    {"server add", "NAME --fqdn FQDN [--role mailbox|cas|dc] [--version VERSION] [--site SITE]",
     "add a server, in service; NAME is its NetBIOS name", server_add},
    {"server list", "", "servers", server_list},
    {"server in-service", "NAME", "use the server again", server_in_service},
    {"server out-of-service", "NAME", "send nobody to the server", server_out_of_service},
    {"server remove", "NAME", "remove a server and its endpoints", server_remove},

    {"endpoint add", "SERVER PORT [--transport ncacn_http|ncacn_ip_tcp] [--connect HOST:PORT]",
     "how and where a port of a server is reached", endpoint_add},
    {"endpoint list", "[SERVER]", "endpoints", endpoint_list},
    {"endpoint remove", "SERVER PORT", "back to the default: ncacn_http to the FQDN", endpoint_remove},

    {"database add", "DB", "add a mailbox database", database_add},
    {"database list", "", "databases and their active servers", database_list},
    {"database remove", "DB", "remove a database without mailboxes", database_remove},
    {"copy add", "DB SERVER", "add a copy; the first one is active", copy_add},
    {"copy list", "[DB]", "copies", copy_list},
    {"copy remove", "DB SERVER", "remove a copy that is not active, or the last one", copy_remove},
    {"activate", "DB SERVER", "make the copy on SERVER the active one", activate},
    {"mailbox add", "GUID@DOMAIN DB", "add a mailbox", mailbox_add},
    {"mailbox list", "[DB]", "mailboxes", mailbox_list},
    {"mailbox remove", "GUID@DOMAIN", "remove a mailbox", mailbox_remove},

    {"valid-ports", "[-v]", "the same as valid-ports list", valid_ports_list},
    {"valid-ports list", "[-v]", "the allowlist in registry syntax; -v: where each entry comes from", valid_ports_list},
    {"valid-ports add", "ENTRY", "add an operator entry", valid_ports_add},
    {"valid-ports remove", "ENTRY", "remove an operator entry", valid_ports_remove},
    {"valid-ports rebuild", "[--dry-run]", "make the generated entries anew from the servers", valid_ports_rebuild},
    {"explain", "TARGET", "which rule decides on TARGET, and where it would go", explain},
};

} // namespace

std::span<const Command> commands() noexcept
{
    return table;
}

directory::Database& Context::open(directory::Database::Mode mode)
{
    database = std::make_unique<directory::Database>(path, mode);
    return *database;
}

} // namespace ctl
