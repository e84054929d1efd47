#include "pairing_fixture.h"

// Channels come to any shard, and meet.

namespace {

struct ShardsGroup : PairingGroup {
    /// A shard beside that of the fixture. It takes its turn after each round of that one's loop.
    struct Shard {
        explicit Shard(ShardsGroup& group)
            : hub(std::make_unique<tunnel::Hub>(leg::Environment{loop, *group.lane, *group.resolver, group.database->judge, group.settings,
                                                                    group.nodes, group.sources}))
        {
        }
        net::Loop loop;
        std::unique_ptr<tunnel::Hub> hub;
    };
    static constexpr std::size_t others = 2;
    std::vector<std::unique_ptr<Shard>> shards;
    std::unique_ptr<net::Task> turn;

    void start_all()
    {
        start();
        std::vector<tunnel::Hub*> all{hub.get()};
        for (std::size_t i = 0; i < others; ++i)
            all.push_back(shards.emplace_back(std::make_unique<Shard>(*this))->hub.get());
        for (tunnel::Hub* const one : all)
            one->join(all);
        turn = std::make_unique<net::Task>(*loop, net::Task::Callback::of<&ShardsGroup::on_turn>(this));
        turn->schedule();
    }
    void on_turn()
    {
        for (const auto& shard : shards)
            shard->loop.run_once(net::Millis(0));
        turn->schedule();
    }
    void teardown() override
    {
        turn.reset();
        for (const auto& shard : shards) {
            shard->hub->close_all("the test is over");
            shard->loop.run_once(net::Millis(0));
        }
        PairingGroup::teardown();
        shards.clear();
    }
    /// What `come` brings comes to this shard.
    Peer at(std::size_t shard, const std::function<Peer()>& come)
    {
        if (shard > 0)
            std::swap(hub, shards[shard - 1]->hub);
        Peer peer = come();
        if (shard > 0)
            std::swap(hub, shards[shard - 1]->hub);
        return peer;
    }
    /// Of each shard.
    std::vector<std::size_t> numbers(const std::function<std::size_t(tunnel::Hub&)>& number)
    {
        std::vector<std::size_t> all{number(*hub)};
        for (const auto& shard : shards)
            all.push_back(number(*shard->hub));
        return all;
    }
    /// The only shard that has `size` of them.
    std::size_t only(const std::vector<std::size_t>& of_all, std::size_t size)
    {
        LONGS_EQUAL(others, std::count(of_all.begin(), of_all.end(), 0u));
        const auto found = std::find(of_all.begin(), of_all.end(), size);
        CHECK(found != of_all.end());
        return static_cast<std::size_t>(found - of_all.begin());
    }
    /// Sixteen virtual connections do not all have the same home.
    void expect_spread(const std::vector<std::size_t>& homes)
    {
        CHECK(std::any_of(homes.begin(), homes.end(), [&](std::size_t home) { return home != homes[0]; }));
    }
};

} // namespace

TEST_GROUP_BASE(HubShards, ShardsGroup) {};

// Whichever shards the two channels come to, and whether from clients or from proxies, one of them has both, and one
// connection to the service. Which one depends on the cookie.
TEST(HubShards, theChannelsOfAVirtualConnectionMeet)
{
    start_all();
    for (const bool in_paired : {false, true}) {
        for (const bool out_paired : {false, true}) {
            std::vector<std::size_t> homes;
            for (std::uint8_t v = 1; v <= 16; ++v) {
                const auto in = [&] {
                    return in_paired ? arrive_paired(header() + b2(v))
                                     : arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1(v));
                };
                const auto out = [&] {
                    return out_paired ? arrive_paired(header() + a2(65536, 0x40000000, v))
                                      : arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1(v));
                };
                Tunnel t;
                t.in = at(v % 3, in);
                t.server = accept();
                t.out = at(v / 3 % 3, out);
                until_got(t.out, out_paired ? banner.size() + 44 : established);
                t.out.got.clear();
                CHECK_TRUE(nobody_connects());
                homes.push_back(only(numbers([](tunnel::Hub& one) { return one.pairing().virtual_servers(); }), 1));
                const std::size_t local = (in_paired ? 0u : 1u) + (out_paired ? 0u : 1u);
                if (local > 0)
                    LONGS_EQUAL(homes.back(), only(numbers([](tunnel::Hub& one) { return one.size(); }), local));
                expect_traffic(t);
                t.in.fd.reset();
                until_ended(t.out);
                until_ended(t.server);
            }
            expect_spread(homes);
        }
    }
}

// A successor finds its predecessor, wherever it comes in.
TEST(HubShards, aSuccessorFindsItsChannel)
{
    start_all();
    for (std::uint8_t v = 1; v <= 8; ++v) {
        Tunnel t;
        t.in = at(v % 3, [&] { return arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1(v)); });
        t.server = accept();
        t.out = at(v / 3, [&] { return arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1(v)); });
        until_got(t.out, established);
        t.out.got.clear();
        t.server.say(rpc_pdu(40)); // before the first answer nothing else may follow C2
        expect(t.out, rpc_pdu(40));
        Peer next = at((v + 1) % 3, [&] {
            return arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, rts(RtsId::in_r1_a1, {v, role_test::in, in_next}));
        });
        expect(t.out, rts(RtsId::in_r2_a3));
        t.in.say(rts(RtsId::in_r2_a5, {in_next}));
        until_ended(t.in);
        t.in = std::move(next);
        expect_traffic(t);
        only(numbers([](tunnel::Hub& one) { return one.size(); }), 2);
        t.in.fd.reset();
        until_ended(t.out);
    }
}
