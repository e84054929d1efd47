#pragma once

#include "base/shortage.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace base {

/// What waits for one kind of slow thing: password hashes, or the directory. A lane has threads of its own, so that no kind
/// waits behind another.
///
/// A job does its work and hands its result back itself (net::ask). It must not throw, and holds no thread while it waits
/// for another lane. The destructor drops jobs that have not begun and waits for those that have.
class Lane {
public:
    struct Plan {
        Resource resource; ///< what a full lane is a shortage of
        unsigned threads;  ///< run at once
        std::size_t waiting; ///< jobs that wait at most
        std::chrono::milliseconds patience = std::chrono::seconds(60); ///< of a job that waits
        bool yields = false; ///< its threads leave the processor to the others: for work that computes
    };

    explicit Lane(const Plan& plan);
    ~Lane();
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    enum class Turn {
        came,
        late ///< it took longer than `patience`: nobody is to work, only to tell "too busy"
    };
    using Job = std::function<void(Turn)>;

    /// Any thread. False when too many wait: answer "too busy". That, and a turn that comes late, are reported as a
    /// shortage; `needed_for` is a constant, "a request".
    [[nodiscard]] bool submit(const char* needed_for, Job job);

    /// Takes no job any more, and drops those that have not begun. False: after this time some are still under way, so that the
    /// destructor would have to wait.
    bool finish(std::chrono::milliseconds within);

private:
    using Clock = std::chrono::steady_clock;

    struct Waiting {
        Job job;
        const char* needed_for;
        Clock::time_point until;
    };

    void work();

    const Plan plan_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Waiting> waiting_;
    std::size_t under_way_ = 0;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

} // namespace base
