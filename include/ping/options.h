#pragma once

#include "ping/scheme.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ping {

/// Towards the RPC proxy: `-P user,domain,password`.
struct Identity {
    std::string user, domain, password;

    /// As Basic sends it and as the report names it: `DOMAIN\user`, or `user`.
    std::string login() const { return domain.empty() ? user : domain + "\\" + user; }
};

/// What the command line asks for, checked: nothing contradicts, every number is in its range.
struct Options {
    enum class Action { ping, help, version };
    /// Where the password comes from.
    enum class Password { given, prompt, descriptor };

    Action action = Action::ping;
    bool echo = false;     ///< -E: the proxy alone
    bool version1 = false; ///< --v1: RPC_CONNECT
    bool ntlm_v1 = false;  ///< --ntlm-v1: prove that NTLM version 1 is refused
    bool direct = false;   ///< --direct: no proxy; proxy_host and proxy_port are the server's

    std::string proxy_host; ///< without brackets
    std::uint16_t proxy_port = 0;
    std::string path = "/rpc/rpcproxy.dll";
    bool tls = false;
    std::string ca_file;
    bool insecure = false;
    std::string certificate_subject; ///< -B, without "msstd:"
    bool print_certificate = false;

    std::string server; ///< empty only with `echo`
    std::uint16_t endpoint = 593;

    std::optional<Identity> identity;
    std::vector<Scheme> schemes;          ///< -H, in its order; empty: the strongest that the proxy offers
    bool channel_binding = true;          ///< logins name the TLS channel, when there is one
    std::string certificate_file, key_file; ///< of the client; empty: none
    Password password = Password::given;
    int password_descriptor = -1;
    bool first_scheme_only = false; ///< -F 2: credentials at once, without asking what the proxy offers

    std::uint32_t count = 1;
    std::uint32_t timeout_s = 30; ///< of one step
    std::uint32_t report_interval_s = 15;
    int verbosity = 1;
    bool quiet = false;
    bool json = false;

    /// "exch01:6001"
    std::string target() const { return server + ":" + std::to_string(endpoint); }
    /// What the first connection goes to.
    std::string peer() const { return direct ? "server" : "proxy"; }
};

struct Parsed {
    Options options;
    std::string error; ///< one sentence when the command line is wrong, else empty
};

/// Reads the arguments behind the program's name: the single letters of rpcping as `-x` or `/x`, value
/// separate or attached, and long options, `--name value` or `--name=value`.
Parsed parse_options(const std::vector<std::string_view>& arguments);

/// The text of --help.
std::string_view usage() noexcept;

} // namespace ping
