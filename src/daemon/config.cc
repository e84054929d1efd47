#include "daemon/config.h"

#include "base/pasted.h"
#include "base/text.h"
#include "daemon/option_table.h"
#include "kerberos/service.h"
#include "net/socket_options.h"
#include "winbind/client.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace rpctunneld {
namespace {

class Reader {
public:
    explicit Reader(const std::string& path)
        : path_(path), folder_(std::filesystem::absolute(path).parent_path().string())
    {
    }

    ConfigResult read(std::string_view text)
    {
        result_.config.path = path_;
        for (std::string_view line : base::split(text, '\n')) {
            ++line_;
            if (line.ends_with('\r'))
                line.remove_suffix(1);
            const std::string error = read_line(line);
            if (error.empty())
                continue;
            // Positions are those in the line, as an editor counts them.
            const std::string odd = base::odd_byte(without_comment(line), base::plain_or_blank);
            complain(odd.empty() ? error : error + "; " + odd);
        }
        fill_defaults();
        check_whole();
        return std::move(result_);
    }

private:
    /// `#` begins a comment at the start of a line or after a blank.
    static std::string_view without_comment(std::string_view line)
    {
        for (std::size_t i = 0; i < line.size(); ++i)
            if (line[i] == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t'))
                return line.substr(0, i);
        return line;
    }

    /// What is wrong with the line; empty: nothing.
    std::string read_line(std::string_view line)
    {
        line = base::trim(without_comment(line));
        if (line.empty())
            return {};
        const auto equals = line.find('=');
        if (equals == std::string_view::npos)
            return "this is not \"name = value\"";
        const std::string name(base::trim(line.substr(0, equals)));
        const std::string_view value = base::trim(line.substr(equals + 1));
        const Option* option = find_option(name);
        if (option == nullptr) {
            const Option* near = nearest_option(name);
            return "unknown option \"" + name + '"' +
                   (near != nullptr ? std::string("; did you mean \"") + near->name + "\"?" : std::string());
        }
        auto& given = result_.config.given[name];
        if (!given.empty() && !option->repeats())
            return name + " is given twice, first in line " + std::to_string(given[0].line);
        given.push_back({std::string(value), line_});
        const std::string error = option->set(result_.config, value, folder_);
        return error.empty() ? error : name + ": " + error;
    }

    void fill_defaults()
    {
        for (const Option& option : option_table())
            if (!result_.config.given.contains(option.name) && *option.fallback != '\0')
                option.set(result_.config, option.fallback, folder_);
    }

    /// What no single line is guilty of.
    void check_whole()
    {
        const Config& c = result_.config;
        if (!result_.errors.empty())
            return;
        if (c.database.empty())
            complain_of("database", "database is missing");
        if (c.listen.empty() && c.listen_tls.empty())
            complain_of("listen", "there is no listener: give listen or listen_tls");
        if (c.tls_certificate.size() != c.tls_key.size())
            complain_of("tls_certificate", "every tls_certificate needs a tls_key: there are " +
                                               std::to_string(c.tls_certificate.size()) + " and " +
                                               std::to_string(c.tls_key.size()));
        if (!c.listen_tls.empty() && c.tls_certificate.empty())
            complain_of("listen_tls", "listen_tls needs tls_certificate and tls_key");
        const auto needs_tls = [](const std::string& name) { return name == "basic"; };
        const bool useless = !c.basic_without_tls && std::all_of(c.auth.begin(), c.auth.end(), needs_tls);
        const bool anonymous = c.rpc_connect == http::RpcConnect::anonymous;
        if (!c.listen.empty() && c.listen_tls.empty() && useless && !anonymous)
            complain_of("listen", "nobody could log in: Basic on a plain listener needs basic_without_tls = yes");
        if (c.rpc_connect != http::RpcConnect::no && c.listen.empty())
            complain_of("rpc_connect", "rpc_connect needs listen: version 1 of the protocol is never served over TLS");
        if (c.rpc_connect == http::RpcConnect::authenticated && useless)
            complain_of("rpc_connect",
                        "nobody could log in: rpc_connect = authenticated needs basic_without_tls = yes");
        using Policy = ntlm::Protection::Policy;
        if (c.extended_protection != Policy::off && std::all_of(c.auth.begin(), c.auth.end(), needs_tls))
            complain_of("extended_protection", "extended_protection needs ntlm or negotiate in auth: Basic is bound to nothing");
        if (c.extended_protection == Policy::require && !c.listen.empty())
            complain_of("extended_protection",
                        "extended_protection = require goes with listen_tls alone: a plain listener has nothing to bind a"
                        " login to");
        const auto offers = [&](const char* scheme) { return std::find(c.auth.begin(), c.auth.end(), scheme) != c.auth.end(); };
        const auto admits = [&](auth::Admission::Rule::Kind kind) {
            return std::any_of(c.admit.begin(), c.admit.end(), [kind](const auto& rule) { return rule.kind == kind; });
        };
        using Rule = auth::Admission::Rule;
        const bool tickets = !c.kerberos_keytab.empty();
        if (tickets && !offers("negotiate") && !c.kerberos_passwords)
            complain_of("kerberos_keytab", "kerberos_keytab needs negotiate in auth, or kerberos_passwords = yes");
        if (c.kerberos_passwords && !tickets)
            complain_of("kerberos_passwords", "kerberos_passwords needs kerberos_keytab: by that key a KDC proves itself");
        else if (c.kerberos_passwords && !offers("basic"))
            complain_of("kerberos_passwords", "kerberos_passwords needs basic in auth");
        else if (c.kerberos_passwords && !admits(Rule::Kind::realm))
            complain_of("kerberos_passwords", "nobody could come in: kerberos_passwords needs admit, as admit = realm CORP.EXAMPLE");
        else if (tickets && result_.errors.empty() && !kerberos::built_in())
            complain_of("kerberos_keytab", "this rpctunneld was built without Kerberos");
        if (c.winbind && !offers("ntlm") && !offers("negotiate"))
            complain_of("winbind", "winbind needs ntlm or negotiate in auth");
        else if (c.winbind && !admits(Rule::Kind::domain) && !admits(Rule::Kind::group))
            complain_of("winbind", "nobody of a domain could come in: winbind needs admit, as admit = domain CORP");
        else if (c.winbind && !winbind::built_in())
            complain_of("winbind", "this rpctunneld was built without winbind");
        if (!tickets && admits(Rule::Kind::realm))
            complain_of("admit", "admit = realm needs kerberos_keytab: nothing else tells of a realm's users");
        if (!c.winbind && (admits(Rule::Kind::domain) || admits(Rule::Kind::group)))
            complain_of("admit", "admit = domain and admit = group need winbind = yes: nothing else tells of a domain's users");
        if (!c.group.empty() && c.user.empty())
            complain_of("group", "group needs user");
        const bool for_nodes = std::any_of(c.pairing_listen.begin(), c.pairing_listen.end(),
                                           [](const auto& port) { return port.target.empty(); });
        if (for_nodes && c.pairing_nodes.empty())
            complain_of("pairing_listen", "pairing_listen needs a target, as 0.0.0.0:6001 exch01:6001, or pairing_nodes");
        if (!c.pairing_nodes.empty() && !for_nodes)
            complain_of("pairing_nodes", "pairing_nodes needs a pairing_listen without a target");
    }

    void complain(const std::string& what)
    {
        result_.errors.push_back(path_ + ':' + std::to_string(line_) + ": " + what);
    }

    /// At the line of the option when it has one.
    void complain_of(const std::string& option, const std::string& what)
    {
        const auto given = result_.config.given.find(option);
        const std::string line = given == result_.config.given.end() ? "" : ':' + std::to_string(given->second[0].line);
        result_.errors.push_back(path_ + line + ": " + what);
    }

    const std::string path_, folder_;
    ConfigResult result_;
    unsigned line_ = 0;
};

} // namespace

ConfigResult parse_config(std::string_view text, const std::string& path)
{
    return Reader(path).read(text);
}

ConfigResult read_config(const std::string& path)
{
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored))
        return {{}, {path + ": " + std::strerror(EISDIR)}};
    std::ifstream file(path);
    if (!file)
        return {{}, {path + ": " + std::strerror(errno)}};
    std::ostringstream text;
    text << file.rdbuf();
    return parse_config(text.str(), path);
}

