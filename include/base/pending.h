#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace base {

/// Something that others do for its owner and that is not done yet. Once it is cancelled nothing is called back; the
/// destructor cancels. One thread, that in which the answer comes; only a Ticket goes to others.
class Pending {
public:
    /// What the work is known by to those who do it.
    class Ticket {
    public:
        /// Any thread. False: nobody waits for it any more, so that it need not be begun.
        bool wanted() const noexcept { return wanted_->load(std::memory_order_relaxed); }
        /// The owner's thread: true once, when the answer is to be given now.
        bool take() const noexcept { return wanted_->exchange(false, std::memory_order_relaxed); }

    private:
        friend class Pending;
        explicit Ticket(std::shared_ptr<std::atomic<bool>> wanted) noexcept : wanted_(std::move(wanted)) {}

        std::shared_ptr<std::atomic<bool>> wanted_;
    };

    Pending() = default;
    ~Pending() { cancel(); }
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;

    /// Cancels what was pending before.
    Ticket begin()
    {
        cancel();
        wanted_ = std::make_shared<std::atomic<bool>>(true);
        return Ticket(wanted_);
    }
    void cancel() noexcept
    {
        if (wanted_)
            wanted_->store(false, std::memory_order_relaxed);
        wanted_.reset();
    }
    /// An answer will come.
    explicit operator bool() const noexcept { return wanted_ && wanted_->load(std::memory_order_relaxed); }

private:
    std::shared_ptr<std::atomic<bool>> wanted_;
};

} // namespace base
