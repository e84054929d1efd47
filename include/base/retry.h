#pragma once

#include <chrono>
#include <string_view>

namespace base {

/// Work that must be done, however long that takes: when it is to be tried again after it has failed. Writes one line when
/// it fails for the first time and one when it is done after all. One thread.
class Retry {
public:
    using Millis = std::chrono::milliseconds;
    static constexpr Millis shortest{500}, longest{30'000};

    /// For the log, all constants: the event, what it means that the work is not done, and that it is: "read after all".
    Retry(const char* event, const char* consequence, const char* success)
        : event_(event), consequence_(consequence), success_(success)
    {
    }

    /// How long to wait now: twice as long as after the last failure.
    Millis failed(std::string_view reason) noexcept;
    void done() noexcept;
    /// The next failure counts as the first, and is told.
    void begin_anew() noexcept { failures_ = 0; }

private:
    const char* const event_;
    const char* const consequence_;
    const char* const success_;
    unsigned failures_ = 0;
    Millis wait_{};
};

} // namespace base
