#include "name_server.h"

#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CppUTest/TestHarness.h>
#include <CppUTest/MemoryLeakWarningPlugin.h>

using net::Address;
using net::Lookup;
using net::Loop;
using net::Millis;
using net::Resolved;
using net::Resolver;

namespace {

/// Who asks.
struct Asker {
    Lookup lookup;
    std::optional<Resolved> result;
    int calls = 0;
    std::function<void()> then;

    Asker(Loop& loop, Resolver& resolver) : lookup(loop, resolver, Lookup::Callback::of<&Asker::on_resolved>(this)) {}
    void on_resolved(Resolved resolved)
    {
        ++calls;
        result = std::move(resolved);
        if (then)
            then();
    }
    std::string text() const
    {
        std::string all = result ? result->error : "?";
        for (const Address& address : result ? result->addresses : std::vector<Address>())
            all += (all.empty() ? "" : " ") + address.text();
        return all;
    }
};

} // namespace

TEST_GROUP(Resolver)
{
    std::unique_ptr<Loop> loop;
    std::unique_ptr<FakeServer> server, second;
    std::unique_ptr<Resolver> resolver;

    void setup() override
    {
        MemoryLeakWarningPlugin::turnOnThreadSafeNewDeleteOverloads();
        loop = std::make_unique<Loop>();
        server = std::make_unique<FakeServer>(*loop);
        second = std::make_unique<FakeServer>(*loop);
        use(server->address());
    }
    void teardown() override
    {
        resolver.reset();
        second.reset();
        server.reset();
        loop.reset();
    }
    void use(const std::string& addresses, Millis timeout = Millis(20'000), int attempts = 1)
    {
        resolver.reset();
        resolver = std::make_unique<Resolver>(net::NameServers{addresses, timeout, attempts});
    }
    template <class Condition> void until(Condition condition)
    {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!condition() && std::chrono::steady_clock::now() < end)
            loop->run_once(Millis(5));
        CHECK_TRUE(condition());
    }
    /// The addresses or the error.
    std::string ask(const std::string& host)
    {
        Asker asker(*loop, *resolver);
        asker.lookup.start(host, 6001);
        CHECK_FALSE(asker.result.has_value());
        until([&] { return asker.calls != 0; });
        CHECK_FALSE(asker.lookup.busy());
        return asker.text();
    }
};

TEST(Resolver, bothFamilies)
{
    server->names = {{"both.example", {"192.0.2.1", "2001:db8::1", "192.0.2.2"}}, {"six.example", {"2001:db8::6"}}, {"none.example", {}}};
    const std::string both = ask("both.example");
    for (const char* address : {"192.0.2.1:6001", "192.0.2.2:6001", "[2001:db8::1]:6001"})
        STRCMP_CONTAINS(address, both.c_str());
    STRCMP_EQUAL("[2001:db8::6]:6001", ask("SIX.Example").c_str());
    STRCMP_EQUAL("[2001:db8::6]:6001", ask("six.example.").c_str());
    STRCMP_EQUAL("the name has no address", ask("none.example").c_str());
    STRCMP_EQUAL("no such host", ask("other.example").c_str());
}

TEST(Resolver, hostsFileComesFirst)
{
    server->names = {{"localhost", {"192.0.2.1"}}};
    STRCMP_CONTAINS("127.0.0.1:6001", ask("localhost").c_str());
    LONGS_EQUAL(0, server->queries.size());
}

TEST(Resolver, whatNobodyIsAskedFor)
{
    const struct {
        std::string host;
        const char* error;
    } rows[] = {
        {"", "the name is empty"},
        {"no-such-name.invalid", "no such host"},
        {"NO-SUCH-NAME.INVALID.", "no such host"},
        {"invalid", "no such host"},
        {std::string("a\0b", 3), "not a host name: letters, digits, '-', '_' and '.' are all it may have"},
        {"a b", "not a host name: letters, digits, '-', '_' and '.' are all it may have"},
        {"[::1]", "not a host name: letters, digits, '-', '_' and '.' are all it may have"},
        {"m\xc3\xbcller.example", "not a host name: it is not in ASCII (an international name is written as xn--...)"},
        {std::string(255, 'a'), "not a host name: it is too long"},
        {std::string(65536, 'a'), "not a host name: it is too long"},
        {std::string(64, 'a') + ".example", "not a host name"},
        {"a..example", "not a host name"},
        {"..", "not a host name"},
    };
    for (const auto& row : rows)
        STRCMP_EQUAL(row.error, ask(row.host).c_str());
    LONGS_EQUAL(0, server->queries.size());
}

TEST(Resolver, theNextServerWhenOneIsSilentOrBroken)
{
    use(server->address() + ',' + second->address(), Millis(50));
    server->names = second->names = {{"exch01.example", {"192.0.2.1"}}, {"x.broken", {"192.0.2.1"}}};
    server->silent = true;
    STRCMP_EQUAL("192.0.2.1:6001", ask("exch01.example").c_str());
    CHECK_FALSE(server->queries.empty());
    second->silent = true;
    STRCMP_EQUAL("no answer from the name servers (127.0.0.1, 127.0.0.1)", ask("exch01.example").c_str());
    server->silent = second->silent = false;
    STRCMP_EQUAL("refused, or a failure told, by the name servers (127.0.0.1, 127.0.0.1)", ask("x.broken").c_str());
}

TEST(Resolver, equalNamesAreAskedForOnce)
{
    server->names = {{"exch01.example", {"192.0.2.1"}}};
    std::vector<std::unique_ptr<Asker>> askers;
    for (const char* host : {"exch01.example", "EXCH01.example", "exch01.example"}) {
        askers.push_back(std::make_unique<Asker>(*loop, *resolver));
        askers.back()->lookup.start(host, static_cast<std::uint16_t>(6000 + askers.size()));
    }
    askers[1]->lookup.cancel();
    // The server, in the test's loop, answers when all of that has come to the resolver.
    Loop other;
    Asker after(other, *resolver);
    after.lookup.start("localhost", 6001);
    while (after.calls == 0)
        other.run_once(Millis(100));
    LONGS_EQUAL(0, askers[0]->calls);
    until([&] { return askers[0]->calls == 1 && askers[2]->calls == 1; });
    STRCMP_EQUAL("192.0.2.1:6001", askers[0]->text().c_str());
    STRCMP_EQUAL("192.0.2.1:6003", askers[2]->text().c_str());
    LONGS_EQUAL(0, askers[1]->calls);
    LONGS_EQUAL(2, server->queries.size()); // A and AAAA

    // Nothing is remembered.
    STRCMP_EQUAL("192.0.2.1:6001", ask("exch01.example").c_str());
    LONGS_EQUAL(4, server->queries.size());
}

TEST(Resolver, whoWaitsForSilentServersDelaysNobodyElse)
{
    server->names = {{"exch01.example", {"192.0.2.1"}}};
    std::vector<std::unique_ptr<Asker>> askers;
    for (std::size_t i = 0; i < Resolver::limit - 1; ++i) {
        askers.push_back(std::make_unique<Asker>(*loop, *resolver));
        askers.back()->lookup.start(std::to_string(i) + ".silent", 6001);
    }
    until([&] { return server->queries.size() == 2 * askers.size(); });
    const auto begin = std::chrono::steady_clock::now();
    STRCMP_EQUAL("192.0.2.1:6001", ask("exch01.example").c_str());
    STRCMP_CONTAINS("127.0.0.1:6001", ask("localhost").c_str());

    // One more, and there is no place for another; /etc/hosts, and a name that is under way, need none.
    askers.push_back(std::make_unique<Asker>(*loop, *resolver));
    askers.back()->lookup.start("last.silent", 6001);
    Asker full(*loop, *resolver);
    full.lookup.start("exch01.example", 6001);
    until([&] { return full.calls == 1; });
    CHECK_TRUE(full.result->shortage == base::Resource::look_ups);
    STRCMP_EQUAL("too many names are looked up already", full.text().c_str());
    Asker equal(*loop, *resolver);
    equal.lookup.start("0.silent", 6001);
    STRCMP_CONTAINS("127.0.0.1:6001", ask("localhost").c_str());
    LONGS_EQUAL(0, equal.calls);
    STRCMP_EQUAL("no answer from the name server (127.0.0.1)", equal.lookup.overdue().c_str());
    CHECK_TRUE(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5)); // the server has 20 s

    // Whoever goes leaves his place.
    askers.back()->lookup.cancel();
    STRCMP_EQUAL("192.0.2.1:6001", ask("exch01.example").c_str());
    for (const auto& asker : askers)
        LONGS_EQUAL(0, asker->calls);
}

