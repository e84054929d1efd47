#include "base/log.h"
#include "http/connection.h"
#include "http/reply.h"
#include "leg/reply.h"

#include <algorithm>
#include <cstdio>

namespace http {

namespace {

/// More than the kernel's buffers between two hosts hold; a client that sends on after that does not read.
constexpr std::size_t most_discarded = 8 * 1024 * 1024;
/// Longer targets are not worth more of the log.
constexpr std::size_t most_logged = 300;

} // namespace

/// A request that no verdict was passed on: its head must not come to the engine, or the engine or a worker failed.
/// `rpc_error` is for the clients of this protocol, with 503.
void Connection::refuse(unsigned status, std::string_view reason, std::string_view method, std::string_view target,
                        std::uint32_t rpc_error)
{
    base::log::notice("refused", {{"id", id_},
                                  {"peer", peer_.text()},
                                  {"method", method.substr(0, most_logged)},
                                  {"target", target.substr(0, most_logged)},
                                  {"status", status},
                                  {"reason", reason}});
    const bool ours = status == 503 && method.starts_with("RPC_");
    input_.clear(); // method and target can lie there; what follows a bad head is not looked at
    reply(ours ? leg::rpc_error_reply(rpc_error) : closing_reply(status), true);
}

/// Of the replies that are not the engine's.
bool Connection::reply_follows_body() const
{
    if (facts_.content_length == 0)
        return false;
    // The client waits for our word before it sends the body, and a final one would leave open whether that follows.
    if (question_->verdict.kind == Verdict::Kind::echo)
        return facts_.expect_continue;
    // MS-RPCH clients look for it on an OUT channel only after they have sent their first PDU.
    return question_->verdict.method == leg::Method::out_data && facts_.content_length <= Gate::out_body;
}

/// Reads the announced body and nothing behind it.
void Connection::drop_body()
{
    while (body_left_ > 0) {
        if (!input_.empty()) {
            const std::size_t size = std::min<std::uint64_t>(input_.size(), body_left_);
            input_.pop(size);
            body_left_ -= size;
            continue;
        }
        if (!readable_)
            return;
        const std::span<std::uint8_t> scratch = front_.env_.loop.scratch();
        const net::IoResult got = stream_.read(scratch.first(std::min<std::uint64_t>(scratch.size(), body_left_)));
        switch (got.kind) {
        case net::IoResult::Kind::again:
            readable_ = false;
            return;
        case net::IoResult::Kind::eof:
            return close(state_ == State::body ? "end of stream in a request body" : "");
        case net::IoResult::Kind::error:
            return close(state_ == State::body ? stream_.error_text(got) : "");
        case net::IoResult::Kind::ok:
            break;
        }
        body_left_ -= got.size;
    }
    state_ == State::body ? reply_own() : next_request();
}

/// The replies that the engine cannot make.
void Connection::reply_own()
{
    const Verdict& verdict = question_->verdict;
    if (verdict.kind == Verdict::Kind::echo)
        reply(echo_reply(!close_after_, verdict.last_token), close_after_);
    else
        reply(leg::rpc_error_reply(verdict.rpc_error), true);
}

void Connection::reply(std::string_view bytes, bool close_after)
{
    state_ = State::replying;
    deadline_.set(front_.env_.limits.head);
    close_after_ = close_after;
    output_.push(base::bytes_of(bytes));
    flush();
}

/// Writes what the client takes; ends the request when that was all.
void Connection::flush()
{
    while (!output_.empty()) {
        const net::IoResult put = stream_.write(output_.front());
        if (put.kind == net::IoResult::Kind::again)
            return;
        if (!put.ok())
            return close(stream_.error_text(put));
        output_.pop(put.size);
    }
    if (stream_.flushing() && !stream_.flush().ok())
        return;
    if (state_ != State::replying)
        return;
    if (close_after_)
        return linger();
    if (body_left_ == 0)
        return next_request();
    state_ = State::dropping;
    deadline_.set(front_.env_.limits.idle);
}

/// Closing now would answer bytes under way with a reset, which can destroy the reply before the client reads it.
void Connection::linger()
{
    state_ = State::lingering;
    deadline_.set(front_.env_.limits.linger);
    input_.clear();
    stream_.shutdown_write();
}

void Connection::discard()
{
    while (readable_) {
        const std::span<std::uint8_t> scratch = front_.env_.loop.scratch();
        const net::IoResult got = stream_.read(scratch);
        if (got.kind == net::IoResult::Kind::again) {
            readable_ = false;
            return;
        }
        discarded_ += got.size;
        if (!got.ok() || discarded_ > most_discarded)
            return close({});
    }
}

/// If it is worth a line.
void Connection::log_refusal(const Verdict& verdict) const
{
    if (!verdict.refused)
        return;
    char code[9] = "";
    if (verdict.kind == Verdict::Kind::rpc_error)
        std::snprintf(code, sizeof code, "%x", static_cast<unsigned>(verdict.rpc_error));
    const Request& request = question_->request;
    base::log::notice("refused", {{"id", id_},
                                  {"peer", peer_.text()},
                                  {"method", std::string_view(request.method).substr(0, most_logged)},
                                  {"target", std::string_view(request.target).substr(0, most_logged)},
                                  {"user", verdict.who ? verdict.who->canonical : std::string()},
                                  {"status", verdict.status()},
                                  {"rpc_error", code},
                                  {"reason", verdict.reason},
                                  {"rule", verdict.rule}});
}

} // namespace http
