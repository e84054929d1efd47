#include "unit/tunnel/pairing_fixture.h"

namespace {

/// A proxy's leg that the test plays: what it was told, in order.
struct Proxy final : pairing::Proxy {
    explicit Proxy(leg::Side which) : of(which) {}

    const leg::Side of;
    std::string told;           // one word each
    std::string got;            // RTS PDUs of the server
    std::string rpc;            // of the service
    std::uint32_t sent = 0, consumed = 0;
    bool recycles = true, admits = true;
    std::function<void()> on_failed;
    std::function<void(std::uint32_t)> on_rpc; // a PDU begins

    leg::Side side() const override { return of; }
    void server_routed(const directory::Route& route) override { told += "routed:" + route.server + ' '; }
    void server_reached() override { told += "reached "; }
    void server_failed(const leg::Failure&) override
    {
        told += "failed ";
        if (on_failed)
            on_failed();
    }
    void server_rts(base::Bytes pdu) override { got += text_of(pdu); }
    void server_last(base::Bytes pdu) override
    {
        told += "last ";
        got += text_of(pdu);
    }
    std::size_t server_allowance(std::uint32_t room, std::uint32_t coming) override { return room + coming; }
    void server_rpc(const rpch::Framer::Piece& piece) override
    {
        if (piece.first && on_rpc)
            on_rpc(piece.frag_length);
        rpc += text_of(piece.bytes);
    }
    void server_delivered() override {}
    void server_flow() override { told += "flow "; }
    bool server_recycles() const override { return recycles; }
    bool server_admits(std::uint32_t) const override { return admits; }
    void server_sent(std::uint32_t size) override { sent += size; }
    void server_consumed(std::uint32_t size) override { consumed += size; }
    void server_ended(const std::string&) override { told += "ended "; }
    void server_relieved() override { told += "relieved "; }
};

} // namespace

TEST_GROUP_BASE(VirtualServer, PairingGroup)
{
    struct Host final : pairing::VirtualServer::Host {
        int ended = 0;
        void virtual_server_ended(pairing::VirtualServer&) override { ++ended; }
    };
    Host host;
    std::unique_ptr<pairing::VirtualServer> end;
    Proxy in{leg::Side::in}, next{leg::Side::in}, out{leg::Side::out}, out_next{leg::Side::out};
    Peer service;

    void setup() override
    {
        PairingGroup::setup();
        start();
    }
    void teardown() override
    {
        if (end)
            end->end("the test is over");
        settle();
        end.reset();
        PairingGroup::teardown();
    }
    void make(std::uint16_t port_of_the_service, const std::string& target = "ex1:6001")
    {
        const directory::Route route{directory::Transport::ncacn_ip_tcp, "127.0.0.1", port_of_the_service, "EX0"};
        end = std::make_unique<pairing::VirtualServer>(hub->environment(), role_test::cookie(vc),
                                                      hub->grants().share({{"alice", target}, false, route}), host);
        end->attach(in);
        end->attach(out);
    }
    /// A virtual connection that stands. `lifetime` and `window`: of the OUT channel, bytes.
    void open(std::uint32_t lifetime = 0x40000000, std::uint32_t window = 65536)
    {
        make(port);
        service = accept();
        until([&] { return in.told == "reached " && out.told == "reached "; });
        end->introduce(in, role_test::conn_b2());
        rpch::Rts a2 = role_test::conn_a2();
        a2.list[3].value = lifetime;
        a2.list[4].value = window;
        end->introduce(out, a2);
        CHECK(in.got == b3);
        CHECK(out.got == c1);
        out.got.clear();
    }
    void put(Proxy& proxy, const std::string& pdu)
    {
        CHECK_TRUE(end->received(proxy, static_cast<std::uint32_t>(pdu.size())));
        rpch::Framer framer;
        base::Bytes bytes{reinterpret_cast<const std::uint8_t*>(pdu.data()), pdu.size()};
        end->put_rpc(framer.next(bytes));
    }
    void put_and_flush(Proxy& proxy, const std::string& pdu)
    {
        put(proxy, pdu);
        end->flush();
    }
    /// `next` takes over from `in`.
    void recycle_in()
    {
        end->introduce(next, role_test::make(RtsId::in_r1_a2, {vc, role_test::in, in_next}));
        end->receive_rts(in, role_test::make(RtsId::in_r1_a6, {in_next}));
        end->receive_rts(in, role_test::make(RtsId::in_r1_b1));
        CHECK(in.told.ends_with("relieved "));
    }
    void until_service_got(std::size_t size)
    {
        until([&] {
            service.listen();
            return service.got.size() >= size;
        });
    }
};

// What a predecessor has left behind is not counted for its successor, whose client would be told of room that is none.
TEST(VirtualServer, theRestOfAPredecessorIsNotItsSuccessors)
{
    open();
    std::uint32_t said = 0;
    for (; end->waiting() == 0; said += 12000)
        put_and_flush(in, rpc_pdu(12000));
    recycle_in();
    CHECK(in.consumed < said);
    put_and_flush(next, rpc_pdu(700));
    until_service_got(said + 700);
    LONGS_EQUAL(0, end->waiting());
    LONGS_EQUAL(700, next.consumed);
    put_and_flush(next, rpc_pdu(80));
    LONGS_EQUAL(780, next.consumed);
    LONGS_EQUAL(780, next.sent);
}

