#include "net/loop.h"

#include "net/stream.h"
#include "net/timer.h"

#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <climits>
#include <ctime>
#include <system_error>
#include <utility>

namespace net {

namespace {

Millis clock_now() noexcept
{
    return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now().time_since_epoch());
}

// How long those at the door are looked after in one round, and how many before the clock is looked at.
constexpr std::chrono::milliseconds door_time{1};
constexpr int door_step = 4;

bool watch(const base::UniqueFd& epoll, const base::UniqueFd& fd, std::uint32_t events, void* mark) noexcept
{
    epoll_event event{};
    event.events = events;
    event.data.ptr = mark;
    return epoll && fd && ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd.get(), &event) == 0;
}

} // namespace

Loop::Loop()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), door_(::epoll_create1(EPOLL_CLOEXEC)),
      event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      alarm_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)), alarm_at_(Millis::max()), now_(clock_now()),
      wheel_(now_), scratch_(std::make_unique_for_overwrite<std::uint8_t[]>(scratch_size))
{
    // Edge-triggered: each write to an eventfd and each ring of a timerfd is an event of its own, so they never need to
    // be read. The door is told of as long as somebody is there.
    constexpr std::uint32_t edge = EPOLLIN | EPOLLET;
    if (!watch(epoll_, event_, edge, this) || !watch(epoll_, alarm_, edge, &alarm_) || !watch(epoll_, door_, EPOLLIN, &door_))
        throw std::system_error(errno, std::generic_category(), "event loop");
}

Loop::~Loop()
{
    settle();
}

void Loop::settle() noexcept
{
    while (!deferred_.empty())
        run_deferred();
}

void Loop::run() noexcept
{
    while (!stopping_.load(std::memory_order_acquire))
        round(-1);
    stopping_.store(false, std::memory_order_relaxed);
    settle();
}

void Loop::run_once(Millis at_most) noexcept
{
    round(static_cast<int>(std::clamp<Millis::rep>(at_most.count(), 0, INT_MAX)));
}

void Loop::stop() noexcept
{
    stopping_.store(true, std::memory_order_release);
    wake();
}

void Loop::wake() noexcept
{
    // Fails only when the counter is full, and then the loop is awake anyway.
    [[maybe_unused]] const int result = ::eventfd_write(event_.get(), 1);
}

void Loop::post(std::function<void()> function)
{
    bool was_empty;
    {
        const std::lock_guard lock(mutex_);
        was_empty = posted_.empty();
        posted_.push_back(std::move(function));
    }
    if (was_empty)
        wake();
}

void Loop::defer(std::function<void()> function)
{
    deferred_.push_back(std::move(function));
}

Millis Loop::now() noexcept
{
    if (!running_)
        now_ = clock_now() + skipped_;
    return now_;
}

void Loop::skip(Millis time) noexcept
{
    assert(!running_);
    skipped_ += time;
    alarm_at_ = Millis::max(); // it would ring too late
}

/// A time limit in each wait would have the kernel set and drop a timer in each round. Timers are mostly far away, so
/// one that stays is hardly ever moved; it may ring for a timer that has been cancelled.
void Loop::set_alarm() noexcept
{
    const auto next = wheel_.next();
    if (!next || *next >= alarm_at_)
        return;
    alarm_at_ = *next;
    itimerspec when{};
    const std::int64_t at = (*next - skipped_).count();
    when.it_value.tv_sec = static_cast<std::time_t>(at / 1000);
    when.it_value.tv_nsec = static_cast<long>(at % 1000 * 1'000'000);
    [[maybe_unused]] const int result = ::timerfd_settime(alarm_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
    assert(result == 0);
}

void Loop::round(int limit_ms) noexcept
{
    strike_off_kept(); // what was handed over between two rounds
    const bool pending = !deferred_.empty() || tasks_.next != &tasks_;
    if (!pending)
        set_alarm();
    const int count = ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), pending ? 0 : limit_ms);
    now_ = clock_now() + skipped_;
    running_ = true;
    dispatch(count);
    if (std::exchange(knocking_, false))
        look_at_the_door();
    wheel_.advance(now_);
    run_tasks();
    run_deferred();
    strike_off_kept();
    running_ = false;
}

void Loop::dispatch(int count) noexcept
{
    bool posted = false;
    event_count_ = count;
    for (event_index_ = 0; event_index_ < event_count_; ++event_index_) {
        const epoll_event& event = events_[static_cast<std::size_t>(event_index_)];
        const void* const who = event.data.ptr;
        if (who == this) {
            posted = true;
        } else if (who == &alarm_) {
            alarm_at_ = Millis::max();
        } else if (who == &door_) {
            knocking_ = true;
        } else if (who) {
            const Watch::Callback callback = static_cast<const Watch*>(who)->callback_;
            callback(event.events); // may destroy this watch and any other, see forget()
        }
    }
    event_count_ = 0;
    if (posted)
        run_posted();
}

void Loop::look_at_the_door() noexcept
{
    const auto end = std::chrono::steady_clock::now() + door_time;
    int count;
    do {
        strike_off_kept(); // or an event of a watch that was removed meanwhile would come
        count = ::epoll_wait(door_.get(), events_.data(), door_step, 0);
        dispatch(count);
    } while (count == door_step && std::chrono::steady_clock::now() < end);
}

