#pragma once

#include "base/line_queue.h"

/// The queues of all threads that have lines for the writer. A thread gets one with its first line and leaves it with its
/// end, to the next thread that wants one: there are as many as threads wrote at one time at most. They are never given
/// back, so that a thread may have a last word at any time, and a signal handler may look.
namespace base::line_queues {

/// The calling thread's. nullptr when there is no memory.
LineQueue* own() noexcept;

// Of the thread that takes from all of them.
/// The queue with the earliest line, and that line's head; nullptr when all are empty.
LineQueue* earliest(LineQueue::Head& head) noexcept;

// Any thread; async-signal-safe.
bool empty() noexcept;
/// Lines that found no room, since ever.
LineCounts dropped() noexcept;

} // namespace base::line_queues
