#pragma once

#include "base/pending.h"
#include "leg/environment.h"
#include "net/ask.h"

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <utility>

namespace leg {

/// Guests about whose targets the directory is being asked; they wait here. What is destroyed is asked no more. One thread.
template <class Guest> class Inquiries {
public:
    /// `answer` is called with the guest, the generation of the directory before it was asked, and the decision: none when
    /// too much waits for the directory.
    template <class Answer>
    void ask(const Environment& environment, const char* needed_for, Guest guest, const std::string& target, Answer answer)
    {
        const auto one = all_.emplace(all_.end());
        one->guest = std::move(guest);
        one->generation = environment.judge.generation();
        net::ask(environment.directory, needed_for, environment.loop, one->pending,
                 [target, &judge = environment.judge] { return judge.decide(target); },
                 [this, one, answer](const std::optional<directory::Decision>& decision) {
                     Guest back = std::move(one->guest);
                     const std::uint64_t generation = one->generation;
                     all_.erase(one);
                     answer(std::move(back), generation, decision);
                 });
    }

    std::size_t size() const noexcept { return all_.size(); }
    /// Nobody is asked about any more: `leave` is called with each guest.
    template <class Leave> void end(Leave leave)
    {
        for (One& one : std::exchange(all_, {}))
            leave(std::move(one.guest));
    }

private:
    struct One {
        Guest guest;
        std::uint64_t generation = 0;
        base::Pending pending;
    };

    std::list<One> all_;
};

} // namespace leg
