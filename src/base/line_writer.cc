#include "base/line_writer.h"

#include "base/line_queues.h"
#include "base/line_sink.h"
#include "base/no_signals.h"

#include <pthread.h>
#include <semaphore.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <string>

namespace base::line_writer {
namespace {

using namespace std::chrono_literals;

// After some lines the writer rests before it looks again: lines that come one after the other cost their threads no waking,
// and go out together. A line that comes after silence goes out at once.
constexpr auto rest = 5ms;
// A log that takes lines, but not all of them, tells so as often as this at most.
constexpr auto report_interval = 1s;
// How often and how many times the writer is asked to leave a call that blocks.
constexpr auto kick_interval = 10ms;
constexpr int kicks = 100;
// Its default is to be ignored, so that one that nobody has asked for does nothing.
constexpr int kick_signal = SIGURG;

enum class Way { callers_wait, queues, callers_try, silence };
enum class State { awake, resting, asleep };

// No destructor ends any of this: threads may have a last word while the process ends.
constinit std::atomic<Way> way{Way::callers_wait};
constinit std::atomic<State> state{State::awake};
constinit std::atomic<bool> ending{false}, give_up{false};
constinit std::atomic<bool> writing{false}; // lines are on their way out of the queues
sem_t alarm, ended;
pthread_t thread;

// The writer's own; end() has them when the thread is no more.
Report report_losses;
LineCounts lost, told; // lost: taken from a queue and not written; told: all that was reported
bool taken_well = true;   // the log took the last lines
timespec next_report;

/// Lines for one sink that go out together.
struct Batch {
    static constexpr std::size_t most = 256;
    struct Row {
        std::uint32_t end; // of the line in `text`
        log::Level level;
    };

    LineSink* sink;
    std::size_t lines, size, out;
    Row rows[most];
    char text[LineQueue::longest];

