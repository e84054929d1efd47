#include "base/text.h"
#include "ctl/commands.h"
#include "directory/directory.h"
#include "directory/port_store.h"
#include "directory/schema.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace ctl {
namespace {

using directory::Decision;

/// Who adds an entry: the person behind sudo, else the user of the process.
std::string who()
{
    const uid_t user = ::geteuid();
    const char* behind_sudo = user == 0 ? std::getenv("SUDO_USER") : nullptr;
    if (behind_sudo && *behind_sudo)
        return behind_sudo;
    const passwd* entry = ::getpwuid(user);
    return entry ? entry->pw_name : "uid " + std::to_string(user);
}

/// The entries of the argument; one at least. Empty: it was reported.
std::vector<directory::PortEntry> read_entries(const Context& context, Exit& exit)
{
    const std::string text = context.arguments.operand(0);
    directory::ParsedPortList parsed = directory::parse_port_list(text);
    if (parsed.error)
        exit = context.report.failed(Exit::usage, parsed.error->message());
    else if (parsed.entries.empty())
        exit = context.report.failed(Exit::usage, "the entry is empty; HOST:PORT or HOST:PORT-PORT is expected");
    return std::move(parsed.entries);
}

/// Changes all entries of the argument, or none.
Exit change_entries(Context& context, bool add)
{
    Exit exit{};
    const std::vector<directory::PortEntry> entries = read_entries(context, exit);
    if (entries.empty())
        return exit;
    directory::Database& database = context.write();
    directory::PortStore store(database);
    const std::string user = who();
    directory::Transaction transaction(database);
    for (const directory::PortEntry& entry : entries)
        if (const directory::Change change = add ? store.add(entry, user) : store.remove(entry); !change.ok())
            return context.report.change(change, {});
    transaction.commit();
    return context.report.done("ValidPorts " + std::string(add ? "allows " : "no longer has the operator entry ") +
                               directory::port_list_text(entries));
}

/// What `a` has and `b` has not, both in registry syntax.
std::vector<std::string> missing_in(const std::string& a, const std::string& b)
{
    const std::vector<std::string_view> others = base::split(b, ';');
    std::vector<std::string> result;
    for (const std::string_view entry : base::split(a, ';'))
        if (!entry.empty() && std::find(others.begin(), others.end(), entry) == others.end())
            result.emplace_back(entry);
    return result;
}

} // namespace

Exit init(Context& context)
{
    context.open(directory::Database::Mode::create);
    return context.report.done("the directory " + context.path + " is ready, schema version " +
                               std::to_string(directory::schema_version));
}

Exit valid_ports_list(Context& context)
{
    const auto entries = directory::PortStore(context.read()).list();
    if (context.report.json() || context.arguments.has("-v")) {
        Listing listing({{"entry", "ENTRY"}, {"origin", "ORIGIN"}, {"provenance", "FROM"}, {"since", "SINCE"}});
        for (const directory::StoredPortEntry& stored : entries)
            listing.add({stored.entry.text(), std::string(name(stored.entry.origin)), stored.provenance, stored.time});
        return listing.print(context.report);
    }
    std::vector<directory::PortEntry> plain;
    for (const directory::StoredPortEntry& stored : entries)
        plain.push_back(stored.entry);
    context.report.line(directory::port_list_text(plain));
    return Exit::done;
}

Exit valid_ports_add(Context& context)
{
    return change_entries(context, true);
}

Exit valid_ports_remove(Context& context)
{
    return change_entries(context, false);
}

Exit valid_ports_rebuild(Context& context)
{
    const bool dry_run = context.arguments.has("--dry-run");
    const directory::Rebuild rebuild = directory::rebuild_generated(context.path, dry_run);
    if (rebuild.kind == directory::Rebuild::Kind::failed)
        return context.report.failed(Exit::database, rebuild.error + "; the last good list stays");
    const bool changed = rebuild.kind == directory::Rebuild::Kind::changed;
    const std::vector<std::string> added = missing_in(rebuild.new_text, rebuild.old_text);
    const std::vector<std::string> removed = missing_in(rebuild.old_text, rebuild.new_text);
    if (context.report.json()) {
        Json json;
        json.begin_object().key("changed").value(changed).key("dry_run").value(dry_run);
        json.key("added").value(added).key("removed").value(removed);
        json.key("old").value(rebuild.old_text).key("new").value(rebuild.new_text).end_object();
        context.report.line(json.text());
        return Exit::done;
    }
    for (const std::string& entry : removed)
        context.report.line("- " + entry);
    for (const std::string& entry : added)
        context.report.line("+ " + entry);
    return context.report.done(!changed  ? "the generated entries are up to date"
                               : dry_run ? "the generated entries would change so"
                                         : "the generated entries are changed");
}

Exit explain(Context& context)
{
    const Decision decision = directory::Directory(context.path).judge.decide(context.arguments.operand(0));
    if (decision.kind == Decision::Kind::failed)
        return context.report.failed(Exit::database, decision.reason);
    const Exit exit = decision.allowed() ? Exit::done : Exit::denied;
    const std::string target = context.arguments.operand(0);
    if (context.report.json()) {
        Json json;
        json.begin_object().key("target").value(target).key("verdict").value(name(decision.kind));
        json.key("rule").value(decision.rule).key("reason").value(decision.reason);
        json.key("route");
        if (decision.allowed()) {
            json.begin_object().key("server").value(decision.route.server);
            json.key("transport").value(name(decision.route.transport));
            json.key("host").value(decision.route.host);
            json.key("port").value(std::int64_t{decision.route.port}).end_object();
        } else {
            json.null();
        }
        context.report.line(json.end_object().text());
        return exit;
    }
    context.report.line(std::string("verdict  ") + name(decision.kind));
    context.report.line("rule     " + decision.rule);
    context.report.line("reason   " + decision.reason);
    if (decision.allowed())
        context.report.line("route    " + decision.route.text() + ", server " + decision.route.server);
    return exit;
}

} // namespace ctl
