#pragma once

// Included last: it brings CppUTest, whose macros redefine new.

#include "unit/net/ending_client.h"

#include <memory>
#include <optional>
#include <string>

#include "pairing_fixture.h"

using directory::Transport;

inline constexpr std::uint32_t narrow = 8192; ///< the window of one that takes nothing

/// PDUs of 4000 bytes; 20 of them are more than the window and the hop hold.
inline std::string many_pdus(std::size_t count)
{
    std::string all;
    for (std::size_t i = 0; i < count; ++i)
        all += rpc_pdu(4000, static_cast<std::uint8_t>(i));
    return all;
}

/// A hub whose clients come by TCP, with TLS or without, and can end in every way.
struct EndsGroup : PairingGroup {
    std::optional<net::TlsServerContext> context;

    /// What a state consists of; `client` is the one that ends.
    struct Scene {
        std::unique_ptr<EndingClient> client, predecessor;
        Peer mate, server;
        std::string said; // RPC PDUs that the server has still to get
    };

    void setup() override
    {
        PairingGroup::setup();
        context.emplace(server_context("proxy.test"));
    }
    void teardown() override
    {
        PairingGroup::teardown();
        context.reset();
    }

    /// A connection whose client is `scene.client`.
    net::Stream connect(Scene& scene, bool tls)
    {
        auto [theirs, ours] = socket_pair(true);
        scene.client = std::make_unique<EndingClient>(std::move(theirs), tls);
        if (!tls)
            return net::Stream(std::move(ours));
        auto session = context->accept(ours.get());
        net::Handshake step;
        for (int i = 0; i < 100 && !(scene.client->shake() && step.kind == net::Handshake::Kind::done); ++i)
            step = session->handshake();
        return net::Stream(std::move(ours), std::move(session));
    }
    /// The channel request of `scene.client`, which has said `words`, and perhaps has ended.
    void bring(Scene& scene, bool tls, Method method, Transport transport, const std::string& words,
               std::uint64_t length = 0, std::optional<Ending> end = {}, const char* host = "127.0.0.1")
    {
        arrive(method, transport, {}, [&](leg::Arrival& arrival) {
            arrival.stream = connect(scene, tls);
            if (length > 0)
                arrival.content_length = length;
            arrival.grant.route.host = host;
            scene.client->say(words);
            if (end)
                scene.client->end(*end);
        });
        settle_briefly();
    }
    static std::string first_pdu(Method method) { return method == Method::in_data ? b1() : a1(); }
    static std::string next_in(std::uint8_t to) { return rts(RtsId::in_r1_a1, {vc, role_test::in, to}); }

    /// `scene.client` has one half of a tunnel.
    void open(Scene& scene, bool tls, Method method)
    {
        bring(scene, tls, method, Transport::ncacn_ip_tcp, first_pdu(method));
        scene.server = accept();
        const Method other = method == Method::in_data ? Method::out_data : Method::in_data;
        scene.mate = arrive(other, Transport::ncacn_ip_tcp, first_pdu(other));
        until([&] {
            const tunnel::OutboundChannel* const channel = hub->find_outbound(role_test::cookie(vc));
            return channel && channel->opened();
        });
        settle();
        scene.mate.listen();
        scene.mate.got.clear();
    }
    bool soon(const std::function<bool()>& done)
    {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(3);
        while (!done()) {
            if (std::chrono::steady_clock::now() > end)
                return false;
            loop->run_once(net::Millis(2));
        }
        return true;
    }
    bool all_gone(Scene& scene)
    {
        return soon([&] {
            if (scene.server.fd)
                scene.server.listen();
            return hub->size() + pairing().virtual_servers() == 0 && (!scene.server.fd || scene.server.ended);
        });
    }
    void restart()
    {
        hub->close_all("the next row");
        hub.reset();
        loop->run_once(net::Millis(0));
        while (base::UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK)))
            ;
        hub = std::make_unique<tunnel::Hub>(leg::Environment{*loop, *lane, *resolver, database->judge, settings, nodes, sources});
    }
};
