#pragma once

// Included last: it brings CppUTest, whose macros redefine new.

#include "directory/port_list.h"
#include "directory/port_store.h"
#include "directory/servers.h"
#include "net/proxy_header.h"

#include "hub_fixture.h"

/// An RTS PDU of the table, as bytes: see role_test::make().
inline std::string rts(RtsId id, std::initializer_list<std::uint8_t> cookies = {},
                       rpch::Destination to = rpch::Destination::client)
{
    return text_of(rpch::encode(role_test::make(id, cookies, to)));
}

/// CONN/A2 of an OUT channel.
inline std::string a2(std::uint32_t window = 65536, std::uint32_t lifetime = 0x40000000, std::uint8_t v = vc)
{
    return text_of(rpch::RtsBuilder(RtsId::conn_a2).version().cookie(role_test::cookie(v)).cookie(role_test::cookie(role_test::out))
                       .channel_lifetime(lifetime).receive_window(window).done());
}

/// CONN/B2 of an IN channel.
inline std::string b2(std::uint8_t v = vc)
{
    return rts(RtsId::conn_b2, {v, role_test::in});
}

inline const std::string banner = "ncacn_http/1.0";
inline const std::string c1 = rts(RtsId::conn_c1), b3 = rts(RtsId::conn_b3);

/// The pairing side of a hub, and the proxies of other nodes at its door. There are the targets ex1:6001, which is
/// the service of the test, ex1:6002, which is an ncacn_http server, and ex1:6004, where nobody listens.
struct PairingGroup : HubGroup {
    net::Address node = *net::Address::parse("127.0.0.1:6010");
    std::vector<base::UniqueFd> backlog;

    void setup() override
    {
        HubGroup::setup();
        nodes = leg::Nodes({node}, 0);
        directory::Database open(directory.path, directory::Database::Mode::write);
        directory::Servers servers(open);
        servers.add({"EX1", "ex1.example.com", directory::Role::mailbox, "", "", true});
        for (const std::uint16_t number : {6001, 6002, 6004})
            servers.add_endpoint({"EX1", number,
                                  number == 6002 ? directory::Transport::ncacn_http : directory::Transport::ncacn_ip_tcp,
                                  "127.0.0.1", number == 6004 ? std::uint16_t{1} : port, false});
        directory::PortStore(open).add(directory::parse_port_list("ex1:6001-6004").entries.at(0), "test");
    }
    void teardown() override
    {
        backlog.clear();
        HubGroup::teardown();
    }
    pairing::Pairing& pairing() { return hub->pairing(); }
    /// The service accepts nothing more: its backlog is full, so that whoever connects has to wait.
    void fill_backlog()
    {
        ::listen(listener.get(), 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        for (int i = 0; i < 4; ++i) {
            backlog.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            ::connect(backlog.back().get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
        }
    }

    static std::string header(const std::string& target = "ex1:6001", const std::string& user = "alice")
    {
        net::ProxyHeader says;
        says.source = *net::Address::parse("192.0.2.7:50000");
        says.destination = *net::Address::parse("127.0.0.2:6010");
        says.authority = target;
        says.user = user;
        const std::vector<std::uint8_t> bytes = says.encode();
        return text_of(bytes);
    }
    /// A proxy's connection, with its first words; `target` is that of the port.
    Peer arrive_paired(const std::string& words, const std::string& target = {}, const net::Address& from = {})
    {
        int fds[2];
        ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);
        Peer peer;
        peer.fd.reset(fds[1]);
        if (!words.empty())
            peer.say(words);
        pairing().arrive(base::UniqueFd(fds[0]), from.port() == 0 ? node : from, target);
        return peer;
    }
    /// Another node brings a channel for ex1:6001 and alice; the banner has been read.
    Peer join(const std::string& first_pdu)
    {
        Peer peer = arrive_paired(header() + first_pdu);
        until_got(peer, banner.size());
        CHECK(peer.got.starts_with(banner));
        peer.got.erase(0, banner.size());
        return peer;
    }
    /// Waits until the peer has had exactly this since the last time.
    void expect(Peer& peer, const std::string& text)
    {
        until_got(peer, text.size());
        settle();
        peer.listen();
        LONGS_EQUAL(text.size(), peer.got.size());
        CHECK(peer.got == text);
        peer.got.clear();
    }
    bool open(Peer& peer)
    {
        settle();
        peer.listen();
        return !peer.ended;
    }
    bool nothing_left() { return pairing().size() + pairing().virtual_servers() + hub->size() == 0; }

    /// Both channels by TCP.
    Tunnel paired_tunnel(std::uint32_t window = 65536, std::uint32_t lifetime = 0x40000000)
    {
        Tunnel t;
        t.out = join(a2(window, lifetime));
        t.server = accept();
        t.in = join(b2());
        expect(t.out, c1);
        expect(t.in, b3);
        return t;
    }
    /// The IN channel in memory, the OUT channel by TCP.
    Tunnel local_in_tunnel(std::uint32_t window = 65536, std::uint32_t lifetime = 0x40000000)
    {
        Tunnel t;
        t.in = arrive(Method::in_data, directory::Transport::ncacn_ip_tcp, b1());
        t.server = accept();
        t.out = join(a2(window, lifetime));
        expect(t.out, text_of(rpch::encode(conn_c1(settings.receive_window))));
        return t;
    }
    /// The IN channel by TCP, the OUT channel in memory.
    Tunnel local_out_tunnel()
    {
        Tunnel t;
        t.out = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1());
        t.server = accept();
        t.in = join(b2());
        expect(t.in, b3);
        until([&] {
            t.out.listen();
            return t.out.got.ends_with(rts(RtsId::conn_c2));
        });
        t.out.got.clear();
        return t;
    }
    /// RPC PDUs pass, both ways.
    void expect_traffic(Tunnel& t)
    {
        t.in.say(rpc_pdu(72, 1) + rpc_pdu(30, 2));
        expect(t.server, rpc_pdu(72, 1) + rpc_pdu(30, 2));
        t.server.say(rpc_pdu(500, 3) + rpc_pdu(24, 4));
        expect(t.out, rpc_pdu(500, 3) + rpc_pdu(24, 4));
    }
    /// The service answers until `last_words` of the server come on the OUT channel, which is due for its replacement;
    /// whoever is to acknowledges. `received`: bytes of the same leg before. How many there were in the end.
    std::uint32_t use_up_lifetime(Tunnel& t, const std::string& last_words, const std::function<void(std::uint32_t)>& acknowledge,
                                  std::uint32_t received = 0)
    {
        const std::string pdu = rpc_pdu(15000);
        for (bool over = false; !over;) {
            t.server.say(pdu);
            until_got(t.out, pdu.size());
            settle_briefly();
            t.out.listen();
            CHECK(t.out.got.starts_with(pdu));
            t.out.got.erase(0, pdu.size());
            received += static_cast<std::uint32_t>(pdu.size());
            over = !t.out.got.empty();
            acknowledge(received);
        }
        expect(t.out, last_words);
        return received;
    }
    void settle_briefly()
    {
        for (int i = 0; i < 4; ++i)
            loop->run_once(net::Millis(0));
    }
};
