#include "net/proxy_header.h"
#include "pairing/joiner.h"
#include "unit/rpch/role_fixture.h"

#include <sys/socket.h>

#include <chrono>
#include <list>
#include <string>

#include <CppUTest/TestHarness.h>

using rpch::RtsId;
using pairing::Joiner;

namespace {

std::string text_of(base::Bytes bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string header(const char* source = "192.0.2.7:50000")
{
    net::ProxyHeader says;
    says.source = *net::Address::parse(source);
    says.destination = *net::Address::parse("127.0.0.2:6010");
    says.authority = "ex1:6001";
    says.user = "EXAMPLE\\alice";
    const std::vector<std::uint8_t> bytes = says.encode();
    return text_of(bytes);
}

const std::string a2 = text_of(rpch::encode(role_test::make(RtsId::conn_a2, {role_test::vc, role_test::out})));

} // namespace

TEST_GROUP(Joiner)
{
    struct Host final : Joiner::Host {
        int ready = 0, failed = 0;
        pairing::Joining joining;
        std::string reason;

        void joiner_ready(Joiner&, pairing::Joining&& what) override
        {
            ++ready;
            joining = std::move(what);
        }
        void joiner_failed(Joiner&, const std::string& why) override
        {
            ++failed;
            reason = why;
        }
        bool called() const { return ready + failed > 0; }
    };

    net::Loop loop;
    const net::Address node = *net::Address::parse("127.0.0.1:6010");
    const leg::Nodes nodes{{node}, 0};
    Host host;
    std::list<Joiner> joiner;
    base::UniqueFd far;

    /// A connection on a port with this target, or on one for nodes.
    void arrive(const std::string& target = {}, const net::Address& peer = {}, net::Millis patience = net::Millis(5000))
    {
        int fds[2];
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);
        far.reset(fds[1]);
        host = Host();
        joiner.clear();
        joiner.emplace_back(loop, host, base::UniqueFd(fds[0]), peer.port() == 0 ? node : peer, target).start(nodes, patience);
    }
    void say(const std::string& text)
    {
        LONGS_EQUAL(text.size(), ::send(far.get(), text.data(), text.size(), MSG_NOSIGNAL));
        loop.run_once(net::Millis(0));
        loop.run_once(net::Millis(0));
    }
    void wait()
    {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        while (!host.called() && std::chrono::steady_clock::now() < end)
            loop.run_once(net::Millis(10));
        CHECK_TRUE(host.called());
    }
};

TEST(Joiner, takesHeaderAndFirstPduHoweverTheyAreCut)
{
    const std::string words = header() + a2 + "behind";
    for (std::size_t at = 1; at < words.size(); ++at) {
        arrive();
        say(words.substr(0, at));
        CHECK_EQUAL(at >= words.size() - 6, host.called());
        say(words.substr(at));
        LONGS_EQUAL(1, host.ready);
        LONGS_EQUAL(0, host.failed);
        STRCMP_EQUAL("EXAMPLE\\alice", host.joining.party.principal.c_str());
        STRCMP_EQUAL("ex1:6001", host.joining.party.target.c_str());
        STRCMP_EQUAL("192.0.2.7:50000", host.joining.client.text().c_str());
        CHECK(node == host.joining.peer);
        CHECK(role_test::cookie(role_test::vc) == host.joining.virtual_connection);
        CHECK(a2 == text_of(rpch::encode(host.joining.first_pdu)));
        // What is not read here is read by the leg.
        const std::string early = text_of(host.joining.early);
        CHECK(early == (at < words.size() - 6 ? "behind" : words.substr(words.size() - 6, at - (words.size() - 6))));
    }
}

TEST(Joiner, aFixedTargetNeedsNoHeaderAndNoTrust)
{
    arrive("ex1:6001", *net::Address::parse("198.51.100.9:4711"));
    say(a2);
    LONGS_EQUAL(1, host.ready);
    STRCMP_EQUAL("", host.joining.party.principal.c_str());
    STRCMP_EQUAL("ex1:6001", host.joining.party.target.c_str());
    CHECK(net::Address() == host.joining.client);
    // A header would be believed by nobody: it is no PDU.
    arrive("ex1:6001");
    say(header() + a2);
    LONGS_EQUAL(1, host.failed);
    STRCMP_EQUAL("the first PDU is no RTS PDU and no RPC PDU", host.reason.c_str());
}