    std::string_view left() const noexcept { return {text + out, size - out}; }
    log::Level level() const noexcept
    {
        return std::min_element(rows, rows + lines, [](const Row& a, const Row& b) { return a.level < b.level; })->level;
    }
    bool takes(const LineQueue::Head& head) const noexcept
    {
        return lines == 0 || (sink == head.sink && lines < most && size + head.size <= sink->batch);
    }
    void add(LineQueue& queue, const LineQueue::Head& head) noexcept
    {
        queue.take(head, text + size);
        sink = head.sink;
        size += head.size;
        rows[lines++] = {static_cast<std::uint32_t>(size), head.level};
    }
    /// Counts the lines that are not wholly out, and is empty.
    void close() noexcept
    {
        for (std::size_t i = 0; i < lines; ++i)
            if (rows[i].end > out)
                ++lost[static_cast<std::size_t>(rows[i].level)];
        lines = size = out = 0;
    }
} batch;

timespec from_now(std::chrono::nanoseconds time) noexcept
{
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const auto sum = time + std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
    return {static_cast<time_t>(sum / 1s), static_cast<long>((sum % 1s).count())};
}

bool over(const timespec& time) noexcept
{
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec != time.tv_sec ? now.tv_sec > time.tv_sec : now.tv_nsec >= time.tv_nsec;
}

bool wait(sem_t& semaphore, std::chrono::nanoseconds patience) noexcept
{
    const timespec until = from_now(patience);
    int result;
    while ((result = sem_clockwait(&semaphore, CLOCK_MONOTONIC, &until)) != 0 && errno == EINTR) {
    }
    return result == 0;
}

/// Whoever finds the writer not awake wakes it, and nobody else does.
void wake() noexcept
{
    if (state.exchange(State::awake) != State::awake)
        sem_post(&alarm);
}

void pause(State how) noexcept
{
    state = how;
    // A line that is not seen here was put after the change, so that its thread sees the change.
    bool posted = false;
    if (how == State::resting && !ending)
        posted = wait(alarm, rest);
    else if (how == State::asleep && !ending && line_queues::empty())
        while (!(posted = sem_wait(&alarm) == 0)) {
        }
    if (!posted && state.exchange(State::awake) == State::awake)
        while (sem_wait(&alarm) != 0) {
        }
}

LineCounts untold() noexcept
{
    LineCounts counts = line_queues::dropped();
    for (std::size_t level = 0; level < counts.size(); ++level)
        counts[level] += lost[level] - told[level];
    return counts;
}

bool tell() noexcept
{
    const LineCounts counts = untold();
    if (counts == LineCounts{})
        return false;
    for (std::size_t level = 0; level < counts.size(); ++level)
        told[level] += counts[level];
    next_report = from_now(report_interval);
    report_losses(counts);
    return true;
}

void write_batch() noexcept
{
    if (batch.lines == 0)
        return;
    batch.out = batch.sink->write(batch.level(), batch.left(), give_up);
    taken_well = batch.out == batch.size;
    if (taken_well || !give_up)
        batch.close();
}

/// Writes all that is queued. False when nothing was.
bool write_queued() noexcept
{
    LineQueue::Head head;
    bool any = false;
    writing = true;
    while (LineQueue* const queue = line_queues::earliest(head)) {
        if (!batch.takes(head)) {
            write_batch();
            if (give_up)
                break;
            if (taken_well && over(next_report))
                tell();
            continue; // an earlier one may have come
        }
        batch.add(*queue, head);
        any = true;
    }
    if (!give_up)
        write_batch();
    writing = false;
    return any;
}

void* run(void*) noexcept
{
    for (;;) {
        const bool any = write_queued();
        if (give_up || (ending && !any))
            break;
        const bool owes = taken_well && untold() != LineCounts{};
        if (owes && over(next_report))
            tell();
        else if (!ending)
            pause(any || owes ? State::resting : State::asleep);
    }
    sem_post(&ended);
    return nullptr;
}

/// Waits for the end of the thread; after `bound` it leaves whatever holds it. False when nothing helps.
bool wait_for_end(std::chrono::milliseconds bound) noexcept
{
    if (wait(ended, bound))
        return true;
    give_up = true;
    struct sigaction nothing {}, before;
    nothing.sa_handler = [](int) {}; // without SA_RESTART
    sigaction(kick_signal, &nothing, &before);
    bool gone = false;
    for (int i = 0; i < kicks && !gone; ++i) {
        pthread_kill(thread, kick_signal);
        gone = wait(ended, kick_interval);
    }
    sigaction(kick_signal, &before, nullptr);
    return gone;
}

/// What the writer has left, without waiting. False when the log did not take it.
bool write_left(bool in_signal_handler) noexcept
{
    LineQueue::Head head;
    for (;;) {
        if (batch.lines != 0) {
            if (in_signal_handler && !batch.sink->signal_safe)
                return false;
            batch.out += batch.sink->write_at_once(batch.level(), batch.left());
            if (batch.out != batch.size)
                return false;
            batch.close();
        }
        LineQueue* const queue = line_queues::earliest(head);
        if (queue == nullptr)
            return true;
        batch.add(*queue, head);
    }
}

void drop_left() noexcept
{
    batch.close();
    LineQueue::Head head;
    while (LineQueue* const queue = line_queues::earliest(head)) {
        batch.add(*queue, head);
        batch.close();
    }
}

} // namespace

void start(Report report)
{
    assert(way != Way::queues);
    report_losses = report;
    told = line_queues::dropped();
    lost = {};
    taken_well = true;
    next_report = {};
    ending = give_up = false;
    state = State::awake;
    sem_init(&alarm, 0, 0);
    sem_init(&ended, 0, 0);
    int error;
    {
        const NoSignals no_signals(kick_signal);
        error = pthread_create(&thread, nullptr, run, nullptr);
    }
    if (error != 0)
        throw std::runtime_error("a thread for the log: " + std::string(std::strerror(error)));
    pthread_setname_np(thread, "log");
    way = Way::queues;
}

void put(const Line& line) noexcept
{
    static const std::atomic<bool> never{false};
    switch (way.load()) {
    case Way::callers_wait:
        line.sink->write(line.level, line.text, never);
        return;
    case Way::callers_try:
        line.sink->write_at_once(line.level, line.text);
        return;
    case Way::silence:
        return;
    case Way::queues:
        break;
    }
    LineQueue* const queue = line_queues::own();
    if (queue == nullptr || !queue->put(line))
        return;
    const State now = state.load();
    if (now == State::asleep || (now == State::resting && queue->used() > LineQueue::capacity / 4))
        wake();
}

void end(std::chrono::milliseconds bound) noexcept
{
    if (way != Way::queues)
        return;
    ending = true;
    wake();
    if (!wait_for_end(bound)) {
        // It may come back as long as the process lives, and what is the writer's stays so.
        pthread_detach(thread);
        way = Way::silence;
        return;
    }
    pthread_join(thread, nullptr);
    way = Way::callers_try;
    if (!write_left(false)) {
        // Where a line has gone out by half, none may follow it.
        if (batch.out != 0 && batch.text[batch.out - 1] != '\n')
            way = Way::silence;
        drop_left();
    }
    tell();
    sem_destroy(&alarm);
    sem_destroy(&ended);
}

void rescue(std::chrono::milliseconds bound) noexcept
{
    if (way == Way::callers_wait || way == Way::callers_try)
        return;
    way = Way::silence;
    if (pthread_equal(pthread_self(), thread)) {
        write_left(true);
        return;
    }
    wake();
    constexpr timespec moment{0, 500'000};
    for (const timespec until = from_now(bound); (!line_queues::empty() || writing) && !over(until);)
        nanosleep(&moment, nullptr);
}

} // namespace base::line_writer
