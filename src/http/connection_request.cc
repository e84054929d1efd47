#include "base/log.h"
#include "base/shortage.h"
#include "http/connection.h"
#include "http/reply.h"
#include "net/ask.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

namespace http {

namespace {

/// It makes more of such a head than its pool holds: arguments in the query, cookies.
constexpr char unheard[] = "the HTTP library has no room for what is in the head";

} // namespace

void Connection::read_head()
{
    const std::size_t limit = front_.env_.limits.head_bytes;

    // What is already here may hold the next request.
    while (!take_head()) {
        if (input_.size() >= limit)
            return refuse(431, "request head over the limit", {}, {});
        if (!readable_)
            return;
        const std::span<std::uint8_t> scratch = front_.env_.loop.scratch();
        const net::IoResult got = stream_.read(scratch.first(std::min(scratch.size(), limit - input_.size())));
        switch (got.kind) {
        case net::IoResult::Kind::again:
            readable_ = false;
            return;
        case net::IoResult::Kind::eof:
            return close(input_.empty() ? "" : "end of stream in a request head");
        case net::IoResult::Kind::error: // many a health check ends with a reset
            return close(input_.empty() ? "" : stream_.error_text(got));
        case net::IoResult::Kind::ok:
            break;
        }
        // Only the first bytes of a head start the clock, or a byte a second would stop it.
        if (std::exchange(idle_, false))
            deadline_.set(front_.env_.limits.head);
        input_.push(scratch.first(got.size));
    }
}

/// True when the state has changed: a head was complete, or can never be.
bool Connection::take_head()
{
    switch (scanner_.scan(input_.front())) {
    case HeadScanner::Found::more:
        return false;
    case HeadScanner::Found::bad:
        refuse(400, scanner_.error(), {}, {});
        return true;
    case HeadScanner::Found::complete:
        break;
    }
    const std::size_t size = scanner_.size();
    std::string_view head(reinterpret_cast<const char*>(input_.front().data()), size);
    if (head.starts_with("\r\n")) // RFC 9112 section 2.2: one empty line before the request is forgiven
        head.remove_prefix(2);
    const HeadCheck check = check_head(head);
    if (check.status != 0) {
        refuse(check.status, check.reason, check.method, check.target);
        return true;
    }
    begin({reinterpret_cast<const std::uint8_t*>(head.data()), head.size()}, check);
    return true;
}

void Connection::begin(base::Bytes head, const HeadCheck& check)
{
    state_ = State::judging;
    facts_ = check.facts;
    deadline_.set(front_.env_.limits.judge);
    exchange_.emplace(front_.engine_for(head.size()), static_cast<Guest&>(*this), facts_);
    errno = 0;
    switch (exchange_->start(head, peer_)) {
    case Exchange::Start::asked:
        return input_.pop(scanner_.size());
    case Exchange::Start::unheard:
        exchange_.reset();
        return refuse(431, unheard, check.method, check.target);
    case Exchange::Start::no_room:
        break;
    }
    const int error = errno;
    exchange_.reset();
    const char* const reason = error != 0 ? std::strerror(error) : "it takes no more";
    base::report_shortage(base::resource_of(error).value_or(base::Resource::memory), "a request", reason);
    refuse(503, std::string("no room in the HTTP engine: ") + reason, check.method, check.target);
}

/// The engine asks, from inside the library.
Guest::Ruling Connection::rule(Request&& request)
{
    if (!question_) {
        if (!authenticator_)
            authenticator_ = std::make_shared<auth::Authenticator>(front_.gate_.authenticator(stream_));
        question_ = std::make_shared<Question>();
        question_->authenticator = authenticator_;
        question_->request = std::move(request);
        question_->request.tls = stream_.tls();
        question_->verdict = front_.gate_.glance(question_->request, *authenticator_);
    }
    switch (question_->verdict.kind) {
    case Verdict::Kind::answer:
        close_after_ = close_after_ || !question_->verdict.may_stay;
        return close_after_ ? Ruling::answer_and_close : Ruling::answer_and_stay;
    case Verdict::Kind::ask:
    case Verdict::Kind::check:
        return Ruling::wait;
    case Verdict::Kind::echo:
    case Verdict::Kind::rpc_error:
    case Verdict::Kind::take_over:
        return Ruling::leave;
    }
    return Ruling::leave;
}

const Answer& Connection::answer()
{
    return question_->verdict.answer;
}

/// The engine has asked; the library is no longer on the stack.
void Connection::moved()
{
    if (asked_ || state_ != State::judging)
        return;
    if (exchange_->suspended())
        return ask();
    act();
    advance();
}

/// Goes on with the verdict until the lanes have said all that they know.
void Connection::ask()
{
    switch (question_->verdict.kind) {
    case Verdict::Kind::ask:
        return ask_directory();
    case Verdict::Kind::check:
        return make_check();
    case Verdict::Kind::answer:
    case Verdict::Kind::echo:
    case Verdict::Kind::rpc_error:
    case Verdict::Kind::take_over:
        return on_judged();
    }
}

void Connection::ask_directory()
{
    auto work = [question = question_, so_far = question_->verdict, &judge = front_.env_.database.judge]() -> Verdict {
        try {
            return Gate::judge(judge, question->request, *question->authenticator, std::move(so_far));
        } catch (const std::exception& error) {
            return Gate::too_busy(question->request, error.what());
        }
    };
    net::ask(front_.env_.directory, "a request", front_.env_.loop, asked_, std::move(work),
             [this](std::optional<Verdict> verdict) {
                 question_->verdict = verdict ? std::move(*verdict)
                                              : Gate::too_busy(question_->request, "too much waits for the directory");
                 ask();
             });
}

void Connection::make_check()
{
    const auto on_made = [this](bool made) {
        Verdict& verdict = question_->verdict;
        verdict = made ? front_.gate_.checked(question_->request, *authenticator_, std::move(verdict))
                       : Gate::too_busy(question_->request, std::string("too many ") + verdict.check->crowd() + " wait");
        ask();
    };
    const base::Pending::Ticket ticket = asked_.begin();
    question_->verdict.check->begin(ticket, net::reply_to<bool>(front_.env_.loop, ticket, on_made));
}

void Connection::on_judged()
{
    front_.gate_.remember(question_->verdict);
    exchange_->resume(); // it asks rule() again
}

/// The lanes take too long.
void Connection::give_up()
{
    asked_.cancel();
    exchange_.reset();
    const Request& request = question_->request;
    refuse(503, "no verdict in time", request.method, request.target, leg::rpc_code::server_too_busy);
}

/// The verdict is known.
void Connection::act()
{
    const Request& request = question_->request;
    Verdict& verdict = question_->verdict;
    if (verdict.kind == Verdict::Kind::ask || verdict.kind == Verdict::Kind::check) // memory ran out inside the library
        verdict = Gate::too_busy(request, "the HTTP engine has dropped it");
    if (verdict.kind == Verdict::Kind::take_over && front_.draining())
        verdict = Gate::too_busy(request, "draining");
    if (verdict.kind == Verdict::Kind::take_over)
        return depart();

    body_left_ = facts_.content_length;
    close_after_ = close_after_ || !facts_.keep_alive || verdict.kind == Verdict::Kind::rpc_error;
    if (verdict.kind == Verdict::Kind::answer) {
        const std::string answer = exchange_->conclude();
        exchange_.reset();
        if (answer.empty())
            return refuse(431, unheard, request.method, request.target);
        log_refusal(verdict);
        return reply(answer, close_after_);
    }
    exchange_.reset();
    log_refusal(verdict);
    if (!reply_follows_body())
        return reply_own();
    state_ = State::body;
    deadline_.set(front_.env_.limits.head);
    if (facts_.expect_continue) {
        output_.push(base::bytes_of(continue_reply));
        flush();
    }
}

/// The request is a channel: the stream becomes the tunnel's, with all that was read beyond the head.
void Connection::depart()
{
    exchange_.reset();
    const base::Bytes early = input_.front();
    const Request& request = question_->request;
    Verdict& verdict = question_->verdict;
    const Pragma pragma = parse_pragma(request.pragmas);

    leg::Arrival arrival;
    arrival.id = id_;
    arrival.method = *verdict.method;
    arrival.stream = std::move(stream_);
    arrival.early.assign(early.begin(), early.end());
    arrival.peer = peer_;
    arrival.http10 = facts_.http10;
    arrival.expect_continue = facts_.expect_continue;
    arrival.content_length = facts_.content_length;
    arrival.min_conn_timeout = pragma.min_conn_timeout;
    arrival.last_token = std::move(verdict.last_token);
    arrival.grant = leg::Grant::of({verdict.who->canonical, verdict.decision->target.text}, *verdict.decision);
    arrival.judged_at = verdict.judged_at;

    if (base::log::wanted(base::log::Level::info))
        base::log::info("channel", {{"id", id_},
                                    {"peer", peer_.text()},
                                    {"method", request.method},
                                    {"target", arrival.grant.party.target},
                                    {"user", arrival.grant.party.principal},
                                    {"rule", verdict.rule},
                                    {"route", arrival.grant.route.text()},
                                    {"stream", arrival.stream.describe()},
                                    {"resource", pragma.resource_type},
                                    {"session", pragma.session}});
    // From here on the descriptor is not ours to watch or close.
    watch_.hand_over();
    leg::Reception& reception = front_.env_.reception;
    close({});
    reception.arrive(std::move(arrival));
}

} // namespace http
