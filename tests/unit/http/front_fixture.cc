#include "front_fixture.h"

#include "base/log.h"
#include "directory/database.h"
#include "directory/port_store.h"
#include "unit/base/temporary_name.h"

#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <thread>

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

struct TestState final : auth::SchemeState {
    std::optional<auth::Attempt> glance(std::string_view token) override
    {
        if (token == "quick")
            return auth::Attempt{auth::Attempt::Kind::accepted, "alice"};
        return std::nullopt;
    }
    auth::Attempt look_up(std::string_view token) override
    {
        if (token == "slow")
            std::this_thread::sleep_for(milliseconds(100));
        if (token == "good" || token == "slow")
            return {auth::Attempt::Kind::accepted, "alice"};
        if (token == "one")
            return {auth::Attempt::Kind::continues, "dHdv"};
        if (token == "last")
            return {auth::Attempt::Kind::accepted, "alice", nullptr, "bGFzdA=="};
        if (token == "busy")
            return {auth::Attempt::Kind::busy, "too many"};
        return {auth::Attempt::Kind::refused, "wrong token"};
    }
};

base::UniqueFd loopback_socket(bool listening, sockaddr_in& address)
{
    base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    const bool good = listening ? ::bind(fd.get(), any, size) == 0 && ::listen(fd.get(), 16) == 0
                                : ::connect(fd.get(), any, size) == 0;
    if (!good)
        throw std::runtime_error("no loopback socket");
    return fd;
}

} // namespace

const auth::Scheme test_scheme = {
    "Test", true, [](const auth::Policy&, const auth::Channel&) { return true; },
    [](const auth::Policy&) { return std::string(); },
    [](const auth::Backends&, const auth::Channel&) -> std::unique_ptr<auth::SchemeState> {
        return std::make_unique<TestState>();
    },
};

TestDirectory::TestDirectory()
{
    folder_ = temporary_name("http-test");
    if (!::mkdtemp(folder_.data()))
        throw std::runtime_error("no temporary folder");
    directory::Database database(path(), directory::Database::Mode::create);
    directory::PortStore store(database);
    for (const auto& entry : directory::parse_port_list("srv:6001-6004").entries)
        store.add(entry, "test");
}

TestDirectory::~TestDirectory()
{
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

FrontFixture::FrontFixture()
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = loopback_socket(true, address);
    restart();
}

FrontFixture::~FrontFixture()
{
    front.reset();
    lane.reset();
    passwords.reset();
}

void FrontFixture::restart(unsigned threads, std::size_t waiting, std::size_t checks)
{
    front.reset();
    lane = std::make_unique<base::Lane>(base::Lane::Plan{base::Resource::directory, threads, waiting});
    passwords.emplace(1, checks);
    backends.emplace(auth::Backends{access, accounts, cache, *passwords});
    front = std::make_unique<http::Front>(http::Env{loop, *lane, *backends, database, reception, limits, rpc_connect});
}

bool FrontFixture::wait(const std::function<bool()>& done)
{
    const auto end = steady_clock::now() + milliseconds(3000);
    while (!done()) {
        if (steady_clock::now() > end)
            return false;
        loop.run_once(net::Millis(2));
    }
    return true;
}

void FrontFixture::idle(int time)
{
    const auto end = steady_clock::now() + milliseconds(time);
    while (steady_clock::now() < end)
        loop.run_once(net::Millis(2));
}

void FrontFixture::pass(net::Millis time)
{
    for (int i = 0; i < 3; ++i)
        loop.run_once(net::Millis(0));
    loop.skip(time);
    loop.run_once(net::Millis(0));
}

void FrontFixture::end_lane()
{
    lane.reset();
    loop.run_once(net::Millis(0));
}

Client::Client(FrontFixture& fixture, const net::TlsServerContext* tls) : fixture_(fixture)
{
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(fixture.listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
    fd_ = loopback_socket(false, address);
    base::UniqueFd server(::accept4(fixture.listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    const net::Address peer = net::Address::peer_of(server.get());
    fixture.front->accept(std::move(server), peer, tls);
}

void Client::send(std::string_view bytes)
{
    fixture_.wait([&] {
        const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0)
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        return bytes.empty() || (sent < 0 && errno != EAGAIN);
    });
}

void Client::pull()
{
    char buffer[16384];
    ssize_t got;
    while ((got = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT)) > 0)
        received_.append(buffer, static_cast<std::size_t>(got));
    ended_ = ended_ || got == 0 || errno != EAGAIN;
    reset_ = reset_ || (got < 0 && errno == ECONNRESET);
}

std::string Client::receive(std::string_view end)
{
    const bool came = fixture_.wait([&] {
        pull();
        return ended_ || received_.find(end) != std::string::npos;
    });
    return came && received_.find(end) != std::string::npos ? std::exchange(received_, {}) : std::string();
}

std::string Client::receive_all()
{
    fixture_.wait([&] {
        pull();
        return ended_;
    });
    return std::exchange(received_, {});
}

bool Client::silent(int time)
{
    fixture_.idle(time);
    pull();
    return received_.empty() && !ended_;
}

void Client::abort()
{
    const linger now{1, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fd_.reset();
}
