#include "directory/servers.h"

#include "base/pasted.h"
#include "base/text.h"
#include "directory/target.h"

namespace directory {
namespace {

constexpr const char* find_server = "SELECT netbios, fqdn, role, version, site, in_service FROM servers"
                                    " WHERE netbios = ?1 OR fqdn = ?1";
constexpr const char* list_servers = "SELECT netbios, fqdn, role, version, site, in_service FROM servers"
                                     " ORDER BY netbios";
constexpr const char* insert_server = "INSERT INTO servers (netbios, fqdn, role, version, site, in_service)"
                                      " VALUES (?, ?, ?, ?, ?, ?)";
constexpr const char* copies_on = "SELECT count(*) FROM copies c JOIN servers s ON s.id = c.server"
                                  " WHERE s.netbios = ?1 OR s.fqdn = ?1";
constexpr const char* delete_server = "DELETE FROM servers WHERE netbios = ?1 OR fqdn = ?1";
constexpr const char* update_service = "UPDATE servers SET in_service = ? WHERE netbios = ?2 OR fqdn = ?2";
constexpr const char* find_endpoint = "SELECT 1 FROM endpoints e JOIN servers s ON s.id = e.server"
                                      " WHERE e.port = ?1 AND (s.netbios = ?2 OR s.fqdn = ?2)";
constexpr const char* insert_endpoint =
    "INSERT INTO endpoints (port, transport, connect_host, connect_port, server)"
    " SELECT ?, ?, ?, ?, id FROM servers WHERE netbios = ?5 OR fqdn = ?5";
constexpr const char* delete_endpoint = "DELETE FROM endpoints WHERE port = ?1 AND server ="
                                        " (SELECT id FROM servers WHERE netbios = ?2 OR fqdn = ?2)";
constexpr const char* list_endpoints =
    "SELECT s.netbios, e.port, e.transport, coalesce(e.connect_host, s.fqdn), coalesce(e.connect_port, e.port),"
    " e.connect_host IS NULL FROM endpoints e JOIN servers s ON s.id = e.server"
    " WHERE ?1 = '' OR s.netbios = ?1 OR s.fqdn = ?1 ORDER BY s.netbios, e.port";

Server read_server(Statement& query)
{
    Server server;
    server.netbios = query.text();
    server.fqdn = query.text();
    server.role = parse_role(query.text()).value_or(Role::mailbox);
    server.version = query.text();
    server.site = query.text();
    server.in_service = query.number() != 0;
    return server;
}

} // namespace

const char* name(Role role) noexcept
{
    switch (role) {
    case Role::mailbox: return "mailbox";
    case Role::cas: return "cas";
    case Role::dc: return "dc";
    }
    return "";
}

std::optional<Role> parse_role(std::string_view text) noexcept
{
    for (const Role role : {Role::mailbox, Role::cas, Role::dc})
        if (base::equal_nocase(text, name(role)))
            return role;
    return std::nullopt;
}

std::string name_fault(const Server& server)
{
    std::string fault = host_name_fault(server.netbios);
    if (const auto dot = server.netbios.find('.'); fault.empty() && dot != server.netbios.npos)
        fault = base::byte_text(server.netbios, dot);
    if (!fault.empty())
        return '"' + server.netbios + "\" is not a NetBIOS name: " + fault + "; it has letters, digits, - and _";
    fault = host_name_fault(server.fqdn);
    return fault.empty() ? fault : '"' + server.fqdn + "\" is not a host name: " + fault;
}

Change Servers::no_such_server(std::string_view server) const
{
    return Change::missing("there is no server " + base::quoted(server) + "; \"server list\" shows all");
}

Change Servers::add(const Server& server)
{
    if (std::string fault = name_fault(server); !fault.empty())
        return Change::refused(std::move(fault));
    Transaction transaction(database_);
    for (const std::string& one : {server.netbios, server.fqdn})
        if (const auto other = find(one))
            return Change::exists("the name " + one + " belongs to server " + other->netbios + " (" + other->fqdn +
                                  ')');
    {
        Statement query = database_.statement(insert_server);
        query.bind(server.netbios).bind(server.fqdn).bind(name(server.role)).bind(server.version).bind(server.site);
        if (!query.bind(server.in_service ? 1 : 0).run())
            return Change::refused("server " + server.netbios + " is refused: " + database_.message());
    }
    transaction.commit();
    return {};
}

Change Servers::remove(std::string_view server)
{
    Transaction transaction(database_);
    {
        Statement query = database_.statement(copies_on);
        if (query.bind(server).row() && query.number() > 0)
            return Change::refused("server " + std::string(server) +
                                   " holds database copies; remove them first (\"copy list\")");
    }
    {
        Statement query = database_.statement(delete_server);
        if (!query.bind(server).run())
            return Change::refused("server " + std::string(server) + " is in use: " + database_.message());
        if (query.changes() == 0)
            return no_such_server(server);
    }
    transaction.commit();
    return {};
}

Change Servers::set_in_service(std::string_view server, bool in_service)
{
    Statement query = database_.statement(update_service);
    const bool ran = query.bind(in_service ? 1 : 0).bind(server).run();
    return ran && query.changes() > 0 ? Change{} : no_such_server(server);
}

std::optional<Server> Servers::find(std::string_view server)
{
    Statement query = database_.statement(find_server);
    return query.bind(server).row() ? std::optional(read_server(query)) : std::nullopt;
}

std::vector<Server> Servers::list()
{
    std::vector<Server> servers;
    Statement query = database_.statement(list_servers);
    while (query.row())
        servers.push_back(read_server(query));
    return servers;
}

Change Servers::add_endpoint(const Endpoint& endpoint)
{
    Transaction transaction(database_);
    if (!find(endpoint.server))
        return no_such_server(endpoint.server);
    const std::string what = endpoint.server + " port " + std::to_string(endpoint.port);
    {
        Statement query = database_.statement(find_endpoint);
        if (query.bind(endpoint.port).bind(endpoint.server).row())
            return Change::exists("server " + what + " has an endpoint already; remove it first to change it");
    }
    {
        Statement query = database_.statement(insert_endpoint);
        query.bind(endpoint.port).bind(name(endpoint.transport));
        if (endpoint.default_connect)
            query.bind_null().bind_null();
        else
            query.bind(endpoint.connect_host).bind(endpoint.connect_port);
        if (!query.bind(endpoint.server).run())
            return Change::refused("the endpoint " + what + " is refused: " + database_.message());
    }
    transaction.commit();
    return {};
}

Change Servers::remove_endpoint(std::string_view server, std::uint16_t port)
{
    if (!find(server))
        return no_such_server(server);
    Statement query = database_.statement(delete_endpoint);
    const bool ran = query.bind(port).bind(server).run();
    if (ran && query.changes() > 0)
        return {};
    return Change::missing("server " + std::string(server) + " has no endpoint for port " + std::to_string(port));
}

std::vector<Endpoint> Servers::endpoints(std::optional<std::string_view> server)
{
    std::vector<Endpoint> endpoints;
    Statement query = database_.statement(list_endpoints);
    query.bind(server.value_or(""));
    while (query.row()) {
        Endpoint endpoint;
        endpoint.server = query.text();
        endpoint.port = static_cast<std::uint16_t>(query.number());
        endpoint.transport = parse_transport(query.text()).value_or(Transport::ncacn_http);
        endpoint.connect_host = query.text();
        endpoint.connect_port = static_cast<std::uint16_t>(query.number());
        endpoint.default_connect = query.number() != 0;
        endpoints.push_back(std::move(endpoint));
    }
    return endpoints;
}

} // namespace directory
