#include "http/engine.h"

#include "base/log.h"
#include "http/reply.h"
#include "net/socket_pair.h"

#include <microhttpd.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdarg>
#include <cstdio>
#include <stdexcept>
#include <string_view>

namespace http {

namespace {

/// More rounds than the library ever needs to settle; the rest waits for the loop's next round.
constexpr int rounds_at_once = 8;

/// The library complains about each reply over a Unix socket (no TCP_NODELAY there) and about each request that
/// leaves it without a reply. Both are meant.
bool expected(std::string_view message)
{
    return message.find("TCP_NODELAY") != message.npos || message.find("TCP_CORK") != message.npos ||
           message.find("push the data") != message.npos || message.find("reported internal error") != message.npos;
}

extern "C" void on_log(void*, const char* format, va_list arguments)
{
    char text[512];
    std::vsnprintf(text, sizeof text, format, arguments);
    std::string_view message = text;
    while (!message.empty() && message.back() == '\n')
        message.remove_suffix(1);
    if (expected(message))
        return;
    // A peer can cause this at will, and its request gets a line of its own.
    base::log::debug("http-library", {{"message", message}});
}

MHD_Result queue(MHD_Connection* connection, const Answer& answer)
{
    MHD_Response* response = MHD_create_response_from_buffer(
        answer.body.size(), const_cast<char*>(answer.body.data()), MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    for (const auto& [name, value] : answer.headers)
        MHD_add_response_header(response, name.c_str(), value.c_str());
    const MHD_Result result = MHD_queue_response(connection, answer.status, response);
    MHD_destroy_response(response);
    return result;
}

} // namespace

/// The library's callbacks. They run inside run(), on the loop's thread, and let no exception through.
struct EngineGlue {
    static Exchange* exchange_of(MHD_Connection* connection) noexcept
    {
        const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
        return info ? static_cast<Exchange*>(info->socket_context) : nullptr;
    }

    static void on_connection(void* engine, MHD_Connection* connection, void** context,
                              MHD_ConnectionNotificationCode code) noexcept
    {
        auto& self = *static_cast<Engine*>(engine);
        switch (code) {
        case MHD_CONNECTION_NOTIFY_STARTED:
            assert(self.starting_);
            self.starting_->connection_ = connection;
            *context = self.starting_;
            ++self.open_;
            return;
        case MHD_CONNECTION_NOTIFY_CLOSED: {
            auto& exchange = *static_cast<Exchange*>(*context);
            exchange.connection_ = nullptr;
            exchange.complete_ = true;
            --self.open_;
            return;
        }
        }
    }

    static void* on_target(void*, const char* target, MHD_Connection* connection) noexcept
    {
        try {
            if (Exchange* exchange = exchange_of(connection))
                exchange->target_ = target;
        } catch (...) { // out of memory: the target stays empty and is refused
        }
        return nullptr;
    }

    static void on_completed(void*, MHD_Connection* connection, void**, MHD_RequestTerminationCode) noexcept
    {
        if (Exchange* exchange = exchange_of(connection))
            exchange->complete_ = true;
    }

    static MHD_Result add_pragma(void* values, MHD_ValueKind, const char* name, const char* value)
    {
        if (value && strcasecmp(name, "Pragma") == 0)
            static_cast<std::vector<std::string>*>(values)->emplace_back(value);
        return MHD_YES;
    }