std::string Config::at(const std::string& option, std::size_t index) const
{
    const auto found = given.find(option);
    const bool known = found != given.end() && index < found->second.size();
    return path + (known ? ':' + std::to_string(found->second[index].line) : "") + ": " + option;
}

std::optional<std::size_t> Config::own_node() const
{
    for (std::size_t i = 0; i < pairing_nodes.size(); ++i) {
        for (const PairingPort& port : pairing_listen) {
            net::Address everywhere = pairing_nodes[i];
            everywhere.clear_host();
            if (port.target.empty() && (port.address == pairing_nodes[i] ||
                                        (port.address == everywhere && net::is_own_address(pairing_nodes[i]))))
                return i;
        }
    }
    return std::nullopt;
}

ConfigChange compare(const Config& before, const Config& after)
{
    ConfigChange change;
    const auto same = [](const Config::Given& a, const Config::Given& b) { return a.value == b.value; };
    for (const Option& option : option_table()) {
        const auto old_uses = before.given.find(option.name);
        const auto new_uses = after.given.find(option.name);
        const bool was = old_uses != before.given.end(), is = new_uses != after.given.end();
        if (was != is || (was && !std::equal(old_uses->second.begin(), old_uses->second.end(), new_uses->second.begin(),
                                             new_uses->second.end(), same)))
            (option.at_once ? change.at_once : change.restart).push_back(option.name);
    }
    return change;
}

} // namespace rpctunneld
