#include "unit/base/log_capture.h"

#include <optional>

#include "unit/tunnel/pairing_fixture.h"

TEST_GROUP_BASE(PairingRefusal, PairingGroup)
{
    std::optional<LogCapture> log;

    void setup() override
    {
        PairingGroup::setup();
        base::log::set_level(base::log::Level::notice);
        log.emplace();
    }
    void teardown() override
    {
        base::log::set_level(base::log::Level::error);
        log.reset();
        PairingGroup::teardown();
    }
    /// It goes alone, with the banner at most, and the log says why.
    void expect_refused(Peer peer, const std::string& reason)
    {
        until_ended(peer);
        CHECK(peer.got.empty() || peer.got == banner);
        const std::string text = log->text();
        CHECK_TEXT(text.find("reason=\"" + reason) != std::string::npos, (reason + "\n" + text).c_str());
        log.reset();
        log.emplace();
    }
};

TEST(PairingRefusal, firstWordsThatAreNone)
{
    start();
    const std::string rts_of_15("\x05\x00\x14\x03\x10\x00\x00\x00\x0f\x00\x00\x00\x00\x00\x00\x00", 16);
    const struct {
        std::string words;
        const char* reason;
    } rows[] = {
        {a2(), "the node sent no PROXY header, so it names no target"},
        {header().substr(0, 13) + std::string(40, 'x'), "malformed PROXY header"},
        {header() + rpc_pdu(40), "the first PDU is no RTS PDU"},
        {header() + "GET / HTTP/1.1\r\n", "the first PDU is no RTS PDU"},
        {header() + rts_of_15, "the first PDU has an illegal length"},
        {header() + rts(RtsId::ping), "the first PDU names no virtual connection"},
        {header() + a2(65536, 0x40000000, 0), "the first PDU names no virtual connection"},
        {header() + a1(), "the first PDU does not begin a virtual connection, and none has this cookie"},
        {header() + b1(), "the first PDU does not begin a virtual connection, and none has this cookie"},
        {header() + rts(RtsId::in_r1_a2, {vc, role_test::in, in_next}),
         "the first PDU does not begin a virtual connection, and none has this cookie"},
        {header() + rts(RtsId::out_r1_a4, {vc, role_test::out, out_next}),
         "the first PDU does not begin a virtual connection, and none has this cookie"},
    };
    for (const auto& row : rows) {
        expect_refused(arrive_paired(row.words), row.reason);
        LONGS_EQUAL(0, pairing().virtual_servers());
    }
    CHECK_TRUE(nobody_connects());
    until([&] { return nothing_left(); });
}

TEST(PairingRefusal, whomTheDirectoryDoesNotAllow)
{
    start();
    static constexpr char other_kind[] = "only services of the transport ncacn_ip_tcp are paired here, and the target is at ncacn_http";
    const struct {
        const char* target;
        const char* reason;
    } rows[] = {
        {"ex2:6001", "default (deny): "},
        {"", "syntax: "},
        {"ex1", "syntax: "},
        {"ex1:6002", other_kind},
        {"ex1:6003", other_kind}, // of the default transport
    };
    for (const auto& row : rows)
        expect_refused(arrive_paired(header(row.target) + a2()), row.reason);
    CHECK_TRUE(nobody_connects());
    until([&] { return nothing_left(); });
}

TEST(PairingRefusal, onlyNodesAreBelieved)
{
    start();
    expect_refused(arrive_paired(header() + a2(), "", *net::Address::parse("127.0.0.2:6010")),
                   "the peer is none of pairing_nodes");
    until([&] { return nothing_left(); });
}

// What the first channel has said about user and target binds the others, whichever way they come.
TEST(PairingRefusal, anotherParty)
{
    start();
    static constexpr char reason[] = "the virtual connection belongs to another user or has another target";
    Tunnel t = paired_tunnel();
    for (const std::string& says : {header("ex1:6001", "mallory"), header("ex1:6001", ""), header("ex1:6002"), header("EX1:6001")}) {
        expect_refused(arrive_paired(says + rts(RtsId::in_r1_a2, {vc, role_test::in, in_next})), reason);
        expect_refused(arrive_paired(says + a2()), reason);
    }
    expect_refused(arrive_paired(a2(), "ex1:6001"), reason);
    Peer half = join(b2(0x11));
    const Peer service = accept();
    for (const auto change : {+[](leg::Arrival& arrival) { arrival.grant.party.principal = "mallory"; },
                              +[](leg::Arrival& arrival) { arrival.grant.party.target = "ex2:6001"; }}) {
        Peer client = arrive(Method::out_data, directory::Transport::ncacn_ip_tcp, a1(0x11), change);
        until_ended(client);
        CHECK(client.got.starts_with("HTTP/1.0 503 "));
        CHECK_TRUE(open(half));
    }
    until([&] { return pairing().size() == 3; });
    expect_traffic(t);
}

TEST(PairingRefusal, aFirstPduThatIsNotLegalNowCostsTheNewcomerAlone)
{
    start();
    Tunnel t = paired_tunnel();
    const std::string rows[] = {
        a2(), b2(), a1(), b1(),
        rts(RtsId::in_r1_a2, {vc, 0x77, in_next}),              // another predecessor
        rts(RtsId::in_r1_a2, {vc, role_test::in, 0}),           // no successor
        rts(RtsId::in_r1_a2, {vc, role_test::in, role_test::in}),
        rts(RtsId::out_r1_a4, {vc, role_test::out, out_next}),  // not asked for
    };
    for (const std::string& first_pdu : rows) {
        Peer peer = join(first_pdu);
        until_ended(peer);
        CHECK_TRUE(peer.got.empty());
        until([&] { return pairing().size() == 2; });
    }
    CHECK_TRUE(nobody_connects());
    expect_traffic(t);
}

TEST(PairingRefusal, pairedLimit)
{
    settings.paired_limit = 3;
    start();
    Tunnel t = paired_tunnel();
    Peer third = arrive_paired("");
    expect(third, banner);
    Peer fourth = arrive_paired(header() + a2());
    until_ended(fourth);
    CHECK_TRUE(fourth.got.empty());
    LONGS_EQUAL(1, log->count("connection_limit is reached"));
    third.fd.reset();
    until([&] { return pairing().size() == 2; });
    Peer next = arrive_paired("");
    expect(next, banner);
    expect_traffic(t);
}

TEST(PairingRefusal, aSilentProxyWaitsABoundedTime)
{
    settings.setup_timeout = 100;
    start();
    for (const std::string& words : {std::string(), header(), header() + a2().substr(0, 83)})
        expect_refused(arrive_paired(words), "no first PDU within the time limit");
    until([&] { return nothing_left(); });
}