TEST(Resolver, theCallbackMayStartItAgainOrDestroyIt)
{
    server->names = {{"exch01.example", {"192.0.2.1"}}};
    Asker again(*loop, *resolver);
    again.then = [&] {
        if (again.calls == 1)
            again.lookup.start("other.example", 6001);
    };
    again.lookup.start("exch01.example", 6001);
    until([&] { return again.calls == 2; });
    STRCMP_EQUAL("no such host", again.text().c_str());

    auto gone = std::make_unique<Asker>(*loop, *resolver);
    const std::function<void()> destroy = [&] { gone.reset(); };
    gone->then = [&] { destroy(); };
    gone->lookup.start("exch01.example", 6001);
    until([&] { return !gone; });
}

// Whatever is under way: neither the loop of who has asked nor the resolver waits for the other.
TEST(Resolver, eachMayGoFirst)
{
    for (const bool answered : {false, true}) {
        auto other = std::make_unique<Loop>();
        auto asker = std::make_unique<Asker>(*other, *resolver);
        server->names = {{"exch01.example", {"192.0.2.1"}}};
        asker->lookup.start(answered ? "exch01.example" : "exch01.silent", 6001);
        const std::size_t before = server->queries.size();
        until([&] { return server->queries.size() == before + 2; });
        asker.reset(); // its answer may be in the loop's mailbox
        other.reset();
    }
    Asker left(*loop, *resolver);
    left.lookup.start("exch01.silent", 6001);
    const std::size_t before = server->queries.size();
    until([&] { return server->queries.size() == before + 2; });
    left.lookup.cancel();
    const auto begin = std::chrono::steady_clock::now();
    resolver.reset();
    CHECK_TRUE(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
    loop->run_once(Millis(0));
    LONGS_EQUAL(0, left.calls);
}
