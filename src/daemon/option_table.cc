#include "daemon/option_table.h"

#include "access/policy.h"
#include "access/scheme.h"
#include "base/login.h"
#include "base/pasted.h"
#include "base/text.h"
#include "daemon/value.h"
#include "directory/target.h"

#include <algorithm>
#include <filesystem>

namespace rpctunneld {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t KiB = 1024, MiB = 1024 * KiB, GiB = 1024 * MiB;

// Windows and timeouts: the ranges of MS-RPCH 2.2.3.5, which clients enforce.
constexpr Option table[] = {
    {"listen", Addresses{&Config::listen}, "", false, "address and port for plain HTTP"},
    {"listen_tls", Addresses{&Config::listen_tls}, "", false, "address and port for HTTPS"},
    {"pairing_listen", PairingPorts{&Config::pairing_listen}, "", false,
     "address and port, and perhaps a target, for other proxies: this is their RPC server"},
    {"pairing_nodes", Addresses{&Config::pairing_nodes}, "", false, "the pairing_listen of every node, this one too"},
    {"tls_certificate", Files{&Config::tls_certificate}, "", true, "PEM file: the certificate and its chain"},
    {"tls_key", Files{&Config::tls_key}, "", true, "PEM file: the key of the certificate at the same place"},
    {"database", File{&Config::database}, "", false, "the directory database"},
    {"auth", Schemes{&Config::auth}, "basic", false, "authentication schemes, in the order of their offer"},
    {"basic_without_tls", YesNo{&Config::basic_without_tls}, "no", false, "Basic on plain listeners too"},
    {"default_domain", DomainNames{&Config::default_domain}, "", false, "a domain that means the same in a login as none"},
    {"extended_protection", Protection{&Config::extended_protection}, "off", false,
     "whether a login with ntlm or negotiate must be bound to its TLS connection"},
    {"kerberos_keytab", File{&Config::kerberos_keytab}, "", false, "keytab with the key of HTTP/host: negotiate takes tickets"},
    {"kerberos_service", Text{&Config::kerberos_service}, "HTTP", false,
     "which key of the keytab: HTTP, or HTTP@ and the name of the host"},
    {"kerberos_passwords", YesNo{&Config::kerberos_passwords}, "no", false,
     "ask the KDC about passwords of Basic, for whom no local account has one"},
    {"winbind", YesNo{&Config::winbind}, "no", false,
     "ask winbindd, with ntlm and negotiate, for whom no local account is"},
    {"admit", Admissions{&Config::admit}, "", false,
     "who may come in without a local account: realm NAME, domain NAME, group DOMAIN\\NAME or SID"},
    {"rpc_connect", ConnectMode{&Config::rpc_connect}, "no", false,
     "who may use version 1 of the protocol, RPC_CONNECT, on plain listeners"},
    {"realm", Realm{&Config::realm}, "rpctunnel", false, "the realm that password prompts show"},
    {"valid_ports_interval", Duration{&Config::valid_ports_interval, 1s, 168h, true}, "15min", true,
     "time between rebuilds of the generated ValidPorts list; 0 = only at start"},
    {"workers", Count{&Config::workers, 0, 256}, "0", false, "event loops; 0 = one per core"},
    {"password_threads", Count{&Config::password_threads, 0, 256}, "0", false,
     "threads that check passwords; 0 = one per core"},
    {"directory_threads", Count{&Config::directory_threads, 1, 256}, "4", false,
     "threads that ask the directory"},
    {"kerberos_threads", Count{&Config::kerberos_threads, 1, 64}, "4", false, "threads that ask the KDC about passwords"},
    {"winbind_threads", Count{&Config::winbind_threads, 1, 64}, "4", false, "threads that ask winbindd"},
    {"receive_window", Size{&Config::receive_window, 8 * KiB, 256 * KiB}, "64KiB", false,
     "inbound receive window announced to clients and servers"},
    {"connection_timeout", Duration{&Config::connection_timeout, 2min, 4h}, "2min", false,
     "silence after which the far end may be taken for dead, announced to clients"},
    {"channel_lifetime", Size{&Config::channel_lifetime, 128 * KiB, 2 * GiB}, "1GiB", false,
     "length of one OUT channel"},
    {"setup_timeout", Duration{&Config::setup_timeout, 1s, 10min}, "1min", false,
     "how long one channel waits for its mate"},
    {"connect_timeout", Duration{&Config::connect_timeout, 100ms, 5min}, "10s", false,
     "time limit for the connection to a server"},
    {"connect_from", Hosts{&Config::connect_from}, "", false, "address that connections to servers come from, in turn"},
    {"require_banner", YesNo{&Config::require_banner}, "no", false,
     "a server that does not greet with ncacn_http/1.0 counts as unavailable"},
    {"handshake_timeout", Duration{&Config::handshake_timeout, 1s, 10min}, "10s", false,
     "time limit for a TLS handshake"},
    {"head_timeout", Duration{&Config::head_timeout, 1s, 10min}, "30s", false,
     "time limit for a request head, from its first byte to its last"},
    {"idle_timeout", Duration{&Config::idle_timeout, 1s, 1h}, "1min", false, "silence between two requests"},
    {"head_limit", Size{&Config::head_limit, 8 * KiB, 256 * KiB}, "96KiB", false, "size limit of a request head"},
    {"connection_limit", Count{&Config::connection_limit, 1, 1'000'000}, "20000", false,
     "client connections at one time, two for each tunnel"},
    {"log_level", LogLevel{&Config::log_level}, "info", false, "the least important lines that are logged"},
    {"user", Text{&Config::user}, "", false, "user to run as once the listeners are bound"},
    {"group", Text{&Config::group}, "", false, "group to run as; default the primary group of user"},
    {"pid_file", File{&Config::pid_file}, "", false, "file that holds the process number"},
    {"drain_time", Duration{&Config::drain_time, 0s, 1h, true}, "10s", true,
     "how long tunnels may take to end after SIGTERM"},
};

constexpr struct {
    const char* name;
    base::log::Level level;
} levels[] = {
    {"error", base::log::Level::error}, {"warning", base::log::Level::warning}, {"notice", base::log::Level::notice},
    {"info", base::log::Level::info},   {"debug", base::log::Level::debug},
};

constexpr struct {
    const char* name;
    http::RpcConnect mode;
} connect_modes[] = {
    {"no", http::RpcConnect::no},
    {"authenticated", http::RpcConnect::authenticated},
    {"anonymous", http::RpcConnect::anonymous},
};

constexpr struct {
    const char* name;
    ntlm::Protection::Policy policy;
} protections[] = {
    {"off", ntlm::Protection::Policy::off},
    {"allow", ntlm::Protection::Policy::allow},
    {"require", ntlm::Protection::Policy::require},
};

template <class... Cases> struct Overloaded : Cases... {
    using Cases::operator()...;
};
template <class... Cases> Overloaded(Cases...) -> Overloaded<Cases...>;

std::string in_quotes(std::string_view text)
{
    return '"' + std::string(text) + '"';
}

std::string absolute(std::string_view file, const std::string& folder)
{
    return (std::filesystem::path(folder) / file).lexically_normal().string();
}

/// A file name may have any bytes; but quotes around it and control characters have come along by mistake.
bool names_a_file(std::string_view value)
{
    const auto belongs = [](char c) noexcept { return static_cast<unsigned char>(c) >= ' ' && c != 0x7f; };
    return base::unwrapped(value) == value && base::odd_byte(value, belongs).empty();
}

/// "negotiate, ntlm, basic"
std::string scheme_names()
{
    std::string names;
    for (const auth::Scheme* scheme : auth::schemes())
        names += (names.empty() ? "" : ", ") + base::lower(scheme->name);
    return names;
}

std::string set_schemes(std::vector<std::string>& place, std::string_view value)
{
    for (const std::string_view word : base::split(value, ' ')) {
        const std::string name = base::lower(base::trim(word));
        if (name.empty())
            continue;
        if (auth::find_scheme(auth::schemes(), name) == nullptr)
            return in_quotes(name) + " is no authentication scheme; there are " + scheme_names();
        if (std::find(place.begin(), place.end(), name) != place.end())
            return in_quotes(name) + " is named twice";
        place.push_back(name);
    }
    return {};
}

std::string add_pairing_port(std::vector<Config::PairingPort>& place, std::string_view value)
{
    const std::size_t blank = std::min(value.find_first_of(" \t"), value.size());
    const auto address = net::Address::parse(value.substr(0, blank));
    if (!address)
        return in_quotes(value.substr(0, blank)) + " is no address with port, as 0.0.0.0:6001 or [::]:6001";
    const std::string_view target = base::trim(value.substr(blank));
    if (!target.empty())
        if (const std::string error = directory::parse_target(target).error; !error.empty())
            return in_quotes(target) + " is no target: " + error;
    const auto same = [&](const auto& port) { return port.address == *address; };
    if (address->port() != 0 && std::any_of(place.begin(), place.end(), same))
        return in_quotes(address->text()) + " is given twice";
    place.push_back({*address, std::string(target)});
    return {};
}

std::string add_host(std::vector<net::Address>& place, std::string_view value)
{
    const auto address = net::Address::from_host(value, 0);
    net::Address unspecified = address.value_or(net::Address());
    unspecified.clear_host();
    if (!address || *address == unspecified)
        return in_quotes(value) + " is no address of one host, as 192.0.2.7 or 2001:db8::7";
    if (std::find(place.begin(), place.end(), *address) != place.end())
        return in_quotes(value) + " is given twice";
    place.push_back(*address);
    return {};
}

} // namespace

