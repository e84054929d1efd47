#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace base {

/// A bounded pool of threads for work that can block: password hashes, name look-ups, SQLite.
///
/// A job does its work and hands its result back itself (net::Loop::post). Jobs must not throw. The
/// destructor drops jobs that have not begun and waits for those that have.
class Workers {
public:
    /// `threads` run at once; at most `waiting_limit` jobs wait.
    Workers(unsigned threads, std::size_t waiting_limit);
    ~Workers();
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    using Job = std::function<void()>;

    /// Any thread. False when the queue is full: answer "too busy".
    [[nodiscard]] bool submit(Job job);

private:
    void work();

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Job> waiting_;
    const std::size_t waiting_limit_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

} // namespace base
