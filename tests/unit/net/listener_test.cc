#include "net/listener.h"
#include "test_streams.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <CppUTest/TestHarness.h>

using net::Address;
using net::Listener;
using net::Loop;
using net::Millis;

namespace {

base::UniqueFd connect_to(const Address& address)
{
    sockaddr_storage storage;
    const socklen_t size = address.to_sockaddr(storage);
    base::UniqueFd fd(socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (fd && connect(fd.get(), reinterpret_cast<sockaddr*>(&storage), size) != 0)
        fd.reset();
    return fd;
}

int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    getsockopt(fd, level, name, &value, &size);
    return value;
}

} // namespace

TEST_GROUP(Listener) {
    std::optional<Loop> own;
    std::unique_ptr<Listener> listener;
    std::vector<base::UniqueFd> accepted;
    std::vector<Address> peers;
    bool destroy_in_callback = false;
    int overflows = 0;

    void setup() override { own.emplace(); }
    void teardown() override
    {
        listener.reset();
        own.reset();
    }
    void listen(const char* address)
    {
        using Group = TEST_GROUP_CppUTestGroupListener;
        listener = std::make_unique<Listener>(*own, *Address::parse(address),
                                              Listener::Callback::of<&Group::on_accept>(this));
    }
    void on_accept(base::UniqueFd&& fd, const Address& peer)
    {
        accepted.push_back(std::move(fd));
        peers.push_back(peer);
        if (destroy_in_callback)
            listener.reset();
    }
    void on_overflow(base::UniqueFd&& fd, const Address&)
    {
        ++overflows;
        fd.reset();
    }
    void rounds(int count, int ms = 20)
    {
        for (int i = 0; i < count; ++i)
            own->run_once(Millis(ms));
    }
};

TEST(Listener, acceptsWithOptionsSet)
{
    for (const char* address : {"127.0.0.1:0", "[::1]:0"}) {
        if (address[0] == '[' && !have_ipv6())
            continue;
        accepted.clear();
        peers.clear();
        listen(address);
        CHECK_TRUE(listener->local().port() != 0);
        const base::UniqueFd client = connect_to(listener->local());
        CHECK_TRUE(static_cast<bool>(client));
        rounds(3);
        LONGS_EQUAL(1, accepted.size());
        CHECK_TRUE(peers[0] == Address::local_of(client.get()));
        const int fd = accepted[0].get();
        LONGS_EQUAL(1, option(fd, IPPROTO_TCP, TCP_NODELAY));
        LONGS_EQUAL(1, option(fd, SOL_SOCKET, SO_KEEPALIVE));
        LONGS_EQUAL(60, option(fd, IPPROTO_TCP, TCP_KEEPIDLE));
        CHECK_TRUE(fcntl(fd, F_GETFL) & O_NONBLOCK);
        CHECK_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        const char* const other_family = address[0] == '[' ? "127.0.0.1" : "::1";
        CHECK_FALSE(static_cast<bool>(connect_to(*Address::from_host(other_family, listener->local().port()))));
    }
}

// Two daemons that share a port would each get one of the two channels.
TEST(Listener, whatSharesAPortIsNoFreePort)
{
    listen("127.0.0.1:0");
    const Address address = listener->local();
    CHECK_THROWS(std::runtime_error, Listener::check_free(address));
    { Listener another(*own, address, {}); } // the next shard of the same daemon
    listener.reset();
    Listener::check_free(address);
}

TEST(Listener, whomTheKernelHasTakenInIsNotResetAtTheEnd)
{
    listen("127.0.0.1:0");
    const Address address = listener->local();
    std::vector<base::UniqueFd> clients;
    for (int i = 0; i < 100; ++i)
        clients.push_back(connect_to(address));
    rounds(1, 0);
    CHECK_TRUE(accepted.size() < 100);
    listener->finish();
    LONGS_EQUAL(100, accepted.size());
    CHECK_FALSE(static_cast<bool>(connect_to(address)));
    rounds(2, 0);
    LONGS_EQUAL(100, accepted.size());
}

