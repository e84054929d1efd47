#include "unit/net/test_streams.h"

#include <fcntl.h>

#include "front_group.h"

using namespace std::chrono_literals;

TEST_GROUP_BASE(FrontTls, FrontGroup)
{
    std::optional<net::TlsServerContext> server;

    void setup() override
    {
        FrontGroup::setup();
        server.emplace(server_context("localhost"));
    }
    void teardown() override
    {
        server.reset();
        FrontGroup::teardown();
    }
};

TEST(FrontTls, aStalledHandshakeEnds)
{
    f().limits.handshake = 10s;
    f().restart();
    Client client(f(), &*server);
    client.send("\x16");
    f().pass(9s);
    CHECK_TRUE(client.silent(0));
    f().pass(2s);
    STRCMP_EQUAL("", client.receive_all().c_str());
    LONGS_EQUAL(1, log->count("handshake took too long"));
}

TEST(FrontTls, whoSaysNothingLeavesNoLine)
{
    for (const bool abruptly : {false, true}) {
        Client client(f(), &*server);
        abruptly ? client.abort() : client.close();
    }
    CHECK_TRUE(all_gone());
    LONGS_EQUAL(0, log->count(" closed "));
    Client half(f(), &*server);
    half.send("\x16");
    f().idle(10);
    half.abort();
    CHECK_TRUE(all_gone());
    LONGS_EQUAL(1, log->count(" closed "));
}

TEST(FrontTls, plainHttpOnATlsPortEnds)
{
    Client client(f(), &*server);
    client.send(echo_head);
    client.receive_all();
    LONGS_EQUAL(1, log->count(" closed "));
    LONGS_EQUAL(0, f().front->connections());
}

TEST(FrontTls, version1IsNeverServed)
{
    f().rpc_connect = http::RpcConnect::anonymous;
    f().restart();
    const net::TlsClientContext context({.verify = false, .ca_file = {}, .priority = {}});
    Client client(f(), &*server);
    ::fcntl(client.fd(), F_SETFL, O_NONBLOCK);
    const auto session = context.connect(client.fd(), "localhost");
    CHECK_TRUE(f().wait([&] { return session->handshake().kind == net::Handshake::Kind::done; }));
    const std::string head = "RPC_CONNECT " + door + " HTTP/1.1\r\nHost: x\r\n\r\n";
    session->write({reinterpret_cast<const std::uint8_t*>(head.data()), head.size()});
    std::uint8_t buffer[1000];
    net::IoResult got;
    CHECK_TRUE(f().wait([&] { return (got = session->read(buffer)).ok(); }));
    STARTS("HTTP/1.1 405 ", std::string(buffer, buffer + got.size));
    LONGS_EQUAL(0, arrivals().size());
}

TEST(FrontTls, echoAndChannelThroughTls)
{
    const net::TlsClientContext context({.verify = false, .ca_file = {}, .priority = {}});
    Client client(f(), &*server);
    ::fcntl(client.fd(), F_SETFL, O_NONBLOCK);
    const auto session = context.connect(client.fd(), "localhost");
    CHECK_TRUE(f().wait([&] { return session->handshake().kind == net::Handshake::Kind::done; }));

    const auto send = [&](const std::string& text) {
        session->write({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    };
    send(echo_head);
    std::uint8_t buffer[1000];
    net::IoResult got;
    CHECK_TRUE(f().wait([&] { return (got = session->read(buffer)).ok(); }));
    CHECK_TRUE(std::string(buffer, buffer + got.size) == echo_reply);

    send(out_head + std::string(76, 'a'));
    CHECK_TRUE(f().wait([&] { return !f().reception.arrivals.empty(); }));
    CHECK_TRUE(f().reception.arrivals[0].stream.tls());
    LONGS_EQUAL(76, f().reception.arrivals[0].early.size());

    send(request("x", "y", 0)); // behind the request: the tunnel's to judge
    CHECK_TRUE(f().wait([&] { return f().reception.arrivals[0].stream.read(buffer).ok(); }));
}
