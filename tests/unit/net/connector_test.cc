#include "net/connector.h"

#include "base/log.h"
#include "test_streams.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <CppUTest/TestHarness.h>
#include <CppUTest/MemoryLeakWarningPlugin.h>

using net::Address;
using net::Connector;
using net::ConnectResult;
using net::Loop;
using net::Millis;
using Cause = net::ConnectResult::Cause;

namespace {

/// A bound socket; listens when told to, with the smallest backlog.
struct Port {
    base::UniqueFd fd;
    Address address;

    explicit Port(const Address& wanted, bool listening, int backlog = 16)
    {
        sockaddr_storage storage;
        const socklen_t size = wanted.to_sockaddr(storage);
        fd.reset(socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (bind(fd.get(), reinterpret_cast<sockaddr*>(&storage), size) != 0
            || (listening && listen(fd.get(), backlog) != 0))
            std::abort();
        address = Address::local_of(fd.get());
    }
    explicit Port(const char* host, bool listening, int backlog = 16)
        : Port(*Address::from_host(host, 0), listening, backlog)
    {
    }
};

/// No descriptor can be opened during its life.
class NoDescriptors {
public:
    NoDescriptors()
    {
        getrlimit(RLIMIT_NOFILE, &before_);
        rlimit none = before_;
        none.rlim_cur = 3;
        setrlimit(RLIMIT_NOFILE, &none);
    }
    ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_;
};

/// A listener whose queue is full: further connections get no answer.
struct DeafPort : Port {
    std::vector<base::UniqueFd> fill;

