#include "pairing_fixture.h"

namespace {

/// A proxy's leg that the test plays: what it was told, in order.
struct Proxy final : tunnel::ProxyLeg {
    explicit Proxy(tunnel::Side which) : of(which) {}

    const tunnel::Side of;
    std::string told; // one word each
    std::uint32_t admitted = 0, consumed = 0;

    tunnel::Side side() const override { return of; }
    void server_routed(const directory::Route&) override { told += "routed "; }
    void server_reached() override { told += "reached "; }
    void server_failed(const tunnel::HopFailure&) override { told += "failed "; }
    void server_rts(base::Bytes) override { told += "rts "; }
    void server_last(base::Bytes) override { told += "last "; }
    std::size_t server_allowance(std::uint32_t room, std::uint32_t coming) override { return room + coming; }
    void server_rpc(const rpch::Framer::Piece&) override { told += "rpc "; }
    void server_delivered() override { told += "delivered "; }
    void server_flow() override { told += "flow "; }
    bool server_recycles() const override { return true; }
    bool server_admits(std::uint32_t) const override { return true; }
    void server_sent(std::uint32_t size) override { admitted += size; }
    void server_consumed(std::uint32_t size) override { consumed += size; }
    void server_ended(const std::string&) override { told += "ended "; }
    void server_relieved() override { told += "relieved "; }
};

} // namespace

TEST_GROUP_BASE(VirtualServer, PairingGroup)
{
    struct Host final : tunnel::VirtualServer::Host {
        int ended = 0;
        void virtual_server_ended(tunnel::VirtualServer&) override { ++ended; }
    };
    Host host;
    std::unique_ptr<tunnel::VirtualServer> end;
    Proxy in{tunnel::Side::in}, next{tunnel::Side::in}, out{tunnel::Side::out};
    Peer service;

    /// A virtual connection that stands.
    void setup() override
    {
        PairingGroup::setup();
        start();
        const directory::Route route{directory::Transport::ncacn_ip_tcp, "127.0.0.1", port, "EX1"};
        end = std::make_unique<tunnel::VirtualServer>(hub->environment(), role_test::cookie(vc),
                                                      hub->grants().share({{"alice", "ex1:6001"}, false, route}), host);
        end->attach(in);
        end->attach(out);
        service = accept();
        until([&] { return in.told == "reached " && out.told == "reached "; });
        end->introduce(in, role_test::conn_b2());
        end->introduce(out, role_test::conn_a2());
    }
    void teardown() override
    {
        end->end("the test is over");
        end.reset();
        PairingGroup::teardown();
    }
    void put(Proxy& proxy, const std::string& pdu)
    {
        CHECK_TRUE(end->received(proxy, static_cast<std::uint32_t>(pdu.size())));
        rpch::Framer framer;
        base::Bytes bytes{reinterpret_cast<const std::uint8_t*>(pdu.data()), pdu.size()};
        end->put_rpc(framer.next(bytes));
        end->flush();
    }
};

// What a predecessor has left behind is not counted for its successor, whose client would be told of room that is none.
TEST(VirtualServer, theRestOfAPredecessorIsNotItsSuccessors)
{
    std::uint32_t said = 0;
    for (; end->waiting() == 0; said += 12000)
        put(in, rpc_pdu(12000));
    end->introduce(next, role_test::make(RtsId::in_r1_a2, {vc, role_test::in, in_next}));
    end->receive_rts(in, role_test::make(RtsId::in_r1_a6, {in_next}));
    end->receive_rts(in, role_test::make(RtsId::in_r1_b1));
    CHECK(in.told.ends_with("relieved "));
    CHECK(in.consumed < said);
    put(next, rpc_pdu(700));
    until([&] {
        service.listen();
        return service.got.size() == said + 700;
    });
    LONGS_EQUAL(0, end->waiting());
    LONGS_EQUAL(700, next.consumed);
}
