#pragma once

#include "ctl/command.h"

// The functions of the table of commands, by the file that holds them.

namespace ctl {

// ports.cc
Exit init(Context&);
Exit valid_ports_list(Context&);
Exit valid_ports_add(Context&);
Exit valid_ports_remove(Context&);
Exit valid_ports_rebuild(Context&);
Exit explain(Context&);

// users.cc
Exit user_add(Context&);
Exit user_list(Context&);
Exit user_disable(Context&);
Exit user_enable(Context&);
Exit user_password(Context&);
Exit user_ntlm(Context&);
Exit user_add_login(Context&);
Exit user_remove_login(Context&);
Exit user_remove(Context&);

// servers.cc
Exit server_add(Context&);
Exit server_list(Context&);
Exit server_in_service(Context&);
Exit server_out_of_service(Context&);
Exit server_remove(Context&);
Exit endpoint_add(Context&);
Exit endpoint_list(Context&);
Exit endpoint_remove(Context&);

// mailboxes.cc
Exit database_add(Context&);
Exit database_list(Context&);
Exit database_remove(Context&);
Exit copy_add(Context&);
Exit copy_list(Context&);
Exit copy_remove(Context&);
Exit activate(Context&);
Exit mailbox_add(Context&);
Exit mailbox_list(Context&);
Exit mailbox_remove(Context&);

} // namespace ctl
