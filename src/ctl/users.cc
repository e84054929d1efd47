#include "access/password.h"
#include "base/ask_password.h"
#include "base/pasted.h"
#include "ctl/commands.h"
#include "directory/accounts.h"
#include "ntlm/keys.h"

#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <exception>

namespace ctl {
namespace {

Exit bad_login(const Context& context, const std::string& text)
{
    const std::string fault = base::Login::fault(text);
    return context.report.failed(Exit::usage, '"' + text + "\" is not a login" + (fault.empty() ? "" : ": " + fault) +
                                                  "; it is NAME, DOMAIN\\NAME or NAME@REALM, without : or /");
}

constexpr char no_password[] = "no password was given: write it to standard input, in one line";

constexpr char not_utf8[] = "the password is not UTF-8; nothing is changed";

/// One line of standard input, or asked for on a terminal.
std::optional<std::string> read_password(const std::string& prompt)
{
    return ::isatty(STDIN_FILENO) == 1 ? base::ask_password(prompt) : base::read_password(STDIN_FILENO);
}

/// Nullopt when the password is not UTF-8.
std::optional<directory::NtHash> nt_hash(std::string_view password)
{
    const std::optional<ntlm::Key> key = ntlm::nt_hash(password);
    if (!key)
        return std::nullopt;
    directory::NtHash hash;
    std::copy_n(key->data(), hash.size(), hash.begin());
    return hash;
}

struct Hashes {
    std::string pw_crypt;
    directory::NtHash nt;
};

/// Reads a password, twice on a terminal, and hashes it. Nothing when that failed, which has been reported.
std::optional<Hashes> new_password(const Context& context, const std::string& user, Exit& exit)
{
    std::optional<std::string> password = read_password("New password for " + user + ": ");
    std::string problem;
    if (!password)
        problem = no_password;
    if (password && ::isatty(STDIN_FILENO) == 1) {
        std::optional<std::string> again = base::ask_password("Again: ");
        if (again != password)
            problem = "the two passwords differ; nothing is changed";
        if (again)
            explicit_bzero(again->data(), again->size());
    }
    std::optional<Hashes> hashes;
    if (problem.empty()) {
        try {
            if (const std::optional<directory::NtHash> nt = nt_hash(*password))
                hashes = Hashes{auth::hash_password(*password), *nt};
            else
                problem = not_utf8; // what clients send is UTF-8 before it is compared
        } catch (const std::exception& error) {
            problem = error.what();
        }
    }
    if (password)
        explicit_bzero(password->data(), password->size());
    if (!hashes)
        exit = context.report.failed(Exit::usage, problem);
    return hashes;
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
    const auto hashes = new_password(context, name, exit);
    if (!hashes)
        return exit;
    const bool ntlm = context.arguments.has("--ntlm");
    return context.report.change(accounts.add(name, logins, hashes->pw_crypt, ntlm ? std::optional(hashes->nt) : std::nullopt),
                                 "user " + name + " is added");
}

Exit user_list(Context& context)
{
    Listing listing({{"name", "NAME"}, {"enabled", "ENABLED"}, {"ntlm", "NTLM"}, {"logins", "LOGINS"},
                     {"password_set", "PASSWORD SET"}});
    for (const directory::AccountDetails& account : directory::AccountEditor(context.read()).list()) {
        std::vector<std::string> logins;
        for (const base::Login& login : account.logins)
            logins.push_back(login.text());
        listing.add({account.canonical, account.enabled, account.ntlm, std::move(logins), account.changed_at});
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
    const auto hashes = new_password(context, name, exit);
    if (!hashes)
        return exit;
    return context.report.change(accounts.set_password(name, hashes->pw_crypt, hashes->nt), "user " + name + " has a new password");
}

Exit user_ntlm(Context& context)
{
    const std::string name = context.arguments.operand(0), wanted = context.arguments.operand(1);
    if (wanted != "on" && wanted != "off")
        return context.report.failed(Exit::usage, base::quoted(wanted) + " is neither on nor off");
    directory::AccountEditor accounts(context.write());
    if (wanted == "off")
        return context.report.change(accounts.clear_ntlm(name), "user " + name + " can no longer log in with NTLM");

    const std::optional<std::string> pw_crypt = accounts.pw_crypt(name);
    if (!pw_crypt)
        return no_such_user(context, name);
    // The one that is kept cannot be turned into the other hash.
    std::optional<std::string> password = read_password("Password of " + name + ": ");
    if (!password)
        return context.report.failed(Exit::usage, no_password);
    const bool right = auth::verify_password(*password, *pw_crypt);
    const std::optional<directory::NtHash> hash = nt_hash(*password);
    explicit_bzero(password->data(), password->size());
    if (!right)
        return context.report.failed(Exit::state, "this is not the password of user " + name +
                                                      "; nothing is changed, \"user password\" sets a new one");
    if (!hash)
        return context.report.failed(Exit::usage, not_utf8);
    return context.report.change(accounts.set_ntlm(name, *pw_crypt, *hash), "user " + name + " can log in with NTLM");
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
