#include "daemon/instance.h"

#include "base/log.h"
#include "daemon/privileges.h"
#include "daemon/process.h"
#include "daemon/settings.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <stdexcept>

namespace rpctunneld {
namespace {

using namespace std::chrono_literals;

// What waits for a turn. At 15 ms for a password check, more than this would not have its turn in time; the directory
// answers in a hundredth of that, unless its disk or its locks keep it.
constexpr std::size_t waiting_checks = 1024, waiting_questions = 4096;
constexpr auto password_patience = 5s, directory_patience = 10s;

} // namespace

Instance::Instance(Config config)
    : config_(std::move(config)), signals_(loop_, {SIGTERM, SIGINT, SIGHUP}, net::Signals::Callback::of<&Instance::on_signal>(this)),
      tunnel_settings_(tunnel_settings(config_)), auth_policy_(auth_policy(config_)), admission_(config_.admit)
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
    open_logins();
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
    if (winbind_)
        winbind_->stop();
    if (database_)
        database_->readers.stop(); // the lane need not wait for locks to its end
}

void Instance::load_certificates()
{
    if (config_.tls_certificate.empty())
        return;
    for (const auto& [option, files] : {std::pair("tls_certificate", &config_.tls_certificate), {"tls_key", &config_.tls_key}})
        for (std::size_t i = 0; i < files->size(); ++i)
            if (const std::string fault = file_fault((*files)[i]); !fault.empty())
                throw ConfigError(config_.at(option, i) + ": " + fault);
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
    accounts_.emplace(*database_, config_.default_domain);
    // Its own commit is no change that logins and tunnels would have to hear of.
    caretaker_.emplace(loop_, *database_, [this](Caretaker::News news) { on_news(news); });
    caretaker_->begin(config_.valid_ports_interval);
}

void Instance::open_logins()
{
    passwords_.emplace(threads_or_cores(config_.password_threads), waiting_checks, password_patience);
    if (!config_.kerberos_keytab.empty())
        at_option(config_, "kerberos_keytab", 0, [&] {
            realms_.emplace(config_.kerberos_keytab, config_.kerberos_service, admission_,
                            config_.kerberos_passwords ? static_cast<unsigned>(config_.kerberos_threads) : 0, waiting_checks);
        });
    if (config_.winbind) {
        winbind_.emplace(winbind_limit);
        domains_.emplace(*winbind_, admission_, auth_policy_.server, static_cast<unsigned>(config_.winbind_threads), waiting_checks);
        domain_watch_.emplace(loop_, *domains_);
    }
    backends_.emplace(auth::Backends{auth_policy_, *accounts_, logins_, *passwords_, realms_ ? &*realms_ : nullptr,
                                     domains_ ? &*domains_ : nullptr});
}

void Instance::open_shards(const DescriptorPlan& plan)
{
    directory_.emplace(base::Lane::Plan{base::Resource::directory, static_cast<unsigned>(config_.directory_threads),
                                        waiting_questions, directory_patience});
    tunnel_settings_.descriptors = static_cast<std::uint32_t>(std::min<std::uint64_t>(plan.for_clients(), UINT32_MAX));
    const http::Limits limits = http_limits(config_, plan);
    std::vector<tunnel::Hub*> hubs;
    for (const auto& shard : shards_) {
        shard->open(*directory_, *resolver_, *backends_, *database_, tunnel_settings_, nodes_,
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
    caretaker_->watch();
    if (domain_watch_)
        domain_watch_->begin();
    loop_.run();
    end_shards();
}

bool Instance::can_end()
{
    if (!realms_ || realms_->finish(100ms))
        return true;
    base::log::notice("kdc-silent", {{"advice", "the process ends without the answer"}});
    pid_file_.reset();
    return false;
}

void Instance::on_signal(int signal)
{
    if (signal == SIGHUP)
        return stopping_ ? base::log::error("reload-refused", {{"error", "the daemon is about to stop"}}) : reload();
    if (!stopping_)
        return drain();
    loop_.stop(); // the second one ends them at once
}

void Instance::on_news(Caretaker::News news)
{
    if (news == Caretaker::News::changed)
        base::log::info("directory-changed", {});
    for (const auto& shard : shards_)
        shard->recheck_routes();
}

void Instance::reload()
{
    notify_service_manager("RELOADING=1\nMONOTONIC_USEC=" +
                           std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(
                                              std::chrono::steady_clock::now().time_since_epoch()).count()));
    const std::string fault = file_fault(config_.path);
    const ConfigResult read = fault.empty() ? read_config(config_.path) : ConfigResult{{}, {fault}};
    bool good = read.errors.empty();
    for (const std::string& error : read.errors)
        base::log::error("reload-refused", {{"error", error}});
    if (good) {
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
        good = false;
        base::log::error("reload-refused", {{"error", error.what()}});
    }
    if (realms_)
        try {
            kerberos::Service(config_.kerberos_keytab, config_.kerberos_service);
        } catch (const std::exception& error) {
            good = false;
            base::log::error("reload-refused", {{"error", config_.at("kerberos_keytab", 0) + ": " + error.what()}});
        }
    if (domain_watch_)
        domain_watch_->begin();
    caretaker_->renew(config_.valid_ports_interval, [good](bool directory) {
        base::log::notice("reloaded", {{"configuration", good ? "in force" : "refused, the old one stays"},
                                       {"directory", directory ? "read" : "not read, the last good one stays"}});
        notify_service_manager("READY=1");
    });
}

void Instance::drain()
{
    stopping_ = true;
    caretaker_->end();
    if (realms_)
        realms_->finish(0ms); // who waits for a KDC gets no tunnel any more
    if (domain_watch_) {
        domain_watch_->end();
        winbind_->stop(); // who waits for it gets no tunnel any more, and it may hang
    }
    notify_service_manager("STOPPING=1");
    base::log::notice("stopping", {{"bound_ms", config_.drain_time.count()}});
    for (const auto& shard : shards_)
        shard->drain(config_.drain_time, [this] { loop_.post([this] { on_drained(); }); });
}

void Instance::on_drained()
{
    if (std::all_of(shards_.begin(), shards_.end(), [](const auto& shard) { return shard->drained(); }))
        loop_.stop();
}

void Instance::end_shards()
{
    for (const auto& shard : shards_)
        shard->stop();
    for (const auto& shard : shards_)
        shard->join();
}

} // namespace rpctunneld
