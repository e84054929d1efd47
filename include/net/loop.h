#pragma once

#include "base/delegate.h"
#include "base/unique_fd.h"
#include "net/wheel.h"

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace net {

class Stream;
class Task;
class Watch;

/// One thread's event loop: descriptors (Watch), timers (Timer), things to do soon (Task, defer) and a
/// mailbox for other threads (post). One shard is one Loop.
///
/// A round is: wait; callbacks of descriptors, those at the door last and for a millisecond at most; posted functions; due
/// timers; tasks and deferred functions.
/// Callbacks must not throw. Everything but post() and stop() belongs to the loop's thread, or to the one
/// thread that prepares the loop before run(). Watches, timers and tasks must be gone before their loop.
class Loop {
public:
    /// Which descriptors come first. However many clients come at once, those that are served are not kept waiting.
    enum class Turn : std::uint8_t {
        served,
        door, ///< whoever is not let in yet
    };

    static constexpr std::size_t scratch_size = 256 * 1024;

    /// Throws std::system_error when the kernel gives no epoll instance, eventfd or timerfd.
    Loop();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// Rounds until stop(). Sleeps without end when there is nothing to wait for.
    void run() noexcept;
    /// One round that waits at most `at_most`; zero polls.
    void run_once(Millis at_most) noexcept;
    /// Any thread: run() returns after the current round. A stop() before run() is kept for it.
    void stop() noexcept;

    /// Any thread: `function` is called in the loop's thread, in the order of the calls. Wakes the loop
    /// only when its mailbox was empty. Functions that were never called are destroyed with the loop.
    void post(std::function<void()> function);

    /// Called at the end of the current round, when no callback of this loop is on the stack: the place to
    /// destroy objects that may still be in use further up. What a deferred function defers comes one round
    /// later. Everything deferred is called before run() returns or, at the latest, by the destructor.
    void defer(std::function<void()> function);
    /// Between rounds: calls everything deferred, and what that defers, now.
    void settle() noexcept;

    /// Monotonic time, read once per round (and afresh while the loop is not running).
    Millis now() noexcept;
    /// For tests that would have to wait, between rounds: from now on it is so much later.
    void skip(Millis time) noexcept;

    /// Closes a stream that no watch looks after any more, though one may have handed it over in this round.
    void close(Stream& stream) noexcept;
    /// Before a stream that was handed over goes to another thread: there its descriptor may be closed, and its number
    /// used anew, at any time, so it must be in no epoll set of this loop.
    void part_with(const Stream& stream) noexcept;

    /// `scratch_size` bytes for whoever runs; its contents are yours until you return to the loop.
    std::span<std::uint8_t> scratch() noexcept { return {scratch_.get(), scratch_size}; }

private:
    friend class Watch;
    friend class Timer;
    friend class Task;

    void round(int limit_ms) noexcept;
    void set_alarm() noexcept;
    void dispatch(int count) noexcept;
    void look_at_the_door() noexcept;
    void run_posted() noexcept;
    void run_tasks() noexcept;
    void run_deferred() noexcept;
    void forget(const Watch* watch) noexcept;
    int set_of(Turn turn) const noexcept { return turn == Turn::served ? epoll_.get() : door_.get(); }
    bool enrol(int fd, Turn turn, epoll_event& event) noexcept;
    void keep(int fd, Turn turn) noexcept;
    std::optional<Turn> take_kept(int fd) noexcept;
    void strike_off(int fd, Turn turn) noexcept;
    void strike_off_kept() noexcept;
    void wake() noexcept;

    base::UniqueFd epoll_;
    base::UniqueFd door_; // an epoll set in the other one
    base::UniqueFd event_;
    base::UniqueFd alarm_;
    Millis alarm_at_; // when alarm_ rings: not later than the wheel has something to do
    Millis skipped_{}; // the loop's time is ahead of the machine's by it
    Millis now_;
    Wheel wheel_;
    bool running_ = false;
    std::atomic<bool> stopping_{false};

    std::array<epoll_event, 256> events_;
    int event_index_ = 0;
    int event_count_ = 0;

    bool knocking_ = false; // somebody at the door

    // Descriptors that were handed over in this round: another watch takes them over, as a stream goes from one owner to
    // the next, or they are closed, or they leave their epoll set before it is waited for.
    std::vector<int> kept_;
    std::vector<std::optional<Turn>> kept_in_; // by descriptor: which set

    std::mutex mutex_;
    std::vector<std::function<void()>> posted_; // guarded by mutex_

    std::vector<std::function<void()>> deferred_;
    WheelLink tasks_;
    std::unique_ptr<std::uint8_t[]> scratch_;
};

/// A descriptor in a loop's epoll set, edge-triggered: registered once, no epoll_ctl on the data path.
///
/// An event says "something changed": read (or write) until the call answers `again`. add() itself brings
/// an event for whatever is ready at that time. May be removed or destroyed in any callback of its loop,
/// its own included; after that no callback comes, even for an event already fetched.
class Watch {
public:
    using Callback = base::Delegate<void(std::uint32_t events)>;
    static constexpr std::uint32_t all_events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

    Watch(Loop& loop, Callback callback) noexcept : loop_(loop), callback_(callback) {}
    ~Watch() { remove(); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// Does not own `fd`: remove() before you close it. False when the kernel refuses (its limit of watches
    /// or memory); then errno says why and no event will come.
    [[nodiscard]] bool add(int fd, std::uint32_t events = all_events, Loop::Turn turn = Loop::Turn::served) noexcept;
    void remove() noexcept;
    /// remove() for a descriptor that another watch of this loop is likely to take over in this round: it keeps its place
    /// in the epoll set until then, which is cheaper. Its stream must be closed by Loop::close() or Watch::close(), and
    /// only Loop::part_with() lets it go to another thread.
    void hand_over() noexcept;
    /// Ends the watch, if there still is one, and closes its stream: cheaper than one after the other.
    void close(Stream& stream) noexcept;
    bool added() const noexcept { return fd_ >= 0; }

private:
    friend class Loop;

    Loop& loop_;
    Callback callback_;
    int fd_ = -1;
    Loop::Turn turn_ = Loop::Turn::served;
};

/// Calls back once at the end of the current round, or of the next one when it is scheduled while tasks
/// run: for going on with work in small portions. Never allocates; the destructor cancels.
class Task : private WheelLink {
public:
    using Callback = base::Delegate<void()>;

    Task(Loop& loop, Callback callback) noexcept : loop_(loop), callback_(callback) {}
    ~Task() { cancel(); }

    /// Does nothing when it is already scheduled.
    void schedule() noexcept;
    void cancel() noexcept;
    bool scheduled() const noexcept { return next != this; }

private:
    friend class Loop;

    Loop& loop_;
    Callback callback_;
};

} // namespace net