bool Option::repeats() const noexcept
{
    return std::holds_alternative<Addresses>(kind) || std::holds_alternative<Hosts>(kind) ||
           std::holds_alternative<PairingPorts>(kind) || std::holds_alternative<Files>(kind) ||
           std::holds_alternative<Admissions>(kind) || std::holds_alternative<DomainNames>(kind);
}

std::string Option::type() const
{
    return std::visit(Overloaded{
                          [](const Addresses&) { return "address, may be repeated"; },
                          [](const Hosts&) { return "address without port, may be repeated"; },
                          [](const PairingPorts&) { return "address and target, may be repeated"; },
                          [](const Files&) { return "file, may be repeated"; },
                          [](const File&) { return "file"; },
                          [](const Text&) { return "name"; },
                          [](const Realm&) { return "text"; },
                          [](const DomainNames&) { return "name, may be repeated"; },
                          [](const Admissions&) { return "rule, may be repeated"; },
                          [](const Schemes&) { return "list of words"; },
                          [](const YesNo&) { return "yes or no"; },
                          [](const Count&) { return "number"; },
                          [](const Size&) { return "size in bytes, KiB, MiB, GiB"; },
                          [](const Duration&) { return "duration in ms, s, min, h, d"; },
                          [](const ConnectMode&) { return "word"; },
                          [](const Protection&) { return "word"; },
                          [](const LogLevel&) { return "word"; },
                      },
                      kind);
}

