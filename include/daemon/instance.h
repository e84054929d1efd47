#pragma once

#include "access/cache.h"
#include "access/password_check.h"
#include "access/policy.h"
#include "access/scheme.h"
#include "base/lane.h"
#include "base/retry.h"
#include "daemon/accounts.h"
#include "daemon/background.h"
#include "daemon/config.h"
#include "daemon/descriptors.h"
#include "daemon/shard.h"
#include "directory/directory.h"
#include "leg/nodes.h"
#include "leg/settings.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/tls.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rpctunneld {

/// The running daemon: owns everything, in the order in which it is made. The main thread is the shards' caretaker: it
/// waits for signals, watches the directory and rebuilds the allowlist.
class Instance {
public:
    /// All that can fail, fails here: certificates, listeners, the change of the user, the directory. Nothing is served
    /// yet. SIGTERM, SIGINT and SIGHUP must be blocked. Throws std::runtime_error.
    explicit Instance(Config config);
    /// Ends whatever still runs: the shards all together, then the lanes, then the loops to which those report.
    ~Instance();

    /// "ready plain=127.0.0.1:80 tls=[::]:443"
    const std::string& ready_line() const noexcept { return ready_line_; }
    void start();
    /// Serves until SIGTERM or SIGINT and drains.
    void serve();

private:
    using Clock = std::chrono::steady_clock;

    void load_certificates();
    void bind();
    void open_directory();
    void open_shards(const DescriptorPlan& plan);
    void watch_directory();
    void refresh_policy();
    void rebuild_valid_ports();
    void reload();
    void drain();
    /// All of them before one is destroyed: they know each other.
    void end_shards();

    Config config_;
    leg::Settings tunnel_settings_; // complete when the shards are opened
    leg::Nodes nodes_;
    std::shared_ptr<const net::TlsServerContext> context_;
    std::vector<std::unique_ptr<net::Loop>> loops_;
    std::optional<PidFile> pid_file_;
    std::optional<directory::Directory> database_;
    std::optional<DirectoryAccounts> accounts_;
    auth::Policy auth_policy_;
    auth::Cache logins_;
    std::optional<auth::Backends> backends_;
    // The lanes end before the loops, to which their jobs report, and after the shards, which give them jobs.
    std::optional<base::Lane> directory_;
    std::optional<auth::PasswordChecks> passwords_;
    std::optional<net::Resolver> resolver_; // likewise after the shards
    std::vector<std::unique_ptr<Shard>> shards_;
    std::string ready_line_;
    // What fails is tried again.
    base::Retry refresh_retry_{"valid-ports", "not read, the last good list stays in force"};
    base::Retry rebuild_retry_{"valid-ports", "not rebuilt, the last good list stays in force"};
    Clock::time_point next_watch_, next_rebuild_, next_refresh_ = Clock::time_point::max();
};

/// What -t looks at beyond the text of the configuration: files, users, the directory. One text an error.
std::vector<std::string> check_surroundings(const Config& config);

} // namespace rpctunneld
