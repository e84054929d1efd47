#include "base/lane.h"

#include "base/no_signals.h"

#include <pthread.h>
#include <sys/resource.h>

#include <csignal>
#include <string>
#include <utility>

namespace base {
namespace {

/// A thread with it gets a third of the time of one without when both want the processor. A tenth, nice 10, was measured
/// to be too little: on a machine that others load, logins had no turn for seconds.
constexpr int yielding = 5;

} // namespace

Lane::Lane(const Plan& plan) : plan_(plan)
{
    const NoSignals no_signals;
    for (unsigned i = 0; i < plan_.threads; ++i)
        threads_.emplace_back([this] { work(); });
}

Lane::~Lane()
{
    finish({});
    for (std::thread& thread : threads_)
        thread.join();
}

bool Lane::finish(std::chrono::milliseconds within)
{
    std::unique_lock lock(mutex_);
    stopping_ = true;
    waiting_.clear();
    changed_.notify_all();
    return changed_.wait_for(lock, within, [this] { return under_way_ == 0; });
}

bool Lane::submit(const char* needed_for, Job job)
{
    {
        const std::lock_guard lock(mutex_);
        if (stopping_)
            return false;
        if (waiting_.size() < plan_.waiting) {
            waiting_.push_back({std::move(job), needed_for, Clock::now() + plan_.patience});
            changed_.notify_one();
            return true;
        }
    }
    report_shortage(plan_.resource, needed_for, std::to_string(plan_.waiting) + " wait already");
    return false;
}

void Lane::work()
{
    pthread_setname_np(pthread_self(), name(plan_.resource));
    if (plan_.yields)
        ::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + yielding); // on Linux of this thread alone
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (stopping_)
            return;
        Waiting next = std::move(waiting_.front());
        waiting_.pop_front();
        ++under_way_;
        lock.unlock();
        // Those behind it are younger: the first that is late is told as soon as a thread is free.
        const bool late = Clock::now() >= next.until;
        if (late)
            report_shortage(plan_.resource, next.needed_for,
                            "its turn did not come within " + std::to_string(plan_.patience.count()) + " ms");
        next.job(late ? Turn::late : Turn::came);
        next.job = {}; // with all that it holds
        lock.lock();
        --under_way_;
        if (stopping_)
            changed_.notify_all();
    }
}

} // namespace base
