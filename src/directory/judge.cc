#include "directory/judge.h"

#include <exception>
#include <memory>
#include <utility>

namespace directory {
namespace {

constexpr const char* find_server =
    "SELECT s.netbios, s.fqdn, s.in_service, e.transport, e.connect_host, e.connect_port"
    " FROM servers s LEFT JOIN endpoints e ON e.server = s.id AND e.port = ?1"
    " WHERE s.netbios = ?2 OR s.fqdn = ?2";
constexpr const char* find_mailbox =
    "SELECT d.name, s.netbios, s.fqdn, s.in_service, e.transport, e.connect_host, e.connect_port"
    " FROM mailboxes m JOIN databases d ON d.id = m.database"
    " LEFT JOIN copies c ON c.database = d.id AND c.active = 1 LEFT JOIN servers s ON s.id = c.server"
    " LEFT JOIN endpoints e ON e.server = s.id AND e.port = ?1"
    " WHERE m.guid = ?2 AND m.domain = ?3";

constexpr const char* default_rule = "default (deny)";

std::string rule_text(const ValidPorts::Match& match)
{
    return match.entry + " (" + name(match.origin) + ')';
}

/// A server as the two statements deliver it, with its endpoint for the port that is asked for.
struct ServerRow {
    std::string netbios, fqdn;
    bool in_service;
    Route route;

    ServerRow(Statement& query, std::uint16_t port)
        : netbios(query.text()), fqdn(query.text()), in_service(query.number() != 0)
    {
        route.server = netbios;
        route.transport = parse_transport(query.text()).value_or(Transport::ncacn_http);
        const bool silent = query.is_null();
        route.host = silent ? fqdn : query.text();
        route.port = silent ? port : static_cast<std::uint16_t>(query.number());
    }
};

void refuse(Decision& decision, Decision::Kind kind, std::string reason)
{
    decision.kind = kind;
    decision.reason = std::move(reason);
}

/// The end of both ways: the server is known and the list allows it.
void follow(Decision& decision, ServerRow server, std::string reason)
{
    if (!server.in_service)
        return refuse(decision, Decision::Kind::no_route, reason + ", which is out of service");
    if (server.route.transport == Transport::https)
        return refuse(decision, Decision::Kind::no_route,
                      reason + ", whose endpoint asks for https, which is not served");
    decision.kind = Decision::Kind::allowed;
    decision.reason = std::move(reason);
    decision.route = std::move(server.route);
}

} // namespace

Decision Judge::decide(std::string_view raw_target) noexcept
{
    Decision decision;
    try {
        ParsedTarget parsed = parse_target(raw_target);
        if (!parsed.target) {
            decision.rule = "syntax";
            refuse(decision, Decision::Kind::malformed, parsed.error);
            return decision;
        }
        decision.target = std::move(*parsed.target);
        if (decision.target.mailbox)
            judge_mailbox(decision);
        else
            judge_name(decision);
    } catch (const std::exception& error) {
        // Whatever was half decided is not a permission.
        decision.kind = Decision::Kind::failed;
        decision.route = {};
        decision.reason = error.what();
        watch_.doubt();
    }
    return decision;
}

void Judge::ask_about_nobody(Database& database)
{
    database.statement(find_server).row();
    database.statement(find_mailbox).row();
}

void Judge::judge_name(Decision& decision)
{
    const Target& target = decision.target;
    // The list is asked before anything is looked up: who is not allowed learns nothing, not even by time.
    const auto match = list_.get()->match(target.host, target.port);
    if (!match) {
        decision.rule = default_rule;
        return refuse(decision, Decision::Kind::denied, "no ValidPorts entry allows " + target.text);
    }
    decision.rule = rule_text(*match);

    const Connections::Lease database = readers_.take();
    Statement query = database->statement(find_server);
    if (query.bind(target.port).bind(target.host).row()) {
        ServerRow server(query, target.port);
        std::string reason = target.host + " is server " + server.netbios;
        return follow(decision, std::move(server), std::move(reason));
    }
    if (match->origin == Origin::generated)
        return refuse(decision, Decision::Kind::no_route,
                      target.host + " is no longer a server of the directory; the next rebuild takes the entry away");
    decision.kind = Decision::Kind::allowed;
    decision.reason = target.host + " is not in the directory and is reached by its own name";
    decision.route = {Transport::ncacn_http, target.host, target.port, target.host};
}

void Judge::judge_mailbox(Decision& decision)
{
    const Target& target = decision.target;
    const std::string mailbox = "mailbox " + target.mailbox->text();
    const Connections::Lease database = readers_.take();
    Statement query = database->statement(find_mailbox);
    decision.rule = mailbox;
    if (!query.bind(target.port).bind(target.mailbox->guid).bind(target.mailbox->domain).row())
        return refuse(decision, Decision::Kind::unknown_mailbox, "the directory has no " + mailbox);

    const std::string held_by = query.text();
    if (query.is_null())
        return refuse(decision, Decision::Kind::no_route,
                      mailbox + " is in database " + held_by + ", which has no active copy");
    ServerRow server(query, target.port);
    std::string reason = mailbox + " is in database " + held_by + ", active on server " + server.netbios;

    // The name of a mailbox is on no list. The server behind it must be, under either of its names.
    const std::shared_ptr<const ValidPorts> list = list_.get();
    auto match = list->match(server.fqdn, target.port);
    if (!match)
        match = list->match(server.netbios, target.port);
    if (!match) {
        decision.rule = default_rule;
        // Being out of service is why its generated entries are missing, so it is the better answer.
        if (!server.in_service)
            return refuse(decision, Decision::Kind::no_route, reason + ", which is out of service");
        return refuse(decision, Decision::Kind::denied,
                      reason + ", and no ValidPorts entry allows " + server.fqdn + " or " + server.netbios +
                          " on port " + std::to_string(target.port));
    }
    decision.rule = rule_text(*match);
    follow(decision, std::move(server), std::move(reason));
}

} // namespace directory