// What it has put and not flushed leaves when the successor takes over.
TEST(VirtualServer, aPredecessorsLastPdusAreFlushedForIt)
{
    open();
    const std::string pdu = rpc_pdu(60);
    put(in, pdu);
    recycle_in();
    until_service_got(60);
    CHECK(service.got == pdu);
    LONGS_EQUAL(60, in.consumed);
    LONGS_EQUAL(0, next.consumed);
}

// RPC PDUs wait for the IN channel alone.
TEST(VirtualServer, theInChannelLetsPdusGo)
{
    open();
    in.admits = false;
    put_and_flush(in, rpc_pdu(60));
    LONGS_EQUAL(60, end->waiting());
    CHECK_TRUE(end->held_back());
    LONGS_EQUAL(0, in.sent);
    in.admits = true;
    end->flush();
    until_service_got(60);
    LONGS_EQUAL(60, in.sent);
    LONGS_EQUAL(60, in.consumed);
}

// A new OUT channel is asked for when the lifetime nears its end, unless its own proxy says that the client cannot.
TEST(VirtualServer, theOutChannelSaysWhetherItCanBeReplaced)
{
    for (const bool can : {true, false}) {
        in.told = in.got = out.told = out.got = out.rpc = "";
        in.recycles = !can;
        out.recycles = can;
        out.on_rpc = [&](std::uint32_t size) { end->sent(out, size); };
        open(131'072);
        service.say(rpc_pdu(57'500));
        until([&] { return out.rpc.size() == 57'500; });
        CHECK(out.got == (can ? rts(RtsId::out_r1_a1) : ""));
        end->end("next");
        settle();
    }
}

// OUT is told first, for its client can be told. Whoever leaves meanwhile is told nothing.
TEST(VirtualServer, aServiceThatCannotBeReached)
{
    for (const bool in_leaves : {false, true}) {
        in.told = out.told = "";
        host.ended = 0;
        out.on_failed = [&] {
            CHECK(in.told.empty());
            if (in_leaves)
                end->closed(in);
        };
        make(1, "ex1:6004"); // and the directory knows no other place
        until([&] { return host.ended == 1 && !out.told.empty(); });
        STRCMP_EQUAL("failed ", out.told.c_str());
        STRCMP_EQUAL(in_leaves ? "" : "failed ", in.told.c_str());
        settle();
        LONGS_EQUAL(1, host.ended);
    }
}

// Where the service was found in the end is told before anything else, and to those who come later too.
TEST(VirtualServer, aServiceThatIsFoundElsewhere)
{
    database->valid_ports.rebuild();
    make(1); // the directory says `port`
    service = accept();
    until([&] { return !in.told.empty() && !out.told.empty(); });
    STRCMP_EQUAL("routed:EX1 reached ", in.told.c_str());
    STRCMP_EQUAL("routed:EX1 reached ", out.told.c_str());
    end->attach(next);
    STRCMP_EQUAL("routed:EX1 reached ", next.told.c_str());
}

// The end of the only leg is the end, unless somebody else waits for the service or has been there.
TEST(VirtualServer, lonelyEnds)
{
    make(port);
    service = accept();
    until([&] { return out.told == "reached "; });
    end->closed(in);
    LONGS_EQUAL(0, host.ended);
    end->introduce(out, role_test::conn_a2());
    end->attach(next);
    end->closed(next);
    LONGS_EQUAL(0, host.ended); // `out` waits for another
    end->attach(next);
    end->introduce(next, role_test::conn_a2()); // a second OUT channel: refused, and alone
    STRCMP_EQUAL("reached reached ended ", next.told.c_str());
    LONGS_EQUAL(0, host.ended);
    end->closed(out);
    LONGS_EQUAL(1, host.ended);
    until_ended(service);
}

// The end is told once to everybody, OUT first.
TEST(VirtualServer, theEndIsToldOnce)
{
    open();
    end->attach(next);
    service.fd.reset();
    until([&] { return host.ended == 1; });
    for (const Proxy* const one : {&in, &out, &next}) {
        const std::size_t at = one->told.find("ended ");
        CHECK(at != std::string::npos && at + 6 == one->told.size());
    }
    end->end("again");
    end->flush();
    end->resume();
    end->keep_alive(60'000);
    LONGS_EQUAL(1, host.ended);
}

TEST(VirtualServer, anRtsPduOfTheServiceIsTheEnd)
{
    open();
    service.say(rts(RtsId::ping));
    until([&] { return host.ended == 1; });
    CHECK_TRUE(out.told.ends_with("ended "));
}

// A PDU that has begun is read to its end, however little is missing and whatever the window says.
TEST(VirtualServer, aPduThatHasBegunIsReadToItsEnd)
{
    out.on_rpc = [&](std::uint32_t size) { end->sent(out, size); };
    open(0x40000000, 8192);
    std::size_t size = 0;
    for (const std::size_t at : {10, 4000, 8191}) {
        service.say(rpc_pdu(8192).substr(0, at));
        until([&] { return out.rpc.size() == size + at; });
        service.say(rpc_pdu(8192).substr(at));
        size += 8192;
        until([&] { return out.rpc.size() == size; });
        service.say(rpc_pdu(20));
        settle();
        LONGS_EQUAL(size, out.rpc.size()); // the window is used up
        end->receive_rts(out, ack(static_cast<std::uint32_t>(size), 8192, role_test::out));
        size += 20;
        until([&] { return out.rpc.size() == size; });
        end->receive_rts(out, ack(static_cast<std::uint32_t>(size), 8192, role_test::out));
    }
}
