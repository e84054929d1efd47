#pragma once

#include "base/log.h"

#include <atomic>
#include <cstddef>
#include <string_view>

namespace base {

/// Where finished lines go. One thread writes at a time, but for lines of one piece each (write_at_once, and write of one
/// line), which any may.
class LineSink {
public:
    /// Bytes of whole lines that are best written together; 0: each line alone.
    const std::size_t batch;
    /// Whether write_at_once may be called in a signal handler.
    const bool signal_safe;

    /// Writes whole lines, of which the most important has `level`, and waits as long as it takes. Returns the bytes that
    /// are out. Fewer than all: the log takes no more, and the rest is lost; or `give_up` was set and a signal ended the
    /// waiting, and the caller keeps the rest.
    virtual std::size_t write(log::Level level, std::string_view lines, const std::atomic<bool>& give_up) noexcept = 0;
    /// The same without waiting.
    virtual std::size_t write_at_once(log::Level level, std::string_view lines) noexcept = 0;

protected:
    constexpr LineSink(std::size_t bytes, bool safe) noexcept : batch(bytes), signal_safe(safe) {}
    ~LineSink() = default;
};

/// Lines, each with its line end, to a descriptor that is not owned. As many bytes are written at once as a pipe takes
/// whole, so that lines stay whole even where others write to the same pipe.
class DescriptorSink final : public LineSink {
public:
    constexpr explicit DescriptorSink(int fd) noexcept : LineSink(4096, true), fd_(fd) {}

    std::size_t write(log::Level level, std::string_view lines, const std::atomic<bool>& give_up) noexcept override;
    std::size_t write_at_once(log::Level level, std::string_view lines) noexcept override;

private:
    std::size_t write_all(std::string_view text, const std::atomic<bool>& give_up) noexcept;
    std::size_t write_some(std::string_view text) noexcept;
    bool wait(int milliseconds) const noexcept;

    const int fd_;
    // The last byte that went out was not the end of a line, and what belonged behind it is lost.
    std::atomic<bool> torn_{false};
};

/// Lines without line end to syslog(3), which stamps them when it gets them.
class SyslogSink final : public LineSink {
public:
    constexpr SyslogSink() noexcept : LineSink(0, false) {}

    std::size_t write(log::Level level, std::string_view line, const std::atomic<bool>& give_up) noexcept override;
    std::size_t write_at_once(log::Level level, std::string_view line) noexcept override;

private:
    // It has kept a writer waiting to the end: it is not asked again.
    std::atomic<bool> stuck_{false};
};

} // namespace base