TEST(Listener, losesNoneOfMany)
{
    listen("127.0.0.1:0");
    std::vector<base::UniqueFd> clients;
    for (int i = 0; i < 300; ++i)
        clients.push_back(connect_to(listener->local()));
    rounds(1);
    // A round takes a bounded number, the rest follows without a new event.
    CHECK_TRUE(!accepted.empty() && accepted.size() < 100);
    for (int i = 0; i < 60 && accepted.size() < 300; ++i)
        rounds(1);
    LONGS_EQUAL(300, accepted.size());
}

TEST(Listener, callbackMayDestroyIt)
{
    listen("127.0.0.1:0");
    destroy_in_callback = true;
    const base::UniqueFd one = connect_to(listener->local()), two = connect_to(listener->local());
    rounds(3);
    LONGS_EQUAL(1, accepted.size());
    POINTERS_EQUAL(nullptr, listener.get());
}

TEST(Listener, twoShareAPort)
{
    listen("127.0.0.1:0");
    const Listener second(*own, listener->local(), {});
    LONGS_EQUAL(listener->local().port(), second.local().port());
}

TEST(Listener, errorNamesAddressAndReason)
{
    try {
        listen("192.0.2.1:80");
        FAIL("no exception");
    } catch (const std::runtime_error& error) {
        STRCMP_EQUAL("cannot listen on 192.0.2.1:80: Cannot assign requested address", error.what());
    }
    const base::UniqueFd taken(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage storage;
    const socklen_t size = Address::parse("127.0.0.1:0")->to_sockaddr(storage);
    LONGS_EQUAL(0, bind(taken.get(), reinterpret_cast<sockaddr*>(&storage), size));
    LONGS_EQUAL(0, ::listen(taken.get(), 1));
    CHECK_THROWS(std::runtime_error, listen(Address::local_of(taken.get()).text().c_str()));
}

// The kernel may put a client on any number below the limit, so the test leaves exactly none.
TEST(Listener, theLastDescriptorIsForALastWord)
{
    using Group = TEST_GROUP_CppUTestGroupListener;
    listener = std::make_unique<Listener>(*own, *Address::parse("127.0.0.1:0"), Listener::Callback::of<&Group::on_accept>(this),
                                          Listener::Callback::of<&Group::on_overflow>(this));
    const base::UniqueFd one = connect_to(listener->local()), two = connect_to(listener->local());
    rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    rlimit none = before;
    const base::UniqueFd next(dup(0));
    none.rlim_cur = static_cast<rlim_t>(next.get()); // and all below are taken
    setrlimit(RLIMIT_NOFILE, &none);
    rounds(3);
    setrlimit(RLIMIT_NOFILE, &before);
    LONGS_EQUAL(2, overflows);
    LONGS_EQUAL(0, accepted.size());
    for (const base::UniqueFd* client : {&one, &two}) {
        char byte;
        LONGS_EQUAL(0, recv(client->get(), &byte, 1, MSG_DONTWAIT)); // closed in order
    }
    const base::UniqueFd three = connect_to(listener->local());
    rounds(3);
    LONGS_EQUAL(1, accepted.size());
}

TEST(Listener, pausesWithoutDescriptors)
{
    listen("127.0.0.1:0");
    const base::UniqueFd client = connect_to(listener->local());
    rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    rlimit none = before;
    none.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &none);
    int wakeups = 0;
    for (const auto until = own->now() + Millis(350); own->now() < until; ++wakeups)
        own->run_once(Millis(400));
    setrlimit(RLIMIT_NOFILE, &before);
    LONGS_EQUAL(0, accepted.size());
    CHECK_TRUE(wakeups < 30);
    for (int i = 0; i < 10 && accepted.empty(); ++i)
        rounds(1, 50);
    LONGS_EQUAL(1, accepted.size());
}
