#include "access/password.h"
#include "base/ask_password.h"
#include "base/pasted.h"
#include "ctl/commands.h"
#include "directory/accounts.h"

#include <string.h>
#include <unistd.h>

#include <exception>

namespace ctl {
namespace {

Exit bad_login(const Context& context, const std::string& text)
{
    const std::string fault = base::Login::fault(text);
    return context.report.failed(Exit::usage, '"' + text + "\" is not a login" + (fault.empty() ? "" : ": " + fault) +
                                                  "; it is NAME, DOMAIN\\NAME or NAME@REALM, without : or /");
}

/// Reads a password and hashes it: one line of standard input, or asked for twice on a terminal. Nothing when
/// that failed, which has been reported.
std::optional<std::string> new_password(const Context& context, const std::string& user, Exit& exit)
{
    const bool terminal = ::isatty(STDIN_FILENO) == 1;
    std::optional<std::string> password =
        terminal ? base::ask_password("New password for " + user + ": ") : base::read_password(STDIN_FILENO);
    std::string problem;
    if (!password)
        problem = "no password was given: write it to standard input, in one line";
    if (password && terminal) {
        std::optional<std::string> again = base::ask_password("Again: ");
        if (again != password)
            problem = "the two passwords differ; nothing is changed";
        if (again)
            explicit_bzero(again->data(), again->size());
    }
    std::optional<std::string> hash;
    if (problem.empty()) {
        try {
            hash = auth::hash_password(*password);
        } catch (const std::exception& error) {
            problem = error.what();
        }
    }
    if (password)
        explicit_bzero(password->data(), password->size());
    if (!hash)
        exit = context.report.failed(Exit::usage, problem);
    return hash;
}

Exit no_such_user(const Context& context, const std::string& name)
{
    return context.report.failed(Exit::state, "there is no user " + base::quoted(name) + "; \"user list\" shows all");
}

Exit set_enabled(Context& context, bool enabled)
{
    const std::string name = context.arguments.operand(0);
    return context.report.change(directory::AccountEditor(context.write()).set_enabled(name, enabled),
                                 "user " + name + (enabled ? " is enabled" : " is disabled"));
}

} // namespace

Exit user_add(Context& context)
{
    const std::string name = context.arguments.operand(0);
    const auto login = base::Login::parse(name);
    if (!login)
        return bad_login(context, name);
    std::vector<base::Login> logins{*login};
    for (const std::string& domain : context.arguments.values("--domain")) {
        const auto other = base::Login::parse(domain + '\\' + login->name);
        if (!other)
            return bad_login(context, domain + '\\' + login->name);
        logins.push_back(*other);
    }
    for (const std::string& upn : context.arguments.values("--upn")) {
        const auto other = base::Login::parse(upn);
        if (!other)
            return bad_login(context, upn);
        if (upn.find('@') == upn.npos)
            return context.report.failed(Exit::usage, "--upn \"" + upn + "\" is not USER@REALM");
        logins.push_back(*other);
    }

    directory::AccountEditor accounts(context.write());
    if (accounts.exists(name))
        return context.report.failed(Exit::state,
                                     "user " + name + " exists already; \"user password\" sets a new password");
    Exit exit{};
    const auto hash = new_password(context, name, exit);
    return hash ? context.report.change(accounts.add(name, logins, *hash), "user " + name + " is added") : exit;
}

Exit user_list(Context& context)
{
    Listing listing({{"name", "NAME"}, {"enabled", "ENABLED"}, {"logins", "LOGINS"}, {"password_set", "PASSWORD SET"}});
    for (const directory::AccountDetails& account : directory::AccountEditor(context.read()).list()) {
        std::vector<std::string> logins;
        for (const base::Login& login : account.logins)
            logins.push_back(login.text());
        listing.add({account.canonical, account.enabled, std::move(logins), account.changed_at});
    }
    return listing.print(context.report);
}

Exit user_disable(Context& context)
{
    return set_enabled(context, false);
}

Exit user_enable(Context& context)
{
    return set_enabled(context, true);
}

Exit user_password(Context& context)
{
    const std::string name = context.arguments.operand(0);
    directory::AccountEditor accounts(context.write());
    if (!accounts.exists(name))
        return no_such_user(context, name);
    Exit exit{};
    const auto hash = new_password(context, name, exit);
    if (!hash)
        return exit;
    return context.report.change(accounts.set_password(name, *hash), "user " + name + " has a new password");
}

Exit user_add_login(Context& context)
{
    const std::string name = context.arguments.operand(0);
    const auto login = base::Login::parse(context.arguments.operand(1));
    if (!login)
        return bad_login(context, context.arguments.operand(1));
    return context.report.change(directory::AccountEditor(context.write()).add_login(name, *login),
                                 "user " + name + " has the login " + login->text());
}

Exit user_remove_login(Context& context)
{
    const std::string name = context.arguments.operand(0);
    const auto login = base::Login::parse(context.arguments.operand(1));
    if (!login)
        return bad_login(context, context.arguments.operand(1));
    return context.report.change(directory::AccountEditor(context.write()).remove_login(name, *login),
                                 "user " + name + " no longer has the login " + login->text());
}

Exit user_remove(Context& context)
{
    const std::string name = context.arguments.operand(0);
    return context.report.change(directory::AccountEditor(context.write()).remove(name),
                                 "user " + name + " is removed");
}

} // namespace ctl
