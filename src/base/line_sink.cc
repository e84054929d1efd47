#include "base/line_sink.h"

#include <poll.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace base {
namespace {

constexpr int priorities[] = {LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG};

} // namespace

std::size_t DescriptorSink::write(log::Level, std::string_view lines, const std::atomic<bool>& give_up) noexcept
{
    if (torn_ && write_all("\n", give_up) == 0)
        return 0;
    const std::size_t out = write_all(lines, give_up);
    torn_ = out != 0 && out != lines.size() && lines[out - 1] != '\n' && !give_up;
    return out;
}

std::size_t DescriptorSink::write_at_once(log::Level, std::string_view lines) noexcept
{
    if (torn_ && write_some("\n") == 0)
        return 0;
    const std::size_t out = write_some(lines);
    torn_ = out != 0 && out != lines.size() && lines[out - 1] != '\n';
    return out;
}

std::size_t DescriptorSink::write_all(std::string_view text, const std::atomic<bool>& give_up) noexcept
{
    std::size_t out = 0;
    while (out < text.size() && !give_up) {
        const ssize_t size = ::write(fd_, text.data() + out, text.size() - out);
        if (size > 0)
            out += static_cast<std::size_t>(size);
        else if (size < 0 && errno == EAGAIN)
            wait(-1);
        else if (size == 0 || errno != EINTR)
            break;
    }
    return out;
}

std::size_t DescriptorSink::write_some(std::string_view text) noexcept
{
    std::size_t out = 0;
    // A descriptor that is ready takes a batch without waiting.
    while (out < text.size() && wait(0)) {
        const ssize_t size = ::write(fd_, text.data() + out, std::min(text.size() - out, batch));
        if (size <= 0)
            break;
        out += static_cast<std::size_t>(size);
    }
    return out;
}

bool DescriptorSink::wait(int milliseconds) const noexcept
{
    pollfd descriptor{fd_, POLLOUT, 0};
    return ::poll(&descriptor, 1, milliseconds) == 1 && (descriptor.revents & POLLOUT) != 0;
}

std::size_t SyslogSink::write(log::Level level, std::string_view line, const std::atomic<bool>& give_up) noexcept
{
    ::syslog(priorities[static_cast<std::size_t>(level)], "%.*s", static_cast<int>(line.size()), line.data());
    // Nobody knows whether it was sent.
    stuck_ = give_up.load();
    return stuck_ ? 0 : line.size();
}

std::size_t SyslogSink::write_at_once(log::Level level, std::string_view line) noexcept
{
    if (stuck_)
        return 0;
    ::syslog(priorities[static_cast<std::size_t>(level)], "%.*s", static_cast<int>(line.size()), line.data());
    return line.size();
}

} // namespace base