    static Request collect(const Exchange& exchange, MHD_Connection* connection, const char* method)
    {
        Request request;
        request.facts = exchange.facts_;
        request.method = method;
        request.target = exchange.target_;
        if (const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization"))
            request.authorization = value;
        MHD_get_connection_values(connection, MHD_HEADER_KIND, add_pragma, &request.pragmas);
        return request;
    }

    /// The first call for a head; again after a suspension.
    static MHD_Result on_head(Exchange& exchange, MHD_Connection* connection, const char* method, void** seen)
    {
        exchange.head_only_ = std::string_view(method) == "HEAD";
        exchange.moved_.schedule();
        const Guest::Ruling ruling = exchange.guest_->rule(collect(exchange, connection, method));
        exchange.asked_ = true;
        switch (ruling) {
        case Guest::Ruling::answer_and_close:
            return queue(connection, exchange.guest_->answer());
        case Guest::Ruling::answer_and_stay:
            // Answered here, even an empty body would cost the client its connection.
            exchange.stays_ = true;
            *seen = &exchange;
            return MHD_YES;
        case Guest::Ruling::wait:
            exchange.suspended_ = true;
            MHD_suspend_connection(connection);
            return MHD_YES;
        case Guest::Ruling::leave:
            return MHD_NO;
        }
        return MHD_NO;
    }

    static MHD_Result on_request(void*, MHD_Connection* connection, const char*, const char* method, const char*,
                                 const char*, std::size_t* upload, void** seen) noexcept
    {
        Exchange* exchange = exchange_of(connection);
        if (!exchange || !exchange->guest_) // taken back
            return MHD_NO;
        try {
            if (!*seen)
                return on_head(*exchange, connection, method, seen);
            if (*upload > 0) {
                *upload = 0;
                return MHD_YES;
            }
            return queue(connection, exchange->guest_->answer());
        } catch (const std::exception& error) {
            base::log::error("http", {{"reason", error.what()}});
            return MHD_NO;
        }
    }
};

Engine::Engine(net::Loop& loop, unsigned connections, std::size_t pool)
    : loop_(loop), watch_(loop, net::Watch::Callback::of<&Engine::on_event>(this)),
      again_(loop, net::Task::Callback::of<&Engine::run>(this))
{
    // The logger must be the first option, or errors in the others go to standard error.
    constexpr unsigned flags =
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME;
    daemon_ = MHD_start_daemon(flags, 0, nullptr, nullptr, &EngineGlue::on_request, this,
                               MHD_OPTION_EXTERNAL_LOGGER, &on_log, nullptr,
                               MHD_OPTION_CONNECTION_LIMIT, connections,
                               MHD_OPTION_CONNECTION_MEMORY_LIMIT, pool,
                               MHD_OPTION_CONNECTION_TIMEOUT, 0u,
                               MHD_OPTION_URI_LOG_CALLBACK, &EngineGlue::on_target, this,
                               MHD_OPTION_NOTIFY_CONNECTION, &EngineGlue::on_connection, this,
                               MHD_OPTION_NOTIFY_COMPLETED, &EngineGlue::on_completed, this,
                               MHD_OPTION_END);
    if (!daemon_)
        throw std::runtime_error("the HTTP library does not start");
    const auto* info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info || !watch_.add(info->epoll_fd, EPOLLIN | EPOLLET)) {
        MHD_stop_daemon(daemon_);
        throw std::runtime_error("the HTTP library has no epoll descriptor to watch");
    }
}

Engine::~Engine()
{
    assert(open_ == 0);
    watch_.remove();
    MHD_stop_daemon(daemon_);
}

void Engine::run() noexcept
{
    for (int i = 0; i < rounds_at_once; ++i) {
        MHD_run(daemon_);
        // Zero: the library has work that no event will announce.
        MHD_UNSIGNED_LONG_LONG timeout = 0;
        if (MHD_get_timeout(daemon_, &timeout) != MHD_YES || timeout > 0)
            return;
    }
    again_.schedule();
}

Exchange::Exchange(Engine& engine, Guest& guest, const HeadFacts& facts) noexcept
    : engine_(engine), guest_(&guest), facts_(facts),
      moved_(engine.loop_, net::Task::Callback::of<&Exchange::tell>(this))
{
}

Exchange::~Exchange()
{
    guest_ = nullptr;
    if (suspended_)
        resume();
    // The library sees the end of the stream and closes its side.
    ours_.close();
    for (int i = 0; connection_ && i < rounds_at_once; ++i)
        engine_.run();
    assert(!connection_);
}

Exchange::Start Exchange::start(base::Bytes head, const net::Address& client) noexcept
{
    auto pair = net::socket_pair();
    if (!pair)
        return Start::no_room;
    ours_ = net::Stream(std::move(pair->first));

    sockaddr_storage address{};
    const socklen_t size = client.to_sockaddr(address);
    engine_.starting_ = this;
    // The library owns its end from here on, also when it fails.
    const MHD_Result added = MHD_add_connection(engine_.daemon_, pair->second.release(),
                                                reinterpret_cast<const sockaddr*>(&address), size);
    engine_.starting_ = nullptr;
    if (added != MHD_YES || !feed(head))
        return Start::no_room;
    // It has the whole head and nothing to wait for.
    for (int i = 0; !asked_ && !complete_ && i < rounds_at_once; ++i)
        engine_.run();
    return asked_ ? Start::asked : Start::unheard;
}

/// The head, or the body that Content-Length announced and never more than that. False when it does not go in.
bool Exchange::feed(base::Bytes bytes) noexcept
{
    // The library reads while we write, so that a head larger than the pair's buffer goes through too.
    int stalls = 0;
    while (!bytes.empty()) {
        const net::IoResult put = ours_.write(bytes);
        switch (put.kind) {
        case net::IoResult::Kind::ok:
            bytes = bytes.subspan(put.size);
            break;
        case net::IoResult::Kind::again:
            if (++stalls > rounds_at_once)
                return false;
            break;
        case net::IoResult::Kind::eof:
        case net::IoResult::Kind::error:
            return complete_; // it has closed without reading on
        }
        engine_.run();
    }
    return true;
}

void Exchange::resume() noexcept
{
    assert(suspended_);
    suspended_ = false;
    MHD_resume_connection(connection_);
    engine_.run();
}

void Exchange::tell()
{
    if (guest_)
        guest_->moved();
}

std::string Exchange::conclude()
{
    // The library replies behind the body, the client may send the body behind the reply. Nobody looks at it: zeros do.
    static constexpr std::array<std::uint8_t, 512> zeros{};
    for (std::uint64_t left = stays_ ? facts_.content_length : 0; left > 0;) {
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left, zeros.size()));
        if (!feed(base::Bytes(zeros).first(size)))
            return {};
        left -= size;
    }
    for (int i = 0; !complete_ && i < rounds_at_once; ++i)
        engine_.run();

    std::string reply;
    std::array<std::uint8_t, 2048> piece;
    while (const std::size_t size = ours_.read(piece).size)
        reply.append(reinterpret_cast<const char*>(piece.data()), size);
    return complete_ && is_answer(reply) ? reply : std::string();
}

bool Exchange::is_answer(std::string_view reply) const
{
    const Answer& answer = guest_->answer();
    if (facts_.expect_continue && reply.starts_with(continue_reply))
        reply.remove_prefix(continue_reply.size());
    const auto end = reply.find("\r\n\r\n");
    if (end == reply.npos)
        return false;
    const std::string_view head = reply.substr(0, end + 2);
    return head.starts_with("HTTP/1.1 " + std::to_string(answer.status) + ' ') &&
           head.find("\r\nContent-Length: " + std::to_string(answer.body.size()) + "\r\n") != head.npos &&
           reply.substr(end + 4) == (head_only_ ? std::string_view() : answer.body);
}

} // namespace http
