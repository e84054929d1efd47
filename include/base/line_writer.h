#pragma once

#include "base/line_queue.h"

#include <chrono>

/// The one thread of the process that writes lines, so that no other waits for a log. Between start() and end() a line goes
/// into the queue of its thread (base/line_queues.h) and the thread goes on, without a system call while the writer is
/// awake. A full queue loses lines, the less important first; how many, is reported when the log takes lines again. A
/// writer without lines sleeps.
namespace base::line_writer {

/// Called by the writer with the numbers of lines that were lost since the last time. It may put().
using Report = void (*)(const LineCounts& lost);

/// Starts the thread; every signal is blocked in it but those of a crash and SIGURG. Not while it runs, and not before a fork. Throws
/// std::runtime_error.
void start(Report report);

/// Any thread. Before start() the caller writes and waits; after end() it writes what can be written without waiting.
void put(const Line& line) noexcept;

/// Ends the thread when everything is written, or after `bound`. A log that takes nothing then loses what is left. What
/// other threads put meanwhile may be lost uncounted.
void end(std::chrono::milliseconds bound) noexcept;

/// For the handler of a crash: lets the writer write what is queued, for as long as `bound`, and takes no new lines. When it is
/// the writer itself that has crashed, writes what can be written without waiting. Async-signal-safe.
void rescue(std::chrono::milliseconds bound) noexcept;

} // namespace base::line_writer
