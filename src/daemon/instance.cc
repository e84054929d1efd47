#include "daemon/instance.h"

#include "base/log.h"
#include "daemon/privileges.h"
#include "daemon/process.h"
#include "net/socket_options.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <stdexcept>
#include <thread>

namespace rpctunneld {
namespace {

using namespace std::chrono_literals;

// How soon a change of the directory takes effect.
constexpr auto watch_interval = 2s;
// What waits for a turn. At 15 ms for a password check, more than this would not have its turn in time; the directory
// answers in a hundredth of that, unless its disk or its locks keep it.
constexpr std::size_t waiting_checks = 1024, waiting_questions = 4096;
constexpr auto password_patience = 5s, directory_patience = 10s;

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

auth::Policy auth_policy(const Config& config)
{
    auth::Policy policy;
    for (const std::string& name : config.auth)
        policy.schemes.push_back(auth::find_scheme(auth::schemes(), name));
    policy.basic_without_tls = config.basic_without_tls;
    policy.realm = config.realm;
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

/// Runs `step`; what it throws is told with the place of the option that led there.
template <class Step> void at_option(const Config& config, const char* option, std::size_t index, Step step)
{
    try {
        step();
    } catch (const std::exception& error) {
        throw ConfigError(config.at(option, index) + ": " + error.what());
    }
}

sigset_t our_signals()
{
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP})
        sigaddset(&set, signal);
    return set;
}

/// One of our signals, or 0 when none came within `patience`.
int wait_for_signal(std::chrono::nanoseconds patience)
{
    const auto waiting = std::max(patience, std::chrono::nanoseconds(0));
    const timespec time{static_cast<time_t>(waiting / 1s), static_cast<long>((waiting % 1s).count())};
    const sigset_t set = our_signals();
    return std::max(0, sigtimedwait(&set, nullptr, &time));
}

} // namespace

Instance::Instance(Config config)
    : config_(std::move(config)), tunnel_settings_(tunnel_settings(config_)), auth_policy_(auth_policy(config_))
{
    protect_process();
    const std::uint64_t descriptors = raise_descriptor_limit();
    std::optional<Identity> identity;
    at_option(config_, "user", 0, [&] { identity = find_identity(config_.user, config_.group); });
    at_option(config_, "pairing_nodes", 0, [&] { nodes_ = find_nodes(config_); });
    check_sources(config_);
    load_certificates();
    bind();
    if (!config_.pid_file.empty())
        at_option(config_, "pid_file", 0, [&] { pid_file_.emplace(config_.pid_file); });
    if (identity) {
        become(*identity);
        protect_process();
    } else if (geteuid() == 0) {
        base::log::warning("running-as-root", {{"advice", "set the option user"}});
    }
    at_option(config_, "database", 0, [&] { open_directory(); });
    resolver_.emplace();
    // The HTTP engines of each shard are still to come, with two.
    const DescriptorPlan plan = plan_descriptors(config_, descriptors, descriptors_in_use() + 2 * shards_.size());
    open_shards(plan);
    base::log::notice("starting", {{"version", VERSION}, {"shards", shards_.size()}, {"descriptors", descriptors},
                                   {"user", identity ? identity->user : std::to_string(geteuid())}});
    if (config_.rpc_connect == http::RpcConnect::anonymous)
        base::log::warning("anonymous-clients",
                           {{"option", "rpc_connect"},
                            {"advice", "whoever reaches a plain listener reaches the whole allowlist"}});
    if (!plan.sufficient())
        base::log::warning("descriptors-few",
                           {{"descriptors", plan.limit}, {"needed", plan.needed},
                            {"connection_limit", config_.connection_limit}, {"tunnels", plan.tunnels},
                            {"advice", "LimitNOFILE=" + std::to_string(plan.needed) +
                                           " for the service (ulimit -Hn), or a lower connection_limit"}});
}

Instance::~Instance()
{
    end_shards();
    if (database_)
        database_->readers.stop(); // the lane need not wait for locks to its end
}

void Instance::load_certificates()
{
    if (config_.tls_certificate.empty())
        return;
    at_option(config_, "tls_certificate", 0,
              [&] { context_ = std::make_shared<net::TlsServerContext>(certificate_pairs(config_)); });
}

void Instance::bind()
{
    const unsigned count = shard_count(config_);
    for (unsigned i = 0; i < count; ++i) {
        loops_.push_back(std::make_unique<net::Loop>());
        shards_.push_back(std::make_unique<Shard>(i, *loops_.back()));
        shards_.back()->use_certificates(context_);
    }
    ready_line_ = "ready";
    const auto listen_all = [&](const char* option, const std::vector<net::Address>& addresses, bool tls) {
        for (std::size_t i = 0; i < addresses.size(); ++i) {
            at_option(config_, option, i, [&] {
                // With port 0 the first shard finds the port, the others share it.
                net::Address address = addresses[i];
                net::Listener::check_free(address);
                for (const auto& shard : shards_)
                    address = shard->listen(address, tls);
                ready_line_ += (tls ? " tls=" : " plain=") + address.text();
            });
        }
    };
    listen_all("listen", config_.listen, false);
    listen_all("listen_tls", config_.listen_tls, true);
    for (std::size_t i = 0; i < config_.pairing_listen.size(); ++i) {
        at_option(config_, "pairing_listen", i, [&] {
            net::Address address = config_.pairing_listen[i].address;
            net::Listener::check_free(address);
            for (const auto& shard : shards_)
                address = shard->listen_for_proxies(address, config_.pairing_listen[i].target);
            ready_line_ += " pairing=" + address.text();
        });
    }
}

