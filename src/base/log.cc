#include "base/log.h"

#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace base::log {
namespace {

Level threshold = Level::info;
bool to_syslog = false;

constexpr const char* names[] = {"error", "warning", "notice", "info", "debug"};
constexpr int priorities[] = {LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG};

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

std::string stamp()
{
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    tm utc{};
    gmtime_r(&now.tv_sec, &utc);
    char text[40];
    const auto size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    std::snprintf(text + size, sizeof text - size, ".%03ldZ ", now.tv_nsec / 1'000'000);
    return text;
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
    to_syslog = true;
}

std::string format(std::string_view event, std::initializer_list<Field> fields)
{
    std::string text(event);
    for (const Field& field : fields) {
        text += ' ';
        text += field.key;
        text += '=';
        append_value(text, field.value);
    }
    return text;
}

void line(Level level, std::string_view event, std::initializer_list<Field> fields) noexcept
{
    if (!wanted(level))
        return;
    const auto index = static_cast<std::size_t>(level);
    const std::string text = format(event, fields);
    if (to_syslog) {
        syslog(priorities[index], "%s", text.c_str());
        return;
    }
    const std::string whole = stamp() + names[index] + ' ' + text + '\n';
    // A log that cannot be written must not stop the service.
    if (::write(STDERR_FILENO, whole.data(), whole.size()) < 0)
        return;
}

} // namespace base::log
