#pragma once

#include "fixture.h"

#include "base/log.h"

#define GUID1 "ad44b1e0-e44f-4a16-9396-3a437f594f88"
#define GUID2 "ad44b1e0-e44f-4a16-9396-3a437f594f89"

/// Two mailbox servers, DB1 on both and active on EX1, DB2 without a copy; a client access server.
struct TwoServers : TemporaryDirectory {
    TwoServers()
    {
        using directory::Transport;
        base::log::set_level(static_cast<base::log::Level>(-1)); // changes and failures here are meant
        add_server("EX1", "ex1.test");
        add_server("EX2", "ex2.test");
        add_server("CAS1", "cas1.test", directory::Role::cas);
        servers().add_endpoint({"EX1", 6001, Transport::ncacn_ip_tcp, "127.0.0.1", 7001, false});
        servers().add_endpoint({"EX1", 6002, Transport::https, "", 0, true});
        directory::Mailboxes stored = mailboxes();
        stored.add_database("DB1");
        stored.add_copy("DB1", "EX1");
        stored.add_copy("DB1", "EX2");
        stored.add_database("DB2");
        stored.add_mailbox({GUID1, "x.test"}, "DB1");
        stored.add_mailbox({GUID2, "x.test"}, "DB2");
        allow("dc1:6004");
        allow("cas1.test:593");
        allow("[2001:db8::9]:6001");
        directory::rebuild_generated(path, false);
    }
    ~TwoServers() { base::log::set_level(base::log::Level::info); }
};