std::string Option::range() const
{
    return std::visit(Overloaded{
                          [](const Addresses&) { return std::string(); },
                          [](const Hosts&) { return std::string(); },
                          [](const PairingPorts&) { return std::string(); },
                          [](const Files&) { return std::string(); },
                          [](const File&) { return std::string(); },
                          [](const Text&) { return std::string(); },
                          [](const Realm&) { return std::string("printable ASCII without quote and backslash"); },
                          [](const DomainNames&) { return std::string(); },
                          [](const Admissions&) { return std::string(); },
                          [](const Schemes&) { return scheme_names(); },
                          [](const YesNo&) { return std::string(); },
                          [](const Count& k) { return std::to_string(k.min) + ".." + std::to_string(k.max); },
                          [](const Size& k) { return size_text(k.min) + ".." + size_text(k.max); },
                          [](const Duration& k) {
                              const std::string zero = k.zero_too && k.min > Millis(0) ? "0 or " : "";
                              return zero + duration_text(k.min) + ".." + duration_text(k.max);
                          },
                          [](const ConnectMode&) { return std::string("no, authenticated, anonymous"); },
                          [](const Protection&) { return std::string("off, allow, require"); },
                          [](const LogLevel&) { return std::string("error, warning, notice, info, debug"); },
                      },
                      kind);
}