void Instance::open_directory()
{
    database_.emplace(config_.database);
    accounts_.emplace(*database_);
    backends_.emplace(auth::Backends{auth_policy_, *accounts_, logins_});
    rebuild_valid_ports();
    // Its own commit is no change that logins and tunnels would have to hear of.
    if (database_->watch.changed())
        refresh_policy();
}

void Instance::open_shards(const DescriptorPlan& plan)
{
    directory_.emplace(base::Lane::Plan{base::Resource::directory, static_cast<unsigned>(config_.directory_threads),
                                        waiting_questions, directory_patience});
    passwords_.emplace(threads_or_cores(config_.password_threads), waiting_checks, password_patience);
    tunnel_settings_.descriptors = static_cast<std::uint32_t>(std::min<std::uint64_t>(plan.for_clients(), UINT32_MAX));
    const http::Limits limits = http_limits(config_, plan);
    std::vector<tunnel::Hub*> hubs;
    for (const auto& shard : shards_) {
        shard->open(*directory_, *passwords_, *resolver_, *backends_, *database_, tunnel_settings_, nodes_,
                    config_.connect_from, limits, config_.rpc_connect);
        hubs.push_back(&shard->hub());
    }
    for (tunnel::Hub* const hub : hubs)
        hub->join(hubs);
}

void Instance::start()
{
    for (const auto& shard : shards_)
        shard->start();
    base::log::notice("ready", {{"listeners", ready_line_.substr(std::min<std::size_t>(6, ready_line_.size()))}});
    notify_service_manager("READY=1");
}

void Instance::serve()
{
    next_watch_ = Clock::now() + watch_interval;
    for (;;) {
        const Clock::time_point next = std::min({next_watch_, next_rebuild_, next_refresh_});
        switch (wait_for_signal(next - Clock::now())) {
        case SIGTERM:
        case SIGINT:
            return drain();
        case SIGHUP:
            reload();
            break;
        default:
            break;
        }
        if (Clock::now() >= next_watch_)
            watch_directory();
        if (Clock::now() >= next_refresh_)
            refresh_policy();
        if (Clock::now() >= next_rebuild_)
            rebuild_valid_ports();
    }
}

void Instance::watch_directory()
{
    next_watch_ = Clock::now() + watch_interval;
    if (!database_->watch.changed())
        return;
    // An active copy may have moved.
    refresh_policy();
    base::log::info("directory-changed", {});
}

/// The list, then the routes of the tunnels, which it must allow. Comes again until the list could be read.
void Instance::refresh_policy()
{
    const std::string failure = database_->valid_ports.refresh();
    next_refresh_ = failure.empty() ? Clock::time_point::max() : Clock::now() + refresh_retry_.failed(failure);
    if (failure.empty())
        refresh_retry_.done();
    for (const auto& shard : shards_)
        shard->recheck_routes();
}

void Instance::rebuild_valid_ports()
{
    const directory::Rebuild rebuild = database_->valid_ports.rebuild();
    if (rebuild.kind == directory::Rebuild::Kind::failed) {
        next_rebuild_ = Clock::now() + rebuild_retry_.failed(rebuild.error);
        return;
    }
    rebuild_retry_.done();
    const bool again = config_.valid_ports_interval.count() != 0;
    next_rebuild_ = again ? Clock::now() + config_.valid_ports_interval : Clock::time_point::max();
}

void Instance::reload()
{
    notify_service_manager("RELOADING=1\nMONOTONIC_USEC=" +
                           std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(
                                              Clock::now().time_since_epoch()).count()));
    const ConfigResult read = read_config(config_.path);
    for (const std::string& error : read.errors)
        base::log::error("reload-refused", {{"error", error}});
    if (read.errors.empty()) {
        const ConfigChange change = compare(config_, read.config);
        for (const std::string& name : change.restart)
            base::log::warning("reload-needs-restart", {{"option", name}});
        for (const std::string& name : change.at_once) {
            base::log::notice("reload-option", {{"option", name}});
            config_.given.erase(name);
            if (const auto given = read.config.given.find(name); given != read.config.given.end())
                config_.given.insert(*given);
        }
        config_.tls_certificate = read.config.tls_certificate;
        config_.tls_key = read.config.tls_key;
        config_.valid_ports_interval = read.config.valid_ports_interval;
        config_.drain_time = read.config.drain_time;
    }
    try {
        load_certificates();
        for (const auto& shard : shards_)
            shard->use_certificates(context_);
    } catch (const std::exception& error) {
        base::log::error("reload-refused", {{"error", error.what()}});
    }
    rebuild_valid_ports();
    refresh_policy();
    base::log::notice("reloaded", {});
    notify_service_manager("READY=1");
}

void Instance::drain()
{
    notify_service_manager("STOPPING=1");
    base::log::notice("stopping", {{"bound_ms", config_.drain_time.count()}});
    for (const auto& shard : shards_)
        shard->drain(config_.drain_time);
    const auto all_drained = [&] {
        return std::all_of(shards_.begin(), shards_.end(), [](const auto& shard) { return shard->drained(); });
    };
    // A second signal ends them at once.
    for (int signal = 0; signal != SIGTERM && signal != SIGINT && !all_drained();)
        signal = wait_for_signal(10ms);
    end_shards();
    base::log::notice("stopped", {});
}

void Instance::end_shards()
{
    for (const auto& shard : shards_)
        shard->stop();
    for (const auto& shard : shards_)
        shard->join();
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
    return errors;
}

} // namespace rpctunneld
