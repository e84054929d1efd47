#pragma once

#include "ping/options.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ping {

/// Exit codes; stable, in rpctunnel-ping(1).
enum class Exit : int {
    success = 0,
    usage = 1,
    connect = 2,
    tls = 3,
    http_authentication = 4,
    target_refused = 5,
    server_unavailable = 6,
    access_denied = 7,
    protocol = 8,
    ntlm_v1_accepted = 9,
};

/// Why a step did not succeed, in words for an administrator.
struct Failure {
    Failure() = default;
    Failure(Exit exit_code, std::optional<std::uint32_t> number, std::string seen = {})
        : exit(exit_code), detail(std::move(seen)), win32(number)
    {
    }

    Exit exit = Exit::protocol;
    std::string detail;                 ///< what was seen: "503 RPC Error: 6ba"
    std::string meaning;                ///< a sentence
    std::string advice;                 ///< what to do; sentences, may be empty
    std::optional<std::uint32_t> win32; ///< the number to search for
    int http_status = 0;                ///< 0: no HTTP response was involved
};

/// The name of a Win32 error ("RPC_S_SERVER_UNAVAILABLE"); null when it is not known.
const char* win32_name(std::uint32_t code) noexcept;
/// "1722 (0x6ba) RPC_S_SERVER_UNAVAILABLE".
std::string win32_text(std::uint32_t code);

/// What a peer wrote, safe for a terminal and bounded: bytes outside printable ASCII become \xNN.
std::string printable(std::string_view text, std::size_t limit = 300);

/// Where a step happens; the first word of its line.
enum class Place { general, in, out, rpc };

/// Tells about each step as soon as it is over: one line of text, or one JSON object.
class Report {
public:
    using Notes = std::vector<std::string>;

    /// Everything goes to standard output, warnings of text reports to standard error.
    explicit Report(const Options& options) : options_(options) {}

    /// What is going to be done.
    void title(const std::string& text);
    /// Starts the clock of a step. `name` is static text; in JSON it gets the place in front ("in-connect").
    void begin(Place place, const char* name);
    /// The step that runs is about another place than it seemed: the clock goes on.
    void rename(Place place, const char* name);
    /// How far a long step has come; text reports only.
    void progress(const std::string& text);
    /// Ends the step. `notes` are for `-v 2` and for the children of JSON.
    void passed(const std::string& detail, const Notes& notes = {}, int http_status = 0);
    void warned(const std::string& detail, const Notes& notes = {});
    void failed(const Failure& failure);
    /// A warning that belongs to no step. Not with -q.
    void warning(const std::string& text);
    /// -v 3: what went over the wire.
    void trace(Place place, const char* direction, const std::string& text);
    bool tracing() const noexcept { return options_.verbosity >= 3 && !options_.json; }

    /// The last line: the first failure, or `success`.
    Exit verdict(const std::string& success);

private:
    using Clock = std::chrono::steady_clock;

    void end(const char* status, const std::string& detail, const Notes& notes, int http_status,
             std::optional<std::uint32_t> win32);

    const Options& options_;
    Place place_ = Place::general;
    const char* name_ = "";
    Clock::time_point began_ = Clock::now();
    Clock::time_point first_ = began_;
    std::optional<Failure> failure_;
    std::string failed_step_;
};

} // namespace ping
