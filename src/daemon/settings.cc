#include "daemon/settings.h"

#include "base/text.h"
#include "daemon/privileges.h"
#include "directory/directory.h"
#include "kerberos/service.h"
#include "net/socket_options.h"
#include "winbind/client.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <thread>

namespace rpctunneld {

std::vector<net::TlsServerContext::Pair> certificate_pairs(const Config& config)
{
    std::vector<net::TlsServerContext::Pair> pairs;
    for (std::size_t i = 0; i < config.tls_certificate.size(); ++i)
        pairs.push_back({config.tls_certificate[i], config.tls_key[i]});
    return pairs;
}

unsigned threads_or_cores(std::uint64_t threads)
{
    return threads != 0 ? static_cast<unsigned>(threads) : std::max(1u, std::thread::hardware_concurrency());
}

unsigned shard_count(const Config& config)
{
    return threads_or_cores(config.workers);
}

ntlm::Identity ntlm_identity(std::string_view host_name)
{
    constexpr std::size_t longest_netbios = 15;
    const std::string dns = base::lower(host_name.empty() ? "localhost" : host_name);
    const std::string netbios = base::upper(dns.substr(0, std::min(dns.find('.'), longest_netbios)));
    // Its accounts are its own, so that its domain is itself.
    return {netbios, netbios, dns, dns};
}

namespace {

std::string host_name()
{
    char name[HOST_NAME_MAX + 1] = "";
    return gethostname(name, sizeof name) == 0 ? name : "";
}

} // namespace

auth::Policy auth_policy(const Config& config)
{
    auth::Policy policy;
    for (const std::string& name : config.auth)
        policy.schemes.push_back(auth::find_scheme(auth::schemes(), name));
    policy.basic_without_tls = config.basic_without_tls;
    policy.realm = config.realm;
    policy.protection = config.extended_protection;
    policy.server = ntlm_identity(host_name());
    return policy;
}

std::uint64_t connections_of_a_shard(const Config& config)
{
    const unsigned shards = shard_count(config);
    return (config.connection_limit + shards - 1) / shards;
}

leg::Settings tunnel_settings(const Config& config)
{
    leg::Settings settings;
    settings.receive_window = static_cast<std::uint32_t>(config.receive_window);
    settings.connection_timeout = static_cast<std::uint32_t>(config.connection_timeout.count());
    settings.channel_lifetime = static_cast<std::uint32_t>(config.channel_lifetime);
    settings.setup_timeout = static_cast<std::uint32_t>(config.setup_timeout.count());
    settings.connect_timeout = static_cast<std::uint32_t>(config.connect_timeout.count());
    settings.require_banner = config.require_banner;
    settings.paired_limit = static_cast<std::uint32_t>(connections_of_a_shard(config));
    return settings;
}

/// Throws std::runtime_error when this node is not among them.
leg::Nodes find_nodes(const Config& config)
{
    if (config.pairing_nodes.empty())
        return {};
    const auto own = config.own_node();
    if (!own)
        throw std::runtime_error("no address there is one of this node's pairing_listen");
    return {config.pairing_nodes, *own};
}

/// Throws ConfigError that names the line.
void check_sources(const Config& config)
{
    for (std::size_t i = 0; i < config.connect_from.size(); ++i)
        if (!net::is_own_address(config.connect_from[i]))
            throw ConfigError(config.at("connect_from", i) + ": " + config.connect_from[i].host_text() +
                              " is no address of this machine");
}

http::Limits http_limits(const Config& config, const DescriptorPlan& plan)
{
    http::Limits limits;
    limits.head_bytes = config.head_limit;
    limits.connections = connections_of_a_shard(config);
    limits.handshake = config.handshake_timeout;
    limits.head = config.head_timeout;
    limits.idle = config.idle_timeout;
    limits.descriptors = plan.for_clients();
    // A channel needs one for its server. The two that a request takes for a moment are spare ones: few are under way.
    limits.descriptors_owed = shard_count(config);
    return limits;
}

std::string file_fault(const std::string& path)
{
    constexpr off_t largest = 16 * 1024 * 1024;
    struct stat file{};
    if (stat(path.c_str(), &file) != 0)
        return path + ": " + std::strerror(errno);
    if (!S_ISREG(file.st_mode))
        return path + ": this is no regular file";
    return file.st_size > largest ? path + ": this has more than 16 MiB" : "";
}

std::vector<std::string> check_surroundings(const Config& config)
{
    std::vector<std::string> errors;
    const auto attempt = [&](const char* option, auto step) {
        try {
            at_option(config, option, 0, step);
        } catch (const std::exception& error) {
            errors.push_back(error.what());
        }
    };
    attempt("user", [&] { find_identity(config.user, config.group); });
    if (!config.tls_certificate.empty())
        attempt("tls_certificate", [&] { net::TlsServerContext(certificate_pairs(config)); });
    attempt("pairing_nodes", [&] { find_nodes(config); });
    try {
        check_sources(config);
    } catch (const ConfigError& error) {
        errors.push_back(error.what());
    }
    attempt("database", [&] { directory::Directory(config.database); });
    if (!config.kerberos_keytab.empty())
        attempt("kerberos_keytab", [&] { kerberos::Service(config.kerberos_keytab, config.kerberos_service); });
    if (config.winbind)
        attempt("winbind", [&] {
            const winbind::State state = winbind::Client(winbind_limit).look({});
            if (!state.fault.empty())
                throw std::runtime_error(state.fault);
        });
    return errors;
}

} // namespace rpctunneld
