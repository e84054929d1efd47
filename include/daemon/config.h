#pragma once

#include "access/admission.h"
#include "base/log.h"
#include "http/rpc_connect.h"
#include "net/address.h"
#include "ntlm/acceptor.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>


namespace rpctunneld {

using Millis = std::chrono::milliseconds;

/// Every setting of the daemon. The table in option_table.cc says name, range and default of each.
struct Config {
    std::vector<net::Address> listen, listen_tls;
    std::vector<std::string> tls_certificate, tls_key; ///< files, pairs by position

    /// A port for proxies: for those of `pairing_nodes`, or with a target for every one.
    struct PairingPort {
        net::Address address;
        std::string target; ///< server:port, or empty

        bool operator==(const PairingPort&) const = default;
    };
    std::vector<PairingPort> pairing_listen;
    std::vector<net::Address> pairing_nodes;
    /// The index of this node in pairing_nodes; nothing when it is not there. Asks the system for its addresses.
    std::optional<std::size_t> own_node() const;

    std::vector<net::Address> connect_from; ///< port 0

    std::string database;

    std::vector<std::string> auth; ///< schemes in the order of their offer
    bool basic_without_tls = false;
    std::vector<std::string> default_domain; ///< folded
    ntlm::Protection::Policy extended_protection = ntlm::Protection::Policy::off;
    std::string kerberos_keytab, kerberos_service;
    bool kerberos_passwords = false;
    bool winbind = false;
    std::vector<auth::Admission::Rule> admit;
    http::RpcConnect rpc_connect = http::RpcConnect::no;
    std::string realm;

    Millis valid_ports_interval{}; ///< zero: never again

    std::uint64_t workers = 0; ///< shards; 0 = one per core
    std::uint64_t password_threads = 0; ///< 0 = one per core
    std::uint64_t directory_threads = 0;
    std::uint64_t kerberos_threads = 0;
    std::uint64_t winbind_threads = 0;

    std::uint64_t receive_window = 0, channel_lifetime = 0; ///< bytes
    Millis connection_timeout{}, setup_timeout{}, connect_timeout{};
    bool require_banner = false;

    Millis handshake_timeout{}, head_timeout{}, idle_timeout{};
    std::uint64_t head_limit = 0; ///< bytes
    std::uint64_t connection_limit = 0;

    base::log::Level log_level = base::log::Level::info;
    std::string user, group, pid_file;
    Millis drain_time{};

    /// What the file said and where: for messages, and for the comparison at a reload.
    struct Given {
        std::string value;
        unsigned line = 0;
    };
    std::string path;
    std::map<std::string, std::vector<Given>> given;

    /// "file:line: option" of the `index`th use of an option; without line when the default is in force.
    std::string at(const std::string& option, std::size_t index = 0) const;
};

/// What a line of the configuration asks for cannot be had. The text begins with "file:line: option".
class ConfigError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A configuration, or everything that is wrong with it.
struct ConfigResult {
    Config config;
    std::vector<std::string> errors; ///< "file:line: what is wrong" each; empty = good
};

/// Reads and checks a configuration file. Files named in it count from its folder.
ConfigResult read_config(const std::string& path);
/// The same for a text; `path` is for messages and relative file names.
ConfigResult parse_config(std::string_view text, const std::string& path);

/// What changed from one configuration to the next, by option name; `at_once` can be applied to the running
/// daemon, `restart` cannot.
struct ConfigChange {
    std::vector<std::string> at_once, restart;
};
ConfigChange compare(const Config& before, const Config& after);

} // namespace rpctunneld
