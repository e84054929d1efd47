#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

namespace base::log {

enum class Level { error, warning, notice, info, debug };

/// One `key=value` of a log line. Numbers and text; never a password, a token or a hash.
struct Field {
    std::string_view key;
    std::string value;

    Field(std::string_view k, std::string_view v) : key(k), value(v) {}
    Field(std::string_view k, const char* v) : key(k), value(v) {}
    Field(std::string_view k, const std::string& v) : key(k), value(v) {}
    template <std::integral Number> Field(std::string_view k, Number v) : key(k), value(std::to_string(v)) {}
};

/// Lines below `level` are dropped. Call before threads start.
void set_level(Level level) noexcept;
/// Ask it before a line whose fields take time to make and that is written for each tunnel.
bool wanted(Level level) noexcept;
/// Lines go to syslog (facility daemon) instead of standard error. Call before threads start.
void use_syslog(const char* name) noexcept;

/// While it lives, the lines of all threads are written by a thread of its own and nobody waits for the log
/// (base/line_writer.h); a crash waits a moment until they are out (base/line_rescue.h). One at a time; make it after any
/// fork. Its end waits for the log, for a second at most.
class Writer {
public:
    /// Throws std::runtime_error.
    Writer();
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
};

/// Writes one line: time, level, event, fields. Any thread. Without a Writer it is out when this returns. Values are quoted
/// when they need it and bytes outside printable ASCII are escaped, so that a peer cannot forge a line; one that is too
/// long for a queue ends in "...".
///
///     2026-11-21T03:40:08.123Z notice refused peer=127.0.0.1:4711 reason="not in ValidPorts"
void line(Level level, std::string_view event, std::initializer_list<Field> fields) noexcept;

inline void error(std::string_view event, std::initializer_list<Field> fields) noexcept { line(Level::error, event, fields); }
inline void warning(std::string_view event, std::initializer_list<Field> fields) noexcept { line(Level::warning, event, fields); }
inline void notice(std::string_view event, std::initializer_list<Field> fields) noexcept { line(Level::notice, event, fields); }
inline void info(std::string_view event, std::initializer_list<Field> fields) noexcept { line(Level::info, event, fields); }
inline void debug(std::string_view event, std::initializer_list<Field> fields) noexcept { line(Level::debug, event, fields); }

/// The text of a line without time and line end; exposed for tests.
std::string format(std::string_view event, std::initializer_list<Field> fields);

} // namespace base::log
