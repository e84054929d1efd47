#include "ending_client.h"
#include "net/loop.h"
#include "test_streams.h"

#include <gnutls/crypto.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include <stdexcept>
#include <tuple>

#include <CppUTest/TestHarness.h>

using net::Handshake;
using net::IoResult;
using net::TlsClientContext;
using net::TlsClientOptions;
using net::TlsServerContext;

namespace {

constexpr const char* tls12 = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
constexpr const char* tls13 = "NORMAL:-VERS-ALL:+VERS-TLS1.3";

// Made once: keys cost time.
struct Material {
    TestCertificate mail{{"mail.test", "127.0.0.1"}};
    TestCertificate other{{"other.test"}};
    TestFile mail_pem{mail.certificate}, mail_key{mail.key}, other_pem{other.certificate}, other_key{other.key};
};

std::string reason_of(const std::vector<TlsServerContext::Pair>& pairs)
{
    try {
        const TlsServerContext context(pairs);
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return {};
}

/// Counts the records in raw TLS bytes.
int records(const std::vector<std::uint8_t>& raw)
{
    int count = 0;
    for (std::size_t at = 0; at + 5 <= raw.size(); at += 5u + (raw[at + 3] << 8 | raw[at + 4]))
        ++count;
    return count;
}

} // namespace

TEST_GROUP(Tls) {
    Material* material = nullptr;
    TlsServerContext* server = nullptr;
    TlsClientContext* client = nullptr;

    void setup() override
    {
        material = new Material;
        server = new TlsServerContext({{material->mail_pem.path(), material->mail_key.path()},
                                       {material->other_pem.path(), material->other_key.path()}});
        client = new TlsClientContext(options());
    }
    void teardown() override
    {
        delete client;
        delete server;
        delete material;
    }
    TlsClientOptions options(const std::string& priority = {}) const
    {
        return {true, material->mail_pem.path(), priority};
    }
};

TEST(Tls, clientsCertificateAndKeyBelongTogether)
{
    net::TlsClientOptions good = options();
    good.certificate = material->mail_pem.path();
    good.key = material->mail_key.path();
    TlsClientContext context(good);
    for (const auto& [key, reason] : {std::pair{material->other_key.path(), ": the key does not belong to the certificate "},
                                      {std::string("/nonexistent"), ": No such file or directory"}}) {
        net::TlsClientOptions bad = good;
        bad.key = key;
        std::string said;
        try {
            TlsClientContext refused(bad);
        } catch (const std::exception& e) {
            said = e.what();
        }
        STRCMP_CONTAINS((key + reason).c_str(), said.c_str());
    }
}

TEST(Tls, loadErrorsNameFileAndReason)
{
    const std::string pem = material->mail_pem.path(), key = material->mail_key.path();
    const TestFile garbage("not PEM at all\n"), empty("");
    STRCMP_EQUAL("/nonexistent/cert.pem: No such file or directory",
                 reason_of({{"/nonexistent/cert.pem", key}}).c_str());
    STRCMP_EQUAL("/nonexistent/key.pem: No such file or directory", reason_of({{pem, "/nonexistent/key.pem"}}).c_str());
    STRCMP_EQUAL("/tmp: Is a directory", reason_of({{"/tmp", key}}).c_str());
    STRCMP_CONTAINS((garbage.path() + ": not a PEM certificate").c_str(), reason_of({{garbage.path(), key}}).c_str());
    STRCMP_CONTAINS((empty.path() + ": not a PEM certificate").c_str(), reason_of({{empty.path(), key}}).c_str());
    STRCMP_CONTAINS((garbage.path() + ": not a PEM private key").c_str(), reason_of({{pem, garbage.path()}}).c_str());
    STRCMP_EQUAL((material->other_key.path() + ": the key does not belong to the certificate " + pem).c_str(),
                 reason_of({{pem, material->other_key.path()}}).c_str());
    STRCMP_EQUAL("", reason_of({{pem, key}}).c_str());
    CHECK_FALSE(reason_of({}).empty());
}

TEST(Tls, badClientOptionsThrow)
{
    CHECK_THROWS(std::runtime_error, TlsClientContext({true, "/nonexistent/ca.pem", ""}));
    CHECK_THROWS(std::runtime_error, TlsClientContext({true, "", "NO-SUCH-PRIORITY"}));
}

TEST(Tls, bothVersionsAndTheCertificateBySni)
{
    const struct {
        const char* priority;
        const char* version;
        const char* host;
        const char* subject;
    } rows[] = {
        {tls13, "TLS1.3 ", "mail.test", "CN=mail.test"},
        {tls12, "TLS1.2 ", "mail.test", "CN=mail.test"},
        {tls13, "TLS1.3 ", "other.test", "CN=other.test"},
        {tls12, "TLS1.2 ", "other.test", "CN=other.test"},
        {tls13, "TLS1.3 ", "unknown.test", "CN=mail.test"},
        {tls13, "TLS1.3 ", "127.0.0.1", "CN=mail.test"},
    };
    for (const auto& row : rows) {
        const TlsClientContext context({false, "", row.priority});
        TlsEnds ends(*server, context, row.host);
        CHECK_TRUE(ends.shake());
        STRCMP_CONTAINS(row.version, ends.server->describe().c_str());
        STRCMP_EQUAL(ends.client->describe().c_str(), ends.server->describe().c_str());
        STRCMP_EQUAL(row.subject, ends.client->peer()->subject.c_str());
        const bool numeric = std::string(row.host) == "127.0.0.1";
        STRCMP_EQUAL(numeric ? "" : row.host, ends.server->server_name().c_str());
    }
}

TEST(Tls, oldVersionsAreRefused)
{
    const TlsClientContext old({false, "", "NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT"});
    TlsEnds ends(*server, old, "mail.test");
    CHECK_FALSE(ends.shake());
    CHECK_TRUE(ends.server_result.kind == Handshake::Kind::failed);
    CHECK_FALSE(ends.server_result.reason.empty());
}

// Nothing of a ClientHello, half of it or all of it, and the end in the same segment.
TEST(Tls, theEndOfAHandshakeIsSeen)
{
    for (const std::size_t percent : {0, 1, 50, 99, 100})
        for (const Ending end : plain_ends) {
            auto [theirs, ours] = socket_pair(true);
            EndingClient peer(std::move(theirs), true);
            const auto session = server->accept(ours.get());
            peer.shake(percent);
            peer.end(end);
            const Handshake result = session->handshake();
            CHECK_TRUE_TEXT(result.kind == Handshake::Kind::failed, name_of(end));
        }
}

TEST(Tls, verification)
{
    const struct {
        bool verify;
        const char* host;
        bool trusted, succeeds;
        const char* error;
    } rows[] = {
        {true, "mail.test", true, true, nullptr},
        {true, "MAIL.test.", true, true, nullptr},
        {true, "127.0.0.1", true, true, nullptr},
        {true, "unknown.test", true, false, "does not match"},
        {true, "127.0.0.2", true, false, "does not match"},
        {true, "mail.test", false, false, "NOT trusted"},
        {false, "mail.test", false, true, "NOT trusted"},
        {false, "unknown.test", true, true, "does not match"},
    };
    for (const auto& row : rows) {
        const TlsClientContext context(
            {row.verify, row.trusted ? material->mail_pem.path() : material->other_pem.path(), ""});
        TlsEnds ends(*server, context, row.host);
        const bool done = ends.shake();
        CHECK_EQUAL_TEXT(row.succeeds, done, row.host);
        if (row.error)
            STRCMP_CONTAINS(row.error, ends.client->verification_error().c_str());
        else
            STRCMP_EQUAL("", ends.client->verification_error().c_str());
        if (!row.succeeds)
            STRCMP_CONTAINS(row.error, ends.client_result.reason.c_str());
        CHECK_TRUE(ends.client->peer().has_value());
    }
}

TEST(Tls, peerNames)
{
    TlsEnds ends(*server, *client, "mail.test");
    CHECK_TRUE(ends.shake());
    const auto peer = ends.client->peer();
    LONGS_EQUAL(2, peer->names.size());
    STRCMP_EQUAL("mail.test", peer->names[0].c_str());
    STRCMP_EQUAL("127.0.0.1", peer->names[1].c_str());
    STRCMP_EQUAL("CN=mail.test", peer->issuer.c_str());
    LONGS_EQUAL(7200, peer->not_after - peer->not_before);
}

TEST(Tls, endPointBindingIsTheHashOfTheCertificate)
{
    unsigned char hash[32];
    gnutls_hash_fast(GNUTLS_DIG_SHA256, material->mail.der.data(), material->mail.der.size(), hash);
    for (const char* priority : {tls12, tls13}) {
        const TlsClientContext context(options(priority));
        TlsEnds ends(*server, context, "mail.test");
        STRCMP_EQUAL("", ends.server->end_point_binding().c_str());
        CHECK_TRUE(ends.shake());
        const std::string near = ends.server->end_point_binding(), far = ends.client->end_point_binding();
        LONGS_EQUAL(32, near.size());
        MEMCMP_EQUAL(hash, near.data(), 32);
        CHECK_TRUE(near == far);
    }
}

TEST(Tls, noTicketIsEverSent)
{
    for (const char* priority : {tls12, tls13}) {
        const auto [client_fd, server_fd] = socket_pair();
        const RawClient asking(client_fd.get(), priority); // unlike our own client, it wants tickets
        const auto session = server->accept(server_fd.get());
        Handshake result;
        for (int i = 0; i < 100 && gnutls_handshake(asking.session) < 0; ++i)
            result = session->handshake();
        CHECK_TRUE(session->handshake().kind == Handshake::Kind::done);
        CHECK_FALSE(gnutls_session_get_flags(asking.session) & GNUTLS_SFLAGS_SESSION_TICKET);
        // The first write brings one record and nothing in front of it.
        LONGS_EQUAL(4, session->write(bytes_of("data")).size);
        std::vector<std::uint8_t> raw(65536);
        const ssize_t got = recv(client_fd.get(), raw.data(), raw.size(), MSG_DONTWAIT);
        CHECK_TRUE(got > 0);
        raw.resize(static_cast<std::size_t>(got));
        LONGS_EQUAL(1, records(raw));
    }
}

TEST(Tls, stalledClientCostsNothing)
{
    net::Loop loop;
    auto [client_fd, server_fd] = socket_pair();
    const auto session = server->accept(server_fd.get());
    struct Owner {
        net::TlsSession& session;
        int events = 0;
        Handshake result{};
        void on_event(std::uint32_t)
        {
            ++events;
            result = session.handshake();
        }
    } owner{*session};
    net::Watch watch(loop, net::Watch::Callback::of<&Owner::on_event>(&owner));
    CHECK_TRUE(watch.add(server_fd.get()));
    LONGS_EQUAL(1, write(client_fd.get(), "\x16", 1));
    rusage before, after;
    getrusage(RUSAGE_THREAD, &before);
    for (int i = 0; i < 5; ++i)
        loop.run_once(net::Millis(20));
    getrusage(RUSAGE_THREAD, &after);
    CHECK_TRUE(owner.events >= 1 && owner.events <= 2);
    CHECK_TRUE(owner.result.kind == Handshake::Kind::again);
    CHECK_FALSE(owner.result.wants_write);
    CHECK_TRUE(after.ru_utime.tv_sec * 1'000'000 + after.ru_utime.tv_usec
                   - before.ru_utime.tv_sec * 1'000'000 - before.ru_utime.tv_usec < 20'000);
    client_fd.reset();
    loop.run_once(net::Millis(1000));
    CHECK_TRUE(owner.result.kind == Handshake::Kind::failed);
    STRCMP_EQUAL("the peer closed the connection", owner.result.reason.c_str());
    CHECK_TRUE(session->handshake().kind == Handshake::Kind::failed);
}

TEST(Tls, plainHttpOnATlsPortFailsWithAReason)
{
    auto [client_fd, server_fd] = socket_pair();
    const auto session = server->accept(server_fd.get());
    const std::string request = "GET / HTTP/1.1\r\nHost: mail.test\r\n\r\n";
    LONGS_EQUAL(request.size(), write(client_fd.get(), request.data(), request.size()));
    const Handshake result = session->handshake();
    CHECK_TRUE(result.kind == Handshake::Kind::failed);
    CHECK_FALSE(result.reason.empty());
}

TEST(Tls, handshakeArrivingByteByByte)
{
    for (const char* priority : {tls12, tls13}) {
        const TlsClientContext context(options(priority));
        auto [client_fd, client_wire] = socket_pair();
        auto [server_fd, server_wire] = socket_pair();
        const auto near = context.connect(client_fd.get(), "mail.test");
        const auto far = server->accept(server_fd.get());
        Handshake a, b;
        char c;
        for (int i = 0; i < 100'000; ++i) {
            if (a.kind == Handshake::Kind::again)
                a = near->handshake();
            if (recv(client_wire.get(), &c, 1, MSG_DONTWAIT) == 1)
                LONGS_EQUAL(1, send(server_wire.get(), &c, 1, 0));
            if (b.kind == Handshake::Kind::again)
                b = far->handshake();
            if (recv(server_wire.get(), &c, 1, MSG_DONTWAIT) == 1)
                LONGS_EQUAL(1, send(client_wire.get(), &c, 1, 0));
            if (a.kind != Handshake::Kind::again && b.kind != Handshake::Kind::again)
                break;
        }
        CHECK_TRUE(a.kind == Handshake::Kind::done);
        CHECK_TRUE(b.kind == Handshake::Kind::done);
    }
}

TEST(Tls, sessionOutlivesItsContext)
{
    auto temporary = std::make_unique<TlsServerContext>(
        std::vector<TlsServerContext::Pair>{{material->mail_pem.path(), material->mail_key.path()}});
    TlsEnds ends(*temporary, *client, "mail.test");
    temporary.reset();
    CHECK_TRUE(ends.shake());
}
