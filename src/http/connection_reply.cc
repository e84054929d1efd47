#include "base/log.h"
#include "http/connection.h"
#include "http/reply.h"
#include "tunnel/reply.h"

#include <algorithm>
#include <cstdio>

namespace http {

namespace {

/// More than the kernel's buffers between two hosts hold; a client that sends on after that does not read.
constexpr std::size_t most_discarded = 8 * 1024 * 1024;
/// Longer targets are not worth more of the log.
constexpr std::size_t most_logged = 300;

base::Bytes bytes_of(std::string_view text) noexcept
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

} // namespace

/// A head that the engine must not see, or, with 503, cannot.
void Connection::refuse_head(unsigned status, std::string_view reason, std::string_view method,
                             std::string_view target)
{
    base::log::notice("refused", {{"id", id_},
                                  {"peer", peer_.text()},
                                  {"method", method.substr(0, most_logged)},
                                  {"target", target.substr(0, most_logged)},
                                  {"status", status},
                                  {"reason", reason}});
    const bool ours = status == 503 && method.starts_with("RPC_");
    input_.clear(); // method and target lie there; what follows a bad head is not looked at
    reply(ours ? tunnel::rpc_error_reply(tunnel::rpc_code::out_of_resources) : closing_reply(status), true);
}

/// Reads the announced body and nothing behind it: into the engine, or nowhere.
void Connection::read_body()
{
    while (body_left_ > 0) {
        if (!input_.empty()) {
            const std::size_t size = std::min<std::uint64_t>(input_.size(), body_left_);
            if (exchange_ && !exchange_->feed(input_.front().first(size)))
                return close("the HTTP engine takes no body");
            input_.pop(size);
            body_left_ -= size;
            continue;
        }
        if (!readable_)
            return;
        const std::span<std::uint8_t> scratch = front_.env_.loop.scratch();
        const std::span<std::uint8_t> room = scratch.first(std::min<std::uint64_t>(scratch.size(), body_left_));
        const net::IoResult got = stream_.read(room);
        switch (got.kind) {
        case net::IoResult::Kind::again:
            readable_ = false;
            return;
        case net::IoResult::Kind::eof:
            return close("end of stream in a request body");
        case net::IoResult::Kind::error:
            return close(stream_.error_text(got));
        case net::IoResult::Kind::ok:
            break;
        }
        if (exchange_ && !exchange_->feed(room.first(got.size)))
            return close("the HTTP engine takes no body");
        body_left_ -= got.size;
    }
    body_done();
}

void Connection::body_done()
{
    if (exchange_ || reply_ready_) { // the engine's reply
        state_ = State::replying;
        deadline_.set(front_.env_.limits.head);
        return exchange_ ? pump_reply() : flush();
    }
    const Verdict& verdict = question_->verdict;
    if (verdict.kind == Verdict::Kind::echo)
        return reply(echo_reply(!close_after_), close_after_);
    reply(tunnel::rpc_error_reply(verdict.rpc_error), true);
}

void Connection::reply(std::string_view bytes, bool close_after)
{
    state_ = State::replying;
    deadline_.set(front_.env_.limits.head);
    close_after_ = close_after;
    reply_ready_ = true;
    output_.push(bytes_of(bytes));
    flush();
}

/// Takes what the engine has written so far.
void Connection::pump_reply()
{
    if (!exchange_)
        return;
    // Asked first: after completion nothing can follow what read() gives.
    const bool complete = exchange_->complete();
    const std::span<std::uint8_t> scratch = front_.env_.loop.scratch();
    while (const std::size_t size = exchange_->read(scratch))
        output_.push(scratch.first(size));
    if (complete) {
        exchange_.reset();
        reply_ready_ = true;
    }
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
    if (!reply_ready_ || state_ != State::replying)
        return;
    if (close_after_)
        return linger();
    next_request();
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

void Connection::log_refusal(const Verdict& verdict) const
{
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
