#pragma once

#include "access/admission.h"
#include "access/cache.h"
#include "access/domains.h"
#include "access/password_check.h"
#include "access/policy.h"
#include "access/realms.h"
#include "access/scheme.h"
#include "base/lane.h"
#include "daemon/accounts.h"
#include "daemon/background.h"
#include "daemon/caretaker.h"
#include "daemon/config.h"
#include "daemon/descriptors.h"
#include "daemon/domain_watch.h"
#include "daemon/shard.h"
#include "directory/directory.h"
#include "leg/nodes.h"
#include "leg/settings.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/signals.h"
#include "net/tls.h"
#include "winbind/client.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rpctunneld {

/// The running daemon: owns everything, in the order in which it is made. The main thread has a loop of its own, for signals,
/// for the caretaker and for the end; nothing that blocks runs there but the reading of files in a reload.
///
/// Its end, in this order: listeners close and clients hear of it (drain); the shards stop, all of them before one is destroyed,
/// since they send each other streams; the lanes finish what they have begun; the loops, to which those reported, go.
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
    /// Serves until SIGTERM or SIGINT and drains; a second one cuts that short.
    void serve();
    /// After serve(). False: something is under way that cannot be ended and takes half a minute; then the process is to end without
    /// the destructor.
    bool can_end();

private:
    void load_certificates();
    void bind();
    void open_directory();
    void open_logins();
    void open_shards(const DescriptorPlan& plan);
    void on_signal(int signal);
    void on_news(Caretaker::News news);
    void reload();
    void drain();
    void on_drained();
    /// All of them before one is destroyed: they know each other.
    void end_shards();

    Config config_;
    net::Loop loop_; // of the main thread
    net::Signals signals_;
    leg::Settings tunnel_settings_; // complete when the shards are opened
    leg::Nodes nodes_;
    std::shared_ptr<const net::TlsServerContext> context_;
    std::vector<std::unique_ptr<net::Loop>> loops_;
    std::optional<PidFile> pid_file_;
    std::optional<directory::Directory> database_;
    std::optional<Caretaker> caretaker_;
    std::optional<DirectoryAccounts> accounts_;
    auth::Policy auth_policy_;
    auth::Cache logins_;
    auth::Admission admission_;
    std::optional<winbind::Client> winbind_;
    std::optional<auth::Backends> backends_;
    // The lanes end before the loops, to which their jobs report, and after the shards, which give them jobs.
    std::optional<base::Lane> directory_;
    std::optional<auth::PasswordChecks> passwords_;
    std::optional<auth::Realms> realms_;
    std::optional<auth::Domains> domains_;
    std::optional<DomainWatch> domain_watch_;
    std::optional<net::Resolver> resolver_; // likewise after the shards
    std::vector<std::unique_ptr<Shard>> shards_;
    std::string ready_line_;
    bool stopping_ = false;
};

} // namespace rpctunneld
