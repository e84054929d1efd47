#include "directory/servers.h"

#include "base/fold.h"
#include "base/pasted.h"
#include "ctl/commands.h"
#include "directory/target.h"

namespace ctl {
namespace {

std::string place(const std::string& host, std::uint16_t port)
{
    return (host.find(':') == host.npos ? host : '[' + host + ']') + ':' + std::to_string(port);
}

Exit bad_port(const Context& context, const std::string& text)
{
    const std::string odd = base::odd_byte(text, base::digit);
    return context.report.failed(Exit::usage, '"' + text + "\" is not a port" + (odd.empty() ? "" : ": " + odd) +
                                                  "; it is a number of 1 to 65535, without leading zeros");
}

Exit set_in_service(Context& context, bool in_service)
{
    const std::string name = context.arguments.operand(0);
    return context.report.change(directory::Servers(context.write()).set_in_service(name, in_service),
                                 "server " + name + (in_service ? " is in service" : " is out of service") +
                                     "; \"valid-ports rebuild\" brings the allowlist up to date at once");
}

} // namespace

Exit server_add(Context& context)
{
    const Arguments& arguments = context.arguments;
    directory::Server server;
    server.netbios = arguments.operand(0);
    server.fqdn = *arguments.value("--fqdn");
    server.role = directory::parse_role(arguments.value("--role").value_or("mailbox")).value();
    server.version = arguments.value("--version").value_or("");
    server.site = arguments.value("--site").value_or("");
    if (const std::string fault = directory::name_fault(server); !fault.empty())
        return context.report.failed(Exit::usage, fault);
    for (const std::string& text : {server.version, server.site})
        if (!base::fold(text))
            return context.report.failed(Exit::usage, "version and site are text without control characters, in UTF-8: " +
                                                          base::quoted(text));
    return context.report.change(directory::Servers(context.write()).add(server),
                                 "server " + server.netbios + " is added");
}

Exit server_list(Context& context)
{
    Listing listing({{"name", "NAME"}, {"fqdn", "FQDN"}, {"role", "ROLE"}, {"version", "VERSION"}, {"site", "SITE"},
                     {"in_service", "IN SERVICE"}});
    for (const directory::Server& server : directory::Servers(context.read()).list())
        listing.add({server.netbios, server.fqdn, std::string(name(server.role)), server.version, server.site,
                     server.in_service});
    return listing.print(context.report);
}

Exit server_in_service(Context& context)
{
    return set_in_service(context, true);
}

Exit server_out_of_service(Context& context)
{
    return set_in_service(context, false);
}

Exit server_remove(Context& context)
{
    const std::string server = context.arguments.operand(0);
    return context.report.change(directory::Servers(context.write()).remove(server),
                                 "server " + server + " is removed");
}

Exit endpoint_add(Context& context)
{
    const Arguments& arguments = context.arguments;
    directory::Endpoint endpoint;
    endpoint.server = arguments.operand(0);
    const auto port = directory::parse_port(arguments.operand(1));
    if (!port)
        return bad_port(context, arguments.operand(1));
    endpoint.port = *port;
    endpoint.transport = directory::parse_transport(arguments.value("--transport").value_or("ncacn_http")).value();
    if (const auto connect = arguments.value("--connect")) {
        const directory::ParsedTarget parsed = directory::parse_target(*connect);
        if (!parsed.target || parsed.target->mailbox)
            return context.report.failed(Exit::usage, "--connect \"" + *connect + "\" is not HOST:PORT: " +
                                                          (parsed.target ? "a mailbox is no host" : parsed.error));
        endpoint.connect_host = parsed.target->host;
        endpoint.connect_port = parsed.target->port;
        endpoint.default_connect = false;
    }
    return context.report.change(directory::Servers(context.write()).add_endpoint(endpoint),
                                 "endpoint " + endpoint.server + ':' + std::to_string(endpoint.port) + " is added");
}

Exit endpoint_list(Context& context)
{
    directory::Servers servers(context.read());
    const std::string server = context.arguments.operand(0);
    if (context.arguments.has_operand(0) && !servers.find(server))
        return context.report.failed(Exit::state, "there is no server " + base::quoted(server) + "; \"server list\" shows all");
    Listing listing({{"server", "SERVER"}, {"port", "PORT"}, {"transport", "TRANSPORT"}, {"connect", "CONNECT"},
                     {"default_connect", "DEFAULT"}});
    for (const directory::Endpoint& endpoint : servers.endpoints(server))
        listing.add({endpoint.server, std::int64_t{endpoint.port}, std::string(name(endpoint.transport)),
                     place(endpoint.connect_host, endpoint.connect_port), endpoint.default_connect});
    return listing.print(context.report);
}

Exit endpoint_remove(Context& context)
{
    const std::string server = context.arguments.operand(0);
    const auto port = directory::parse_port(context.arguments.operand(1));
    if (!port)
        return bad_port(context, context.arguments.operand(1));
    return context.report.change(directory::Servers(context.write()).remove_endpoint(server, *port),
                                 "endpoint " + server + ':' + std::to_string(*port) + " is removed");
}

} // namespace ctl
