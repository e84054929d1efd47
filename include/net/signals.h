#pragma once

#include "base/delegate.h"
#include "base/unique_fd.h"
#include "net/loop.h"

#include <csignal>
#include <initializer_list>

namespace net {

/// Signals as events of a loop. They are to be blocked in every thread of the process, before and after: what was sent while
/// this did not exist comes as soon as it does. One thread.
class Signals {
public:
    using Callback = base::Delegate<void(int signal)>;

    /// Throws std::system_error.
    Signals(Loop& loop, std::initializer_list<int> signals, Callback callback);
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

private:
    void on_events(std::uint32_t);

    const Callback callback_;
    base::UniqueFd fd_;
    Watch watch_;
};

} // namespace net
