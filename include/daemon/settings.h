#pragma once

#include "access/policy.h"
#include "daemon/config.h"
#include "daemon/descriptors.h"
#include "http/front.h"
#include "leg/nodes.h"
#include "leg/settings.h"
#include "net/tls.h"

#include <chrono>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace rpctunneld {

// What the parts of the daemon need, out of its configuration.

std::vector<net::TlsServerContext::Pair> certificate_pairs(const Config& config);
/// 0 means one for each core.
unsigned threads_or_cores(std::uint64_t threads);
unsigned shard_count(const Config& config);
/// What NTLM tells clients: a server that belongs to no domain, named after `host_name`.
ntlm::Identity ntlm_identity(std::string_view host_name);
auth::Policy auth_policy(const Config& config);
leg::Settings tunnel_settings(const Config& config);
http::Limits http_limits(const Config& config, const DescriptorPlan& plan);
/// Throws std::runtime_error when this node is not among them.
leg::Nodes find_nodes(const Config& config);
/// That connect_from are addresses of this machine. Throws ConfigError that names the line.
void check_sources(const Config& config);

/// Of one question to winbindd, which asks a domain controller, perhaps looking for one that is up.
constexpr std::chrono::seconds winbind_limit{15};

/// What -t looks at beyond the text of the configuration: files, users, the directory. One text an error.
std::vector<std::string> check_surroundings(const Config& config);

/// Why this is no file to read on a thread that serves: a pipe or an endless device would hold it. Empty: it is one.
std::string file_fault(const std::string& path);

/// Runs `step`; what it throws is told with the place of the option that led there: ConfigError.
template <class Step> void at_option(const Config& config, const char* option, std::size_t index, Step step)
{
    try {
        step();
    } catch (const std::exception& error) {
        throw ConfigError(config.at(option, index) + ": " + error.what());
    }
}

} // namespace rpctunneld
