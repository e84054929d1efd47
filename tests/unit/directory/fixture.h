#pragma once

#include "directory/accounts.h"
#include "directory/mailboxes.h"
#include "directory/port_store.h"
#include "directory/servers.h"
#include "unit/base/temporary_name.h"

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

/// A fresh directory database in a folder of its own.
struct TemporaryDirectory {
    TemporaryDirectory()
    {
        folder = temporary_name("rpctunnel-test");
        ::mkdtemp(folder.data());
        path = folder + "/directory.db";
        database = std::make_unique<directory::Database>(path, directory::Database::Mode::create);
        database->execute("PRAGMA synchronous = OFF"); // a test need not survive a power cut
    }
    ~TemporaryDirectory()
    {
        database.reset();
        std::filesystem::remove_all(folder);
    }

    directory::Servers servers() { return directory::Servers(*database); }
    directory::Mailboxes mailboxes() { return directory::Mailboxes(*database); }
    directory::PortStore ports() { return directory::PortStore(*database); }
    directory::AccountEditor accounts() { return directory::AccountEditor(*database); }

    void add_server(const char* netbios, const char* fqdn, directory::Role role = directory::Role::mailbox)
    {
        servers().add({netbios, fqdn, role, "2013", "", true});
    }
    void allow(const char* entry)
    {
        ports().add(directory::parse_port_list(entry).entries.at(0), "test");
    }
    bool sql(const char* text)
    {
        try {
            database->execute(text);
            return true;
        } catch (const directory::DatabaseError&) {
            return false;
        }
    }

    std::string folder, path;
    std::unique_ptr<directory::Database> database;
};
