#pragma once

#include "directory/change.h"
#include "directory/database.h"
#include "directory/transport.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace directory {

enum class Role { mailbox, cas, dc };

const char* name(Role role) noexcept; ///< "mailbox", "cas", "dc"
std::optional<Role> parse_role(std::string_view text) noexcept;

struct Server {
    std::string netbios;
    std::string fqdn;
    Role role = Role::mailbox;
    std::string version; ///< "2010", "2013" ...; may be empty
    std::string site;    ///< may be empty
    bool in_service = true;
};

/// Why the NetBIOS name or the FQDN is none, as a sentence for the person who wrote it. Empty: they are names.
std::string name_fault(const Server& server);

/// Where a port of a server is reached.
struct Endpoint {
    std::string server; ///< NetBIOS name
    std::uint16_t port = 0;
    Transport transport = Transport::ncacn_http;
    std::string connect_host;        ///< name or literal without brackets; the FQDN when the row is silent
    std::uint16_t connect_port = 0;
    bool default_connect = true;     ///< the row is silent about where to connect
};

/// Servers and endpoints. A server is named by its NetBIOS name or its FQDN, in any case; all these names are
/// different. Throws DatabaseError when the database fails.
class Servers {
public:
    explicit Servers(Database& database) : database_(database) {}

    Change add(const Server& server);
    /// Takes its endpoints along; refused while it holds database copies.
    Change remove(std::string_view server);
    Change set_in_service(std::string_view server, bool in_service);
    std::optional<Server> find(std::string_view server);
    std::vector<Server> list();

    /// `endpoint.connect_*` count only when default_connect is false.
    Change add_endpoint(const Endpoint& endpoint);
    Change remove_endpoint(std::string_view server, std::uint16_t port);
    /// Of all servers, or of one.
    std::vector<Endpoint> endpoints(std::optional<std::string_view> server = std::nullopt);

private:
    Change no_such_server(std::string_view server) const;

    Database& database_;
};

} // namespace directory
