#include "base/log.h"

#include "base/line_rescue.h"
#include "base/line_sink.h"
#include "base/line_writer.h"

#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace base::log {
namespace {

Level threshold = Level::info;

constinit DescriptorSink standard_error(STDERR_FILENO);
constinit SyslogSink system_log;
constinit LineSink* sink = &standard_error;

constexpr const char* names[] = {"error", "warning", "notice", "info", "debug"};

bool plain(char c) noexcept
{
    return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
}

void append_value(std::string& text, std::string_view value)
{
    if (!value.empty() && std::all_of(value.begin(), value.end(), plain)) {
        text += value;
        return;
    }
    text += '"';
    for (const char c : value) {
        if (c == '"' || c == '\\') {
            text += '\\';
            text += c;
        } else if (c >= ' ' && c < 0x7f) {
            text += c;
        } else {
            char escaped[5];
            std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(c));
            text += escaped;
        }
    }
    text += '"';
}

void append(std::string& text, std::string_view event, std::initializer_list<Field> fields)
{
    text += event;
    for (const Field& field : fields) {
        text += ' ';
        text += field.key;
        text += '=';
        append_value(text, field.value);
    }
}

/// Most lines of a thread come in the second of the one before.
void append_stamp(std::string& text, const timespec& now)
{
    thread_local time_t second = -1;
    thread_local char stamp[sizeof "2026-11-21T03:40:08"];
    if (second != now.tv_sec) {
        tm utc{};
        gmtime_r(&now.tv_sec, &utc);
        std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
        second = now.tv_sec;
    }
    text += stamp;
    text += '.';
    const auto milliseconds = static_cast<unsigned>(now.tv_nsec / 1'000'000);
    for (const unsigned digit : {milliseconds / 100, milliseconds / 10 % 10, milliseconds % 10})
        text += static_cast<char>('0' + digit);
    text += "Z ";
}

void report_losses(const LineCounts& lost)
{
    const auto count = [&](Level level) { return lost[static_cast<std::size_t>(level)]; };
    const std::initializer_list<Field> fields = {{"error", count(Level::error)},
                                                 {"warning", count(Level::warning)},
                                                 {"notice", count(Level::notice)},
                                                 {"info", count(Level::info)},
                                                 {"debug", count(Level::debug)}};
    // With log_level error, errors alone can be lost.
    if (count(Level::error) != 0)
        log::error("lines-lost", fields);
    else
        log::warning("lines-lost", fields);
}

} // namespace

void set_level(Level level) noexcept
{
    threshold = level;
}

bool wanted(Level level) noexcept
{
    return level <= threshold;
}

void use_syslog(const char* name) noexcept
{
    openlog(name, LOG_PID, LOG_DAEMON);
    sink = &system_log;
}

std::string format(std::string_view event, std::initializer_list<Field> fields)
{
    std::string text;
    append(text, event, fields);
    return text;
}

Writer::Writer()
{
    line_writer::start(report_losses);
    line_rescue::install();
}

Writer::~Writer()
{
    line_writer::end(std::chrono::seconds(1));
    line_rescue::remove();
}

void line(Level level, std::string_view event, std::initializer_list<Field> fields) noexcept
{
    if (!wanted(level))
        return;
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    std::string text;
    text.reserve(256);
    if (sink == &standard_error) {
        append_stamp(text, now);
        text += names[static_cast<std::size_t>(level)];
        text += ' ';
    }
    append(text, event, fields);
    if (text.size() >= LineQueue::longest) {
        text.resize(LineQueue::longest - 4);
        text += "...";
    }
    if (sink == &standard_error)
        text += '\n';
    line_writer::put({level, sink, now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec, text});
}

} // namespace base::log