// A client of version 1, or one without a proxy: an RPC PDU comes first, and all that came is kept.
TEST(Joiner, aFixedTargetTakesVersion1AndANodeDoesNot)
{
    const std::string rpc("\5\0\0\3\x10\0\0\0\x10\0\0\0\1\0\0\0", 16);
    arrive("ex1:6001");
    say(rpc);
    LONGS_EQUAL(1, host.ready);
    CHECK_TRUE(host.joining.version_1);
    CHECK(rpc == text_of(host.joining.early));
    arrive();
    say(header() + rpc);
    LONGS_EQUAL(1, host.failed);
    STRCMP_EQUAL("the first PDU is no RTS PDU", host.reason.c_str());
}

TEST(Joiner, sendsTheBannerAndNothingElse)
{
    arrive();
    char buffer[64];
    LONGS_EQUAL(14, ::recv(far.get(), buffer, sizeof buffer, MSG_DONTWAIT));
    STRCMP_EQUAL("ncacn_http/1.0", std::string(buffer, 14).c_str());
    say(header() + a2);
    LONGS_EQUAL(-1, ::recv(far.get(), buffer, sizeof buffer, MSG_DONTWAIT));
    LONGS_EQUAL(1, host.ready);
}

// Not even the banner, and before a word of theirs was read.
TEST(Joiner, strangersAreToldNothingOnAPortForNodes)
{
    arrive("", *net::Address::parse("127.0.0.2:6010"));
    LONGS_EQUAL(1, host.failed);
    STRCMP_EQUAL("the peer is none of pairing_nodes", host.reason.c_str());
    char buffer[64];
    LONGS_EQUAL(-1, ::recv(far.get(), buffer, sizeof buffer, MSG_DONTWAIT));
}

TEST(Joiner, howItFails)
{
    const struct {
        const char* what;
        std::string words;
        const char* reason;
    } rows[] = {
        {"no header", a2, "the node sent no PROXY header, so it names no target"},
        {"a header of version 1", "PROXY TCP4 192.0.2.7 127.0.0.2 50000 6010\r\n",
         "the node sent no PROXY header, so it names no target"},
        {"a header longer than we take", header().substr(0, 14) + "\xff\xff", "malformed PROXY header"},
        {"two headers", header() + header() + a2, "the first PDU is no RTS PDU and no RPC PDU"},
        {"no PDU", header() + std::string(20, '\0'), "the first PDU is no RTS PDU and no RPC PDU"},
    };
    for (const auto& row : rows) {
        arrive();
        say(row.words);
        LONGS_EQUAL_TEXT(1, host.failed, row.what);
        LONGS_EQUAL_TEXT(0, host.ready, row.what);
        STRCMP_EQUAL_TEXT(row.reason, host.reason.c_str(), row.what);
    }
}

TEST(Joiner, theEndBeforeTheFirstPdu)
{
    arrive();
    say(header() + a2.substr(0, 40));
    ::shutdown(far.get(), SHUT_WR);
    wait();
    STRCMP_EQUAL("closed by the proxy before its first PDU", host.reason.c_str());

    arrive("", {}, net::Millis(30));
    say(header() + a2.substr(0, 83));
    wait();
    STRCMP_EQUAL("no first PDU within the time limit", host.reason.c_str());

    arrive();
    joiner.front().end("the daemon stops");
    STRCMP_EQUAL("the daemon stops", host.reason.c_str());
    joiner.front().end("again");
    LONGS_EQUAL(1, host.failed);

    arrive();
    say(header() + a2);
    joiner.front().end("too late");
    LONGS_EQUAL(1, host.ready);
    LONGS_EQUAL(0, host.failed);
}
