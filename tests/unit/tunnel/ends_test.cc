#include "unit/base/log_capture.h"

#include "ends_fixture.h"

// Every state of a channel, and every way in which its client can end in it.

namespace {

std::string next_out(std::uint8_t to) { return rts(RtsId::out_r1_a3, {vc, role_test::out, to}); }

/// The whole RPC PDUs among these bytes.
std::string rpc_of(std::string_view pdus)
{
    std::string rpc;
    while (pdus.size() >= rpch::framing_size) {
        const auto* const data = reinterpret_cast<const std::uint8_t*>(pdus.data());
        const std::size_t size = rpch::frag_length(std::span<const std::uint8_t, 10>(data, 10));
        if (pdus.size() < size)
            break;
        if (data[2] != static_cast<std::uint8_t>(rpch::PacketType::rts))
            rpc += pdus.substr(0, size);
        pdus.remove_prefix(size);
    }
    return rpc;
}

} // namespace

TEST_GROUP_BASE(Ends, EndsGroup)
{
    /// What is to come of the end.
    enum class Then {
        gone,        ///< nothing is left of the virtual connection, nor of the connection to the server
        rest_first,  ///< as gone, but not before the server has taken what had been said; with a reset at once
        drains,      ///< as rest_first, whatever the end
        leg_lost,    ///< the tunnel goes on without this request
    };

    /// An IN channel whose server has opened a narrow window.
    void narrow_in(Scene& scene, bool tls, std::uint64_t length = 0)
    {
        bring(scene, tls, Method::in_data, Transport::ncacn_http, b1(), length);
        scene.server = accept();
        until_got(scene.server, 128);
        scene.server.say(text_of(rpch::encode(conn_b3(narrow))));
        settle();
        scene.server.got.clear();
    }
    void say_rpc(Scene& scene, std::size_t pdus, const std::string& behind = {})
    {
        scene.said = many_pdus(pdus);
        for (std::size_t i = 0; i < pdus; ++i) {
            scene.client->say(std::string_view(scene.said).substr(i * 4000, 4000));
            settle_briefly();
        }
        scene.client->say(behind);
        settle();
    }
    /// The server takes what was said for it, piece by piece, and acknowledges.
    bool server_takes_all(Scene& scene)
    {
        std::size_t acknowledged = 0;
        return soon([&] {
            scene.server.listen();
            const std::string rpc = rpc_of(scene.server.got);
            if (rpc.size() > acknowledged) {
                acknowledged = rpc.size();
                scene.server.push(text_of(rpch::encode(ack(static_cast<std::uint32_t>(acknowledged), narrow, role_test::in))));
            }
            return rpc == scene.said;
        });
    }

    struct State {
        const char* name;
        std::function<void(Scene&, bool tls)> reach;
        Then then;
    };
    void check(const State& state)
    {
        for (const bool tls : {false, true})
            for (const Ending end : all_ends) {
                if (!tls && end > Ending::reset)
                    continue;
                const std::string text = std::string(state.name) + (tls ? ", TLS, " : ", plain, ") + name_of(end);
                base::log::set_level(base::log::Level::info);
                const LogCapture log;
                Scene scene;
                state.reach(scene, tls);
                scene.client->end(end);
                const Then then = state.then == Then::rest_first && end == Ending::reset ? Then::gone : state.then;
                switch (then) {
                case Then::gone: CHECK_TRUE_TEXT(all_gone(scene), text.c_str()); break;
                case Then::rest_first:
                case Then::drains:
                    settle();
                    CHECK_TRUE_TEXT(hub->size() > 0, text.c_str());
                    CHECK_TRUE_TEXT(server_takes_all(scene), text.c_str());
                    CHECK_TRUE_TEXT(all_gone(scene), text.c_str());
                    break;
                case Then::leg_lost:
                    CHECK_TRUE_TEXT(soon([&] { return log.count(" leg-lost ") == 1; }), text.c_str());
                    CHECK_TRUE_TEXT(hub->size() > 0, text.c_str());
                    scene.server.listen();
                    scene.server.got.clear();
                    if (scene.predecessor) {
                        scene.predecessor->say(rpc_pdu(60));
                        until_got(scene.server, 60);
                    } else {
                        scene.mate.listen();
                        scene.mate.got.clear();
                        scene.server.say(rpc_pdu(60));
                        until_got(scene.mate, 60);
                    }
                    break;
                }
                base::log::set_level(base::log::Level::error);
                restart();
            }
    }
};

TEST(Ends, beforeTheTunnelIsOpen)
{
    start();
    for (const Method method : {Method::in_data, Method::out_data}) {
        const std::string first = first_pdu(method);
        for (const Transport transport : {Transport::ncacn_ip_tcp, Transport::ncacn_http}) {
            check({"before the first PDU", [&](Scene& s, bool tls) { bring(s, tls, method, transport, ""); }, Then::gone});
            check({"after a byte", [&](Scene& s, bool tls) { bring(s, tls, method, transport, first.substr(0, 1)); }, Then::gone});
            check({"half of the first PDU",
                   [&](Scene& s, bool tls) { bring(s, tls, method, transport, first.substr(0, 40)); }, Then::gone});
            check({"before the other half comes",
                   [&](Scene& s, bool tls) {
                       bring(s, tls, method, transport, first);
                       s.server = accept();
                       settle();
                   },
                   Then::gone});
        }
    }
    fill_backlog();
    for (const Method method : {Method::in_data, Method::out_data})
        for (const Transport transport : {Transport::ncacn_ip_tcp, Transport::ncacn_http})
            check({"while the server is being connected",
                   [&](Scene& s, bool tls) { bring(s, tls, method, transport, first_pdu(method)); }, Then::gone});
}

