#pragma once

#include "daemon/config.h"

#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace rpctunneld {

// The kinds of options: where the value goes and what it may be.
struct Addresses { std::vector<net::Address> Config::* place; };
struct Hosts { std::vector<net::Address> Config::* place; };
struct PairingPorts { std::vector<Config::PairingPort> Config::* place; };
struct Files { std::vector<std::string> Config::* place; };
struct File { std::string Config::* place; };
struct Text { std::string Config::* place; };
struct Realm { std::string Config::* place; };
struct DomainNames { std::vector<std::string> Config::* place; };
struct Admissions { std::vector<auth::Admission::Rule> Config::* place; };
struct Schemes { std::vector<std::string> Config::* place; };
struct YesNo { bool Config::* place; };
struct Count { std::uint64_t Config::* place; std::uint64_t min, max; };
struct Size { std::uint64_t Config::* place; std::uint64_t min, max; };
struct Duration { Millis Config::* place; Millis min, max; bool zero_too = false; };
struct ConnectMode { http::RpcConnect Config::* place; };
struct Protection { ntlm::Protection::Policy Config::* place; };
struct LogLevel { base::log::Level Config::* place; };

using Kind = std::variant<Addresses, Hosts, PairingPorts, Files, File, Text, Realm, DomainNames, Admissions, Schemes, YesNo, Count, Size, Duration, ConnectMode,
                          Protection, LogLevel>;

/// One option of the configuration file. Parser, defaults, messages, --options and the check of the manual
/// all read this row.
struct Option {
    const char* name;
    Kind kind;
    const char* fallback; ///< the default as it would be written; empty = none
    bool at_once;         ///< a reload applies it; otherwise a restart is needed
    const char* help;

    /// May be given more than once.
    bool repeats() const noexcept;
    std::string type() const;
    /// "8KiB..256KiB"; empty when the type says all.
    std::string range() const;
    /// Stores `value`. Answers what is wrong with it, or an empty text. `folder` is where relative file
    /// names count from.
    std::string set(Config& config, std::string_view value, const std::string& folder) const;
};

std::span<const Option> option_table() noexcept;
const Option* find_option(std::string_view name) noexcept;
/// The option whose name is most like `name`, null when none is close.
const Option* nearest_option(std::string_view name);

/// The table as text: name, type, range, default, help, separated by tabs; one option a line.
std::string options_text();

} // namespace rpctunneld
