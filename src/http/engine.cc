#include "http/engine.h"

#include "base/log.h"
#include "net/socket_pair.h"

#include <microhttpd.h>
#include <strings.h>

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
    MHD_Response* response = MHD_create_response_from_buffer(0, nullptr, MHD_RESPMEM_PERSISTENT);
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
            --self.open_;
            complete(exchange);
            return;
        }
        }
    }

    static void complete(Exchange& exchange) noexcept
    {
        exchange.complete_ = true;
        exchange.moved_.schedule();
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
            complete(*exchange);
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
        exchange.moved_.schedule();
        switch (exchange.guest_->rule(collect(exchange, connection, method))) {
        case Guest::Ruling::answer_now:
            return queue(connection, exchange.guest_->answer());
        case Guest::Ruling::answer_after_body:
            // Answered here, even an empty body would cost the client its connection.
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

bool Exchange::start(base::Bytes head, const net::Address& client) noexcept
{
    auto pair = net::socket_pair();
    if (!pair)
        return false;
    ours_ = net::Stream(std::move(pair->first));

    sockaddr_storage address{};
    const socklen_t size = client.to_sockaddr(address);
    engine_.starting_ = this;
    // The library owns its end from here on, also when it fails.
    const MHD_Result added = MHD_add_connection(engine_.daemon_, pair->second.release(),
                                                reinterpret_cast<const sockaddr*>(&address), size);
    engine_.starting_ = nullptr;
    return added == MHD_YES && feed(head);
}

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
            return complete_; // it has answered and closed without reading on
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

std::size_t Exchange::read(std::span<std::uint8_t> out) noexcept
{
    return ours_.read(out).size;
}

} // namespace http