TEST(Ends, ofAnOpenTunnel)
{
    start();
    for (const Method method : {Method::in_data, Method::out_data})
        check({method == Method::in_data ? "IN, opened" : "OUT, opened",
               [&](Scene& s, bool tls) { open(s, tls, method); }, Then::gone});
    check({"IN, half of a header",
           [&](Scene& s, bool tls) {
               open(s, tls, Method::in_data);
               s.client->say(rpc_pdu(100).substr(0, 7));
               settle();
           },
           Then::gone});
    check({"IN, half of a PDU",
           [&](Scene& s, bool tls) {
               open(s, tls, Method::in_data);
               s.client->say(rpc_pdu(100).substr(0, 50));
               settle();
           },
           Then::gone});
    check({"OUT, the client takes nothing",
           [&](Scene& s, bool tls) {
               open(s, tls, Method::out_data);
               for (int i = 0; i < 10; ++i) {
                   s.server.say(many_pdus(5));
                   settle_briefly();
               }
               settle();
           },
           Then::gone});
}

// What had been said before still goes to a server that takes it, whether it was read already or not.
TEST(Ends, ofAnInChannelWhoseServerTakesNothing)
{
    start();
    const auto said = [&](std::size_t pdus, std::uint64_t length = 0) {
        return [this, pdus, length](Scene& s, bool tls) {
            narrow_in(s, tls, length);
            say_rpc(s, pdus);
        };
    };
    check({"a little waits, all is read", said(5), Then::rest_first});
    check({"nothing may be read", said(25), Then::rest_first});
    check({"a little waits, and the Content-Length is used up", said(5, 104 + 5 * 4000), Then::rest_first});
    check({"nothing may be read, and the Content-Length is used up", said(25, 104 + 25 * 4000), Then::rest_first});
}

TEST(Ends, ofAChannelThatGoesOnElsewhere)
{
    start();
    check({"IN, behind A5",
           [&](Scene& s, bool tls) {
               narrow_in(s, tls);
               say_rpc(s, 5, rts(RtsId::in_r1_a5, {in_next}));
           },
           Then::drains});
    check({"OUT, behind A9",
           [&](Scene& s, bool tls) {
               bring(s, tls, Method::out_data, Transport::ncacn_http, a1(vc, narrow));
               s.server = accept();
               until_got(s.server, 84);
               s.server.say(text_of(rpch::encode(conn_c1())) + many_pdus(5));
               settle();
               s.server.say(rts(RtsId::out_r1_a1) + rts(RtsId::out_r1_a5) + rts(RtsId::out_r1_a9));
               settle();
               LONGS_EQUAL(1, hub->size());
           },
           Then::gone});
}

TEST(Ends, ofASuccessorThatWaits)
{
    start();
    check({"IN",
           [&](Scene& s, bool tls) {
               open(s, false, Method::in_data);
               s.server.say(rpc_pdu(40)); // before the first answer no RTS PDU follows C2
               settle();
               s.predecessor = std::move(s.client);
               bring(s, tls, Method::in_data, Transport::ncacn_ip_tcp, next_in(in_next));
           },
           Then::leg_lost});
    check({"OUT",
           [&](Scene& s, bool tls) {
               s.mate = arrive(Method::out_data, Transport::ncacn_http, a1());
               s.server = accept();
               until_got(s.server, 84);
               s.server.say(text_of(rpch::encode(conn_c1())) + rpc_pdu(60) + rts(RtsId::out_r1_a1));
               settle();
               bring(s, tls, Method::out_data, Transport::ncacn_http, next_out(out_next), 120);
               until_got(s.server, 84 + 40);
           },
           Then::leg_lost});
}

// What it sends before its turn is kept, and so is its end.
TEST(Ends, aSuccessorsLastWordsWaitForItsTurn)
{
    start();
    for (const bool tls : {false, true}) {
        Scene s;
        open(s, false, Method::in_data);
        s.server.say(rpc_pdu(40));
        settle();
        s.predecessor = std::move(s.client);
        bring(s, tls, Method::in_data, Transport::ncacn_ip_tcp, next_in(in_next));
        s.client->say(rpc_pdu(50));
        s.client->end(tls ? Ending::notify_and_fin : Ending::fin);
        settle();
        LONGS_EQUAL(2, hub->size());
        s.predecessor->say(rpc_pdu(60) + rts(RtsId::in_r1_a5, {in_next}));
        until_ended(s.server);
        CHECK(s.server.got == rpc_pdu(60) + rpc_pdu(50));
        CHECK_TRUE(all_gone(s));
        restart();
    }
}
