#pragma once

#include "base/lane.h"
#include "base/pending.h"
#include "net/loop.h"

#include <optional>
#include <type_traits>
#include <utility>

namespace net {

/// A function for whoever has the result, in any thread and once: it calls `answer` with the result in the loop's thread,
/// unless that was cancelled. `answer` can be destroyed in any thread, so it holds nothing but plain values and pointers.
/// The loop outlives whoever may call.
template <class Result, class Answer> auto reply_to(Loop& loop, base::Pending::Ticket ticket, Answer answer)
{
    return [&loop, ticket = std::move(ticket), answer = std::move(answer)](Result result) {
        loop.post([ticket, answer, result = std::move(result)]() mutable {
            if (ticket.take())
                answer(std::move(result));
        });
    };
}

/// Does `work` on the lane and calls `answer` with what it returns (std::optional) in the loop's thread, never inside this
/// call; with nothing when the lane was too busy. Not called once `pending` is cancelled; then the work is not begun
/// either, if it was not.
///
/// `work` runs when its asker may be gone: it holds copies, shared ownership, and references only to what outlives the
/// lane. It must not throw.
template <class Work, class Answer>
void ask(base::Lane& lane, const char* needed_for, Loop& loop, base::Pending& pending, Work work, Answer answer)
{
    using Result = std::optional<std::invoke_result_t<Work&>>;
    const base::Pending::Ticket ticket = pending.begin();
    const auto reply = reply_to<Result>(loop, ticket, std::move(answer));
    auto job = [ticket, reply, work = std::move(work)](base::Lane::Turn turn) mutable {
        if (ticket.wanted())
            reply(turn == base::Lane::Turn::came ? Result(work()) : Result());
    };
    if (!lane.submit(needed_for, std::move(job)))
        reply({});
}

} // namespace net