void Loop::forget(const Watch* watch) noexcept
{
    for (int i = event_index_ + 1; i < event_count_; ++i) {
        epoll_event& event = events_[static_cast<std::size_t>(i)];
        if (event.data.ptr == watch)
            event.data.ptr = nullptr;
    }
}

/// False: errno says why.
bool Loop::enrol(int fd, Turn turn, epoll_event& event) noexcept
{
    if (const auto kept = take_kept(fd)) {
        if (*kept == turn) // as adding does, this brings an event for whatever is ready
            return ::epoll_ctl(set_of(turn), EPOLL_CTL_MOD, fd, &event) == 0;
        strike_off(fd, *kept);
    }
    return ::epoll_ctl(set_of(turn), EPOLL_CTL_ADD, fd, &event) == 0;
}

void Loop::keep(int fd, Turn turn) noexcept
{
    const auto index = static_cast<std::size_t>(fd);
    if (index >= kept_in_.size())
        kept_in_.resize(index + 1);
    kept_.push_back(fd);
    kept_in_[index] = turn;
}

std::optional<Loop::Turn> Loop::take_kept(int fd) noexcept
{
    const auto index = static_cast<std::size_t>(fd);
    return index < kept_in_.size() ? std::exchange(kept_in_[index], std::nullopt) : std::nullopt;
}

/// It is open and in there: a number that was closed meanwhile may be another thread's by now.
void Loop::strike_off(int fd, Turn turn) noexcept
{
    [[maybe_unused]] const int result = ::epoll_ctl(set_of(turn), EPOLL_CTL_DEL, fd, nullptr);
    assert(result == 0);
}

void Loop::strike_off_kept() noexcept
{
    for (const int fd : kept_)
        if (const auto turn = take_kept(fd))
            strike_off(fd, *turn);
    kept_.clear();
}

void Loop::close(Stream& stream) noexcept
{
    if (stream)
        take_kept(stream.fd());
    stream.close(); // and with the only descriptor its place in the epoll set
}

void Loop::part_with(const Stream& stream) noexcept
{
    if (const auto turn = take_kept(stream.fd()))
        strike_off(stream.fd(), *turn);
}

void Loop::run_posted() noexcept
{
    std::vector<std::function<void()>> batch;
    {
        const std::lock_guard lock(mutex_);
        batch.swap(posted_);
    }
    for (std::function<void()>& function : batch) {
        function();
        function = nullptr;
    }
}

void Loop::run_tasks() noexcept
{
    // Only what is scheduled now; what these schedule waits for the next round.
    WheelLink batch;
    if (tasks_.next == &tasks_)
        return;
    batch.next = tasks_.next;
    batch.previous = tasks_.previous;
    batch.next->previous = batch.previous->next = &batch;
    tasks_.next = tasks_.previous = &tasks_;
    while (batch.next != &batch) {
        Task& task = static_cast<Task&>(*batch.next);
        task.cancel();
        const Task::Callback callback = task.callback_;
        callback();
    }
}

void Loop::run_deferred() noexcept
{
    std::vector<std::function<void()>> batch;
    batch.swap(deferred_);
    for (std::function<void()>& function : batch) {
        function();
        function = nullptr;
    }
}

bool Watch::add(int fd, std::uint32_t events, Loop::Turn turn) noexcept
{
    assert(fd_ < 0 && fd >= 0);
    epoll_event event{};
    event.events = events;
    event.data.ptr = this;
    if (!loop_.enrol(fd, turn, event))
        return false;
    fd_ = fd;
    turn_ = turn;
    return true;
}

void Watch::remove() noexcept
{
    if (fd_ < 0)
        return;
    loop_.strike_off(std::exchange(fd_, -1), turn_);
    loop_.forget(this);
}

void Watch::hand_over() noexcept
{
    if (fd_ < 0)
        return;
    loop_.keep(std::exchange(fd_, -1), turn_);
    loop_.forget(this);
}

void Watch::close(Stream& stream) noexcept
{
    assert(fd_ < 0 || fd_ == stream.fd());
    if (std::exchange(fd_, -1) >= 0)
        loop_.forget(this);
    loop_.close(stream);
}

void Task::schedule() noexcept
{
    if (scheduled())
        return;
    WheelLink& ring = loop_.tasks_;
    previous = ring.previous;
    next = &ring;
    ring.previous->next = this;
    ring.previous = this;
}

void Task::cancel() noexcept
{
    previous->next = next;
    next->previous = previous;
    next = previous = this;
}

void Timer::set(Millis delay) noexcept
{
    // Beyond any use, and far from where sums overflow.
    constexpr Millis longest{std::int64_t{1} << 40};
    // now() is rounded down; one tick more, so that the delay has passed in full.
    loop_.wheel_.set(node_, loop_.now() + std::clamp(delay, Millis(0), longest) + Millis(1));
}

void Timer::cancel() noexcept
{
    loop_.wheel_.cancel(node_);
}

} // namespace net
