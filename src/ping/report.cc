#include "ping/report.h"

#include "base/text.h"

#include <algorithm>

namespace ping {
namespace {

const char* text(Place place)
{
    switch (place) {
    case Place::general:
        return "";
    case Place::in:
        return "IN";
    case Place::out:
        return "OUT";
    case Place::rpc:
        return "RPC";
    }
    return "";
}

std::string json_text(std::string_view value)
{
    std::string out = "\"";
    for (const char c : printable(value, 4000)) {
        if (c == '"' || c == '\\')
            out += '\\';
        out += c;
    }
    return out + "\"";
}

std::string json_step(Place place, std::string_view name)
{
    std::string step = base::lower(text(place));
    if (!step.empty())
        step += '-';
    for (const char c : name)
        step += c == ' ' || c == '/' ? '-' : base::lower(c);
    return step;
}

std::string json_number(std::optional<std::uint32_t> value)
{
    return value ? std::to_string(*value) : "null";
}

double milliseconds(std::chrono::steady_clock::duration duration)
{
    return std::chrono::duration<double, std::milli>(duration).count();
}

} // namespace

const char* win32_name(std::uint32_t code) noexcept
{
    struct Row {
        std::uint32_t code;
        const char* name;
    };
    static constexpr Row rows[] = {
        {5, "ERROR_ACCESS_DENIED"},          {1706, "RPC_S_INVALID_ENDPOINT_FORMAT"},
        {1707, "RPC_S_INVALID_NET_ADDR"},    {1717, "RPC_S_UNKNOWN_IF"},
        {1721, "RPC_S_OUT_OF_RESOURCES"},    {1722, "RPC_S_SERVER_UNAVAILABLE"},
        {1723, "RPC_S_SERVER_TOO_BUSY"},     {1726, "RPC_S_CALL_FAILED"},
        {1727, "RPC_S_CALL_FAILED_DNE"},     {1728, "RPC_S_PROTOCOL_ERROR"},
        {1729, "RPC_S_PROXY_ACCESS_DENIED"}, {1745, "RPC_S_PROCNUM_OUT_OF_RANGE"},
        {1753, "EPT_S_NOT_REGISTERED"},      {1764, "RPC_S_CANNOT_SUPPORT"},
        {1783, "RPC_X_BAD_STUB_DATA"},       {1825, "RPC_S_SEC_PKG_ERROR"},
    };
    const auto row = std::find_if(std::begin(rows), std::end(rows), [&](const Row& r) { return r.code == code; });
    return row == std::end(rows) ? nullptr : row->name;
}

std::string win32_text(std::uint32_t code)
{
    char number[48];
    std::snprintf(number, sizeof number, "%u (0x%x)", code, code);
    const char* name = win32_name(code);
    return name ? std::string(number) + " " + name : number;
}

std::string printable(std::string_view text, std::size_t limit)
{
    std::string out;
    for (const char c : text.substr(0, limit)) {
        if (c >= 0x20 && c < 0x7f) {
            out += c;
        } else {
            const auto byte = static_cast<std::uint8_t>(c);
            out += "\\x" + base::hex(&byte, 1);
        }
    }
    return text.size() > limit ? out + "..." : out;
}

void Report::title(const std::string& text)
{
    first_ = Clock::now();
    if (!options_.json)
        std::printf("%s\n\n", printable(text).c_str());
}

void Report::begin(Place place, const char* name)
{
    rename(place, name);
    began_ = Clock::now();
}

void Report::rename(Place place, const char* name)
{
    place_ = place;
    name_ = name;
}

void Report::progress(const std::string& detail)
{
    if (options_.json)
        return;
    std::printf("%-3s %-20s %-7s %9s     %s\n", text(place_), name_, "...", "", printable(detail).c_str());
    std::fflush(stdout);
}

void Report::passed(const std::string& detail, const Notes& notes, int http_status)
{
    end("ok", detail, notes, http_status, std::nullopt);
}

void Report::warned(const std::string& detail, const Notes& notes)
{
    end("warning", detail, notes, 0, std::nullopt);
}

void Report::failed(const Failure& failure)
{
    end("failed", failure.detail, {}, failure.http_status, failure.win32);
    if (failure_)
        return;
    failure_ = failure;
    failed_step_ = place_ == Place::general ? name_ : std::string(text(place_)) + " " + name_;
}

void Report::end(const char* status, const std::string& detail, const Notes& notes, int http_status,
                 std::optional<std::uint32_t> win32)
{
    const double ms = milliseconds(Clock::now() - began_);
    if (options_.json) {
        std::string children;
        for (const std::string& note : notes)
            children += (children.empty() ? "" : ", ") + json_text(note);
        std::printf(
            "{\"step\": %s, \"status\": \"%s\", \"ms\": %.1f, \"detail\": %s, \"http_status\": %s, \"win32\": %s, "
            "\"children\": [%s]}\n",
            json_text(json_step(place_, name_)).c_str(), status, ms, json_text(detail).c_str(),
            http_status ? std::to_string(http_status).c_str() : "null", json_number(win32).c_str(), children.c_str());
    } else {
        std::string mark = status;
        if (mark == "failed")
            mark = "FAILED";
        std::printf("%-3s %-20s %-7s %9.1f ms  %s\n", text(place_), name_, mark.c_str(), ms, printable(detail).c_str());
        if (options_.verbosity >= 2)
            for (const std::string& note : notes)
                std::printf("%48s%s\n", "", printable(note).c_str());
    }
    std::fflush(stdout);
}

void Report::warning(const std::string& text)
{
    if (options_.quiet)
        return;
    std::fflush(stdout);
    std::fprintf(stderr, "rpctunnel-ping: warning: %s\n", printable(text).c_str());
}

void Report::trace(Place place, const char* direction, const std::string& text_of_it)
{
    if (!tracing())
        return;
    for (const std::string_view line : base::split(text_of_it, '\n'))
        if (const auto bare = line.substr(0, line.find('\r')); !bare.empty())
            std::printf("    %-3s %s %s\n", text(place), direction, printable(bare, 2000).c_str());
}

Exit Report::verdict(const std::string& success)
{
    const double ms = milliseconds(Clock::now() - first_);
    const Exit code = failure_ ? failure_->exit : Exit::success;
    if (options_.json) {
        const std::string detail = failure_ ? failure_->meaning : success;
        const std::string advice = failure_ && !failure_->advice.empty() ? json_text(failure_->advice) : "";
        std::printf("{\"step\": \"verdict\", \"status\": \"%s\", \"ms\": %.1f, \"detail\": %s, \"http_status\": %s, "
                    "\"win32\": %s, "
                    "\"children\": [%s], \"failed_step\": %s, \"exit\": %d}\n",
                    failure_ ? "failed" : "ok", ms, json_text(detail).c_str(),
                    failure_ && failure_->http_status ? std::to_string(failure_->http_status).c_str() : "null",
                    json_number(failure_ ? failure_->win32 : std::nullopt).c_str(), advice.c_str(),
                    failure_ ? json_text(failed_step_).c_str() : "null", static_cast<int>(code));
    } else if (failure_) {
        std::printf("\nFAILED at %s: %s\n", failed_step_.c_str(), printable(failure_->meaning, 1000).c_str());
        if (!failure_->advice.empty())
            std::printf("What to do: %s\n", printable(failure_->advice, 1000).c_str());
        if (failure_->win32)
            std::printf("Win32 error %s. ", win32_text(*failure_->win32).c_str());
        std::printf("Exit code %d.\n", static_cast<int>(code));
    } else {
        std::printf("\nSUCCESS: %s %.1f ms in all.\n", printable(success, 1000).c_str(), ms);
    }
    std::fflush(stdout);
    return code;
}

} // namespace ping