std::string Option::set(Config& config, std::string_view value, const std::string& folder) const
{
    if (value.empty())
        return "the value is missing";
    const auto ranged = [&](const auto& k, const auto& parsed, bool zero_too) -> std::string {
        if (!parsed)
            return in_quotes(value) + " is no " + type();
        if (!(zero_too && *parsed == std::remove_cvref_t<decltype(*parsed)>{}) && (*parsed < k.min || *parsed > k.max))
            return in_quotes(value) + " is not in the range " + range();
        config.*k.place = *parsed;
        return {};
    };
    const auto word = [&](const auto& k, const auto& words) -> std::string {
        for (const auto& [text, meaning] : words) {
            if (value == text) {
                config.*k.place = meaning;
                return {};
            }
        }
        return in_quotes(value) + " is none of " + range();
    };
    return std::visit(
        Overloaded{
            [&](const Addresses& k) -> std::string {
                const auto address = net::Address::parse(value);
                if (!address)
                    return in_quotes(value) + " is no address with port, as 0.0.0.0:80 or [::]:443";
                const auto& list = config.*k.place;
                if (address->port() != 0 && std::find(list.begin(), list.end(), *address) != list.end())
                    return in_quotes(value) + " is given twice";
                (config.*k.place).push_back(*address);
                return {};
            },
            [&](const Hosts& k) { return add_host(config.*k.place, value); },
            [&](const PairingPorts& k) { return add_pairing_port(config.*k.place, value); },
            [&](const Files& k) -> std::string {
                if (!names_a_file(value))
                    return in_quotes(value) + " is no file name";
                (config.*k.place).push_back(absolute(value, folder));
                return {};
            },
            [&](const File& k) -> std::string {
                if (!names_a_file(value))
                    return in_quotes(value) + " is no file name";
                config.*k.place = absolute(value, folder);
                return {};
            },
            [&](const Text& k) -> std::string {
                if (!base::odd_byte(value).empty())
                    return in_quotes(value) + " is no name of a user or group";
                config.*k.place = value;
                return {};
            },
            [&](const Realm& k) -> std::string {
                if (!auth::valid_realm(value))
                    return "a realm is printable ASCII without quote and backslash";
                config.*k.place = value;
                return {};
            },
            [&](const DomainNames& k) -> std::string {
                const std::optional<base::Login> login = base::Login::parse("x@" + std::string(value));
                if (!login)
                    return in_quotes(value) + " is no name of a domain, as CORP or corp.example";
                (config.*k.place).push_back(login->folded().domain);
                return {};
            },
            [&](const Admissions& k) -> std::string {
                auth::Admission::Parsed parsed = auth::Admission::parse(value);
                if (!parsed.rule)
                    return parsed.error;
                (config.*k.place).push_back(std::move(*parsed.rule));
                return {};
            },
            [&](const Schemes& k) -> std::string {
                (config.*k.place).clear();
                return set_schemes(config.*k.place, value);
            },
            [&](const YesNo& k) -> std::string {
                const auto parsed = parse_yes_no(value);
                if (!parsed)
                    return in_quotes(value) + " is neither yes nor no";
                config.*k.place = *parsed;
                return {};
            },
            [&](const Count& k) { return ranged(k, base::parse_decimal(value, UINT64_MAX), false); },
            [&](const Size& k) { return ranged(k, parse_size(value), false); },
            [&](const Duration& k) { return ranged(k, parse_duration(value), k.zero_too); },
            [&](const ConnectMode& k) { return word(k, connect_modes); },
            [&](const Protection& k) { return word(k, protections); },
            [&](const LogLevel& k) { return word(k, levels); },
        },
        kind);
}

std::span<const Option> option_table() noexcept
{
    return table;
}

const Option* find_option(std::string_view name) noexcept
{
    for (const Option& option : table)
        if (name == option.name)
            return &option;
    return nullptr;
}

namespace {

/// Levenshtein's distance.
std::size_t distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
        }
    }
    return row[b.size()];
}

} // namespace

const Option* nearest_option(std::string_view name)
{
    const Option* best = nullptr;
    std::size_t least = std::min<std::size_t>(4, name.size() / 2 + 1);
    if (name.size() > 64)
        return nullptr;
    const std::string folded = base::lower(name);
    for (const Option& option : table) {
        const std::size_t steps = distance(folded, option.name);
        if (steps < least) {
            least = steps;
            best = &option;
        }
    }
    return best;
}

std::string options_text()
{
    std::string text;
    for (const Option& option : table) {
        const std::string parts[] = {option.name, option.type(), option.range(), option.fallback, option.help};
        for (const std::string& part : parts)
            text += part + (&part == &parts[4] ? '\n' : '\t');
    }
    return text;
}

} // namespace rpctunneld