    explicit DeafPort(const char* host) : Port(host, true, 0)
    {
        sockaddr_storage storage;
        const socklen_t size = address.to_sockaddr(storage);
        for (int i = 0; i < 4; ++i) {
            fill.emplace_back(socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            (void)connect(fill.back().get(), reinterpret_cast<sockaddr*>(&storage), size);
        }
    }
};

} // namespace

TEST_GROUP(Connector) {
    std::optional<Loop> loop;
    std::optional<net::Resolver> resolver;
    net::Sources sources;
    std::unique_ptr<Connector> connector;
    std::optional<ConnectResult> result;
    bool destroy_in_callback = false;
    int calls = 0;

    using Group = TEST_GROUP_CppUTestGroupConnector;

    void setup() override
    {
        MemoryLeakWarningPlugin::turnOnThreadSafeNewDeleteOverloads();
        loop.emplace();
        resolver.emplace();
        connector = std::make_unique<Connector>(*loop, *resolver);
    }
    void teardown() override
    {
        result.reset();
        connector.reset();
        sources = {};
        resolver.reset();
        loop.reset();
    }
    void on_result(ConnectResult r)
    {
        ++calls;
        result = std::move(r);
        if (destroy_in_callback)
            connector.reset();
    }
    Connector::Callback callback() { return Connector::Callback::of<&Group::on_result>(this); }

    /// Waits for the result and answers the milliseconds that it took.
    double wait()
    {
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < 5000 && !result; ++i)
            loop->run_once(Millis(20));
        CHECK_TRUE(result.has_value());
        return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    }
    /// The same, in the loop's time, which is led on: nobody waits for a timer.
    double wait_later()
    {
        const Millis begin = loop->now();
        while (!result && loop->now() - begin < Millis(10'000)) {
            loop->run_once(Millis(1));
            loop->skip(Millis(50));
        }
        CHECK_TRUE(result.has_value());
        return static_cast<double>((loop->now() - begin).count());
    }
    double connect(const std::string& host, std::uint16_t port)
    {
        connector->start(host, port, Millis(10'000), callback());
        CHECK_FALSE(result.has_value());
        return wait();
    }
    double connect(const std::vector<Address>& addresses)
    {
        connector->start("exch01.example:6001", addresses, Millis(10'000), callback());
        CHECK_FALSE(result.has_value());
        return wait();
    }
};

TEST(Connector, interleavesFamilies)
{
    std::vector<Address> given;
    for (const char* text : {"192.0.2.1:1", "192.0.2.2:1", "[2001:db8::1]:1", "192.0.2.1:1", "[2001:db8::2]:1",
                             "192.0.2.3:1"})
        given.push_back(*Address::parse(text));
    std::string order;
    for (const Address& address : net::interleave(given))
        order += address.host_text() + ' ';
    STRCMP_EQUAL("2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 192.0.2.3 ", order.c_str());
}

TEST(Connector, numericHosts)
{
    for (const char* host : {"127.0.0.1", "::1", "[::1]"}) {
        if (host[0] != '1' && !have_ipv6())
            continue;
        result.reset();
        const Port port(host, true);
        connect(host, port.address.port());
        CHECK_TRUE(result->ok());
        CHECK_TRUE(result->remote == port.address);
        CHECK_TRUE(Address::peer_of(result->fd.get()) == port.address);
        STRCMP_EQUAL("", result->error.c_str());
        for (const auto& [level, name] :
             {std::pair<int, int>{IPPROTO_TCP, TCP_NODELAY}, {SOL_SOCKET, SO_KEEPALIVE}}) {
            int value = 0;
            socklen_t size = sizeof value;
            getsockopt(result->fd.get(), level, name, &value, &size);
            LONGS_EQUAL(1, value);
        }
    }
}

TEST(Connector, refused)
{
    const Port port("127.0.0.1", false);
    connect("127.0.0.1", port.address.port());
    CHECK_TRUE(result->cause == Cause::refused);
    STRCMP_EQUAL((port.address.text() + ": Connection refused").c_str(), result->error.c_str());
    CHECK_FALSE(static_cast<bool>(result->fd));
    CHECK_FALSE(connector->busy());
}

TEST(Connector, nameThatDoesNotExist)
{
    const struct {
        const char* host;
    } rows[] = {{"nonexistent.invalid"}, {"NONEXISTENT.INVALID."}, {"invalid"}};
    for (const auto& row : rows) {
        result.reset();
        CHECK_TRUE(connect(row.host, 6001) < 1000);
        CHECK_TRUE(result->cause == Cause::not_resolved);
        STRCMP_EQUAL((std::string(row.host) + ":6001: no such host").c_str(), result->error.c_str());
    }
}

TEST(Connector, localhostByName)
{
    const Port port("127.0.0.1", true);
    connect("localhost", port.address.port());
    CHECK_TRUE(result->ok());
    CHECK_TRUE(result->remote == port.address);
}

TEST(Connector, secondFamilyWhenTheFirstRefuses)
{
    if (!have_ipv6())
        return;
    const Port dead("::1", false);
    const Port alive("127.0.0.1", true);
    CHECK_TRUE(connect({alive.address, dead.address}) < 200);
    CHECK_TRUE(result->ok());
    CHECK_TRUE(result->remote == alive.address);
}

TEST(Connector, secondFamilyWhenTheFirstIsSilent)
{
    if (!have_ipv6())
        return;
    const DeafPort deaf("::1");
    const Port alive("127.0.0.1", true);
    connector->start("exch01.example:6001", {alive.address, deaf.address}, Millis(10'000), callback());
    const double took = wait_later();
    CHECK_TRUE(result->ok());
    CHECK_TRUE(result->remote == alive.address);
    CHECK_TRUE(took >= 249 && took < 3000);
}

TEST(Connector, timeoutNamesEveryAddress)
{
    if (!have_ipv6())
        return;
    const DeafPort deaf("127.0.0.1");
    const Port dead("::1", false);
    connector->start("exch01.example:6001", {deaf.address, dead.address}, Millis(4000), callback());
    const double took = wait_later();
    CHECK_TRUE(took >= 3999 && took < 6000);
    CHECK_TRUE(result->cause == Cause::timed_out);
    STRCMP_EQUAL("exch01.example:6001: [::1]: Connection refused; 127.0.0.1: timed out", result->error.c_str());
}

TEST(Connector, allRefused)
{
    if (!have_ipv6())
        return;
    const Port a("127.0.0.1", false), b("::1", false);
    connect({a.address, b.address});
    CHECK_TRUE(result->cause == Cause::refused);
    STRCMP_EQUAL("exch01.example:6001: [::1]: Connection refused; 127.0.0.1: Connection refused",
                 result->error.c_str());
}

TEST(Connector, noAddressAtAll)
{
    connect(std::vector<Address>{});
    CHECK_TRUE(result->cause == Cause::unreachable);
    STRCMP_EQUAL("exch01.example:6001: no address", result->error.c_str());
}

TEST(Connector, cancelledOrDestroyedGetsNoCallback)
{
    const Port port("127.0.0.1", true);
    connector->start("127.0.0.1", port.address.port(), Millis(1000), callback());
    connector->cancel();
    connector->start("localhost", port.address.port(), Millis(1000), callback());
    loop->run_once(Millis(0));
    loop->run_once(Millis(0)); // the look-up has begun
    connector.reset();
    for (int i = 0; i < 10; ++i)
        loop->run_once(Millis(10));
    LONGS_EQUAL(0, calls);
}

// Whether start() was called by an event, in a posted function, in a task or outside the loop: what is known by then of the
// one for whom the connection is comes first.
TEST(Connector, anEventThatIsThereCanCancelIt)
{
    struct Client {
        Connector& connector;
        base::UniqueFd ours, theirs;
        net::Watch watch;

        Client(Loop& l, Connector& c) : connector(c), watch(l, net::Watch::Callback::of<&Client::on_event>(this))
        {
            std::tie(ours, theirs) = socket_pair();
        }
        void start(const Address& to, Connector::Callback callback)
        {
            CHECK_TRUE(watch.add(ours.get(), EPOLLRDHUP | EPOLLET));
            connector.start(to.text(), {to}, Millis(10'000), callback);
        }
        void on_event(std::uint32_t) { connector.cancel(); }
    };
    const Port port("127.0.0.1", true);
    ::fcntl(port.fd.get(), F_SETFL, O_NONBLOCK);
    for (const int from : {0, 1, 2}) {
        Client client(*loop, *connector);
        client.theirs.reset();
        const auto start = [&] { client.start(port.address, callback()); };
        struct Starter {
            std::function<void()> start;
            void run() { start(); }
        } starter{start};
        net::Task task(*loop, net::Task::Callback::of<&Starter::run>(&starter));
        if (from == 0)
            start();
        else if (from == 1)
            loop->post(start);
        else
            task.schedule();
        for (int i = 0; i < 10; ++i)
            loop->run_once(Millis(1));
        LONGS_EQUAL(0, calls);
        LONGS_EQUAL(-1, ::accept(port.fd.get(), nullptr, nullptr));
    }
}

TEST(Connector, callbackMayDestroyIt)
{
    const Port port("127.0.0.1", true), dead("127.0.0.1", false);
    destroy_in_callback = true;
    connect({dead.address, port.address});
    CHECK_TRUE(result->ok());
    loop->run_once(Millis(10));
    LONGS_EQUAL(1, calls);

    connector = std::make_unique<Connector>(*loop, *resolver);
    result.reset();
    connect({dead.address});
    CHECK_TRUE(result->cause == Cause::refused);
}

TEST(Connector, restartDropsTheOldAttempt)
{
    const Port first("127.0.0.1", true), second("127.0.0.1", true);
    connector->start("localhost", first.address.port(), Millis(1000), callback());
    loop->run_once(Millis(0));
    connect("localhost", second.address.port());
    CHECK_TRUE(result->remote == second.address);
    for (int i = 0; i < 5; ++i)
        loop->run_once(Millis(5));
    LONGS_EQUAL(1, calls);
}

TEST(Connector, tooManyNamesAndNameServersThatAreSilent)
{
    base::log::set_level(base::log::Level::error);
    const base::UniqueFd silent(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_storage storage;
    const socklen_t size = Address::from_host("127.0.0.1", 0)->to_sockaddr(storage);
    LONGS_EQUAL(0, bind(silent.get(), reinterpret_cast<sockaddr*>(&storage), size));
    net::Resolver names(net::NameServers{Address::local_of(silent.get()).text(), Millis(100'000), 1});
    Connector one(*loop, names);
    one.start("exch01.example", 6001, Millis(2000), callback());
    wait_later();
    CHECK_TRUE(result->cause == Cause::timed_out);
    STRCMP_EQUAL("exch01.example:6001: no answer from the name server (127.0.0.1)", result->error.c_str());

    result.reset();
    std::vector<std::unique_ptr<net::Lookup>> many;
    for (std::size_t i = 0; i < net::Resolver::limit; ++i) {
        many.push_back(std::make_unique<net::Lookup>(*loop, names, net::Lookup::Callback()));
        many.back()->start(std::to_string(i) + ".example", 1);
    }
    one.start("exch01.example", 6001, Millis(10'000), callback());
    wait();
    CHECK_TRUE(result->cause == Cause::too_busy);
}

TEST(Connector, comesFromTheSourcesInTurn)
{
    const Port port("127.0.0.1", true);
    sources = net::Sources({*Address::from_host("127.0.0.2", 0), *Address::from_host("127.0.0.3", 0)});
    connector->draw_from(sources);
    for (const char* source : {"127.0.0.2", "127.0.0.3", "127.0.0.2"}) {
        result.reset();
        connect("127.0.0.1", port.address.port());
        CHECK_TRUE(result->ok());
        STRCMP_EQUAL(source, Address::local_of(result->fd.get()).host_text().c_str());
    }
}

TEST(Connector, theOtherFamilyIsLeftToTheKernel)
{
    if (!have_ipv6())
        return;
    const Port port("::1", true);
    sources = net::Sources({*Address::from_host("127.0.0.2", 0)});
    connector->draw_from(sources);
    connect("::1", port.address.port());
    CHECK_TRUE(result->ok());
}

// 192.0.2.1 is for documentation: no machine has it.
TEST(Connector, aSourceThatIsNotHere)
{
    base::log::set_level(base::log::Level::error);
    const Port port("0.0.0.0", true);
    const Address gone = *Address::from_host("192.0.2.1", 0);
    connector->bind_to(gone);
    connect("127.0.0.1", port.address.port());
    CHECK_TRUE(result->cause == Cause::exhausted);
    STRCMP_EQUAL(("127.0.0.1:" + std::to_string(port.address.port()) + ": Cannot assign requested address").c_str(),
                 result->error.c_str());
}

TEST(Connector, noDescriptor)
{
    base::log::set_level(base::log::Level::error);
    const Port port("127.0.0.1", true);
    {
        const NoDescriptors none;
        connect("127.0.0.1", port.address.port());
        CHECK_TRUE(result->cause == Cause::exhausted);
        STRCMP_EQUAL((port.address.text() + ": Too many open files").c_str(), result->error.c_str());
        result.reset();
        connect("localhost", port.address.port());
        CHECK_TRUE(result->cause == Cause::exhausted);
        STRCMP_EQUAL(("localhost:" + std::to_string(port.address.port()) + ": Too many open files").c_str(), result->error.c_str());
    }
    result.reset();
    connect("localhost", port.address.port());
    CHECK_TRUE(result->ok());
}
