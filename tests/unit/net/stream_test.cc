#include "ending_client.h"
#include "net/loop.h"
#include "test_streams.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <tuple>
#include <vector>

#include <CppUTest/TestHarness.h>
#include <CppUTest/MemoryLeakWarningPlugin.h>

using net::IoResult;
using net::Loop;
using net::Millis;
using net::Stream;
using net::Watch;
using Kind = net::IoResult::Kind;

namespace {

constexpr const char* tls12 = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
constexpr const char* tls13 = "NORMAL:-VERS-ALL:+VERS-TLS1.3";

std::uint8_t pattern(std::size_t at)
{
    return static_cast<std::uint8_t>(at * 2654435761u >> 13);
}

std::string text(Stream& stream)
{
    std::uint8_t buffer[1000];
    const IoResult result = stream.read(buffer);
    return {reinterpret_cast<const char*>(buffer), result.size};
}

/// One end in a loop: sends `total` pattern bytes and then its end; checks what it receives.
struct End {
    Loop& loop;
    Stream& stream;
    std::size_t total, sent = 0, got = 0, wrong = 0;
    int blocked = 0;
    bool reading = true, shut = false, ended = false, failed = false;
    Watch watch;

    End(Loop& l, Stream& s, std::size_t t)
        : loop(l), stream(s), total(t), watch(l, Watch::Callback::of<&End::on_event>(this))
    {
        if (!watch.add(s.fd()))
            std::abort();
    }
    void on_event(std::uint32_t events)
    {
        if (reading)
            receive((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
        if (events & EPOLLOUT)
            send();
    }
    void send()
    {
        if (stream.flush().kind != Kind::ok)
            return;
        std::vector<std::uint8_t> piece(100'000);
        while (sent < total) {
            const std::size_t size = std::min(piece.size(), total - sent);
            for (std::size_t i = 0; i < size; ++i)
                piece[i] = pattern(sent + i);
            const IoResult result = stream.write({piece.data(), size});
            blocked += result.kind == Kind::again;
            failed = failed || result.kind == Kind::error;
            if (!result.ok())
                return;
            sent += result.size;
        }
        if (!std::exchange(shut, true))
            stream.shutdown_write();
    }
    void receive(bool ending)
    {
        for (;;) {
            const auto scratch = loop.scratch();
            const IoResult result = stream.read(scratch);
            ended = ended || result.kind == Kind::eof;
            failed = failed || result.kind == Kind::error;
            if (!result.ok())
                return;
            for (std::size_t i = 0; i < result.size; ++i)
                wrong += scratch[i] != pattern(got + i);
            got += result.size;
            if (!result.more && !ending)
                return;
        }
    }
};

void transfer(std::pair<Stream, Stream> streams, std::size_t total)
{
    Loop loop;
    End a(loop, streams.first, total), b(loop, streams.second, total / 2);
    // Nobody reads at first: both directions fill up, and then nothing happens any more.
    a.reading = b.reading = false;
    for (int i = 0; i < 20; ++i)
        loop.run_once(Millis(1));
    CHECK_TRUE(a.sent < total && a.blocked > 0);
    CHECK_TRUE(streams.first.unsent() > 0);
    a.reading = b.reading = true;
    a.receive(false);
    b.receive(false);
    const Millis limit = loop.now() + Millis(60'000);
    while (!(a.ended && b.ended) && !a.failed && !b.failed && loop.now() < limit)
        loop.run_once(Millis(2000));
    LONGS_EQUAL(total, b.got);
    LONGS_EQUAL(total / 2, a.got);
    LONGS_EQUAL(0, a.wrong + b.wrong);
    CHECK_TRUE(a.ended && b.ended);
    CHECK_FALSE(a.failed || b.failed);
    CHECK_FALSE(streams.first.flushing() || streams.second.flushing());
}

} // namespace

TEST_GROUP(Stream) {
    std::optional<TestCertificate> certificate;
    std::optional<TestFile> pem, key;
    std::optional<net::TlsServerContext> context;

    void setup() override { MemoryLeakWarningPlugin::turnOnThreadSafeNewDeleteOverloads(); }
    void teardown() override
    {
        context.reset();
        pem.reset();
        key.reset();
        certificate.reset();
    }

    const net::TlsServerContext& server()
    {
        if (!context) {
            certificate.emplace(std::vector<std::string>{"mail.test"});
            pem.emplace(certificate->certificate);
            key.emplace(certificate->key);
            context.emplace(std::vector<net::TlsServerContext::Pair>{{pem->path(), key->path()}});
        }
        return *context;
    }
    std::pair<Stream, Stream> plain(bool tcp = false)
    {
        auto [a, b] = socket_pair(tcp);
        return {Stream(std::move(a)), Stream(std::move(b))};
    }
    std::pair<Stream, Stream> tls(const char* priority, bool tcp = false)
    {
        const auto& server_context = server();
        const net::TlsClientContext client({true, pem->path(), priority});
        TlsEnds ends(server_context, client, "mail.test", tcp);
        CHECK_TRUE(ends.shake());
        return ends.streams();
    }
};

TEST(Stream, plainTransferLocal) { transfer(plain(), 30'000'000); }
TEST(Stream, plainTransferTcp) { transfer(plain(true), 60'000'000); }
TEST(Stream, tls13TransferLocal) { transfer(tls(tls13), 30'000'000); }
TEST(Stream, tls13TransferTcp) { transfer(tls(tls13, true), 60'000'000); }
TEST(Stream, tls12TransferLocal) { transfer(tls(tls12), 30'000'000); }
TEST(Stream, tls12CbcTransferTcp)
{
    transfer(tls("NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC", true), 40'000'000);
}

TEST(Stream, emptyThenDataThenEnd)
{
    for (const char* kind : {"", tls12, tls13}) {
        auto [a, b] = *kind ? tls(kind) : plain();
        std::uint8_t buffer[100];
        CHECK_TRUE(b.read(buffer).kind == Kind::again);
        LONGS_EQUAL(5, a.write(bytes_of("hello")).size);
        IoResult result = b.read(buffer);
        CHECK_TRUE(result.ok());
        LONGS_EQUAL(5, result.size);
        CHECK_FALSE(result.more);
        LONGS_EQUAL(3, a.write(bytes_of("end")).size);
        a.shutdown_write();
        result = b.read(buffer);
        LONGS_EQUAL(3, result.size);
        CHECK_TRUE(b.read(buffer).kind == Kind::eof);
        CHECK_TRUE(b.read(buffer).kind == Kind::eof);
        // The other direction is still open.
        LONGS_EQUAL(4, b.write(bytes_of("back")).size);
        STRCMP_EQUAL("back", text(a).c_str());
        CHECK_TRUE(a.write(bytes_of("late")).kind == Kind::error);
    }
}

TEST(Stream, tlsEndWithoutCloseNotifyIsAnEndToo)
{
    auto [a, b] = tls(tls13);
    LONGS_EQUAL(3, a.write(bytes_of("end")).size);
    shutdown(a.fd(), SHUT_WR);
    std::uint8_t buffer[100];
    LONGS_EQUAL(3, b.read(buffer).size);
    CHECK_TRUE(b.read(buffer).kind == Kind::eof);
    LONGS_EQUAL(4, b.write(bytes_of("back")).size);
    STRCMP_EQUAL("back", text(a).c_str());
}

// Whatever is in front of it, and however much of it one segment brought: whoever reads until there is no more has seen it.
TEST(Stream, everyEndIsSeen)
{
    for (const bool secure : {false, true})
        for (const char* before : {"", "last words"})
            for (const Ending end : all_ends) {
                if (!secure && end > Ending::reset)
                    continue;
                auto [theirs, ours] = socket_pair(true);
                EndingClient client(std::move(theirs), secure);
                auto session = secure ? server().accept(ours.get()) : nullptr;
                net::Handshake step;
                for (int i = 0; secure && i < 100 && !(client.shake() && step.kind == net::Handshake::Kind::done); ++i)
                    step = session->handshake();
                Stream stream(std::move(ours), std::move(session));
                std::uint8_t buffer[100];
                CHECK_TRUE(stream.read(buffer).kind == Kind::again);
                if (*before)
                    client.say(before);
                client.end(end);
                std::string got;
                IoResult result;
                for (int i = 0; i < 10 && (result = stream.read(buffer)).ok(); ++i)
                    got.append(buffer, buffer + result.size);
                CHECK_TRUE_TEXT(result.kind == (end == Ending::reset ? Kind::error : Kind::eof), name_of(end));
                STRCMP_EQUAL_TEXT(end == Ending::reset ? got.c_str() : before, got.c_str(), name_of(end));
            }
}

// No event follows for whoever takes the stream over.
TEST(Stream, anEndThatCameWithTheLastBytesIsNotForgotten)
{
    auto [theirs, ours] = socket_pair(true);
    EndingClient client(std::move(theirs), true);
    auto session = server().accept(ours.get());
    net::Handshake step;
    for (int i = 0; i < 100 && !(client.shake() && step.kind == net::Handshake::Kind::done); ++i)
        step = session->handshake();
    Stream stream(std::move(ours), std::move(session));
    CHECK_FALSE(stream.readable_inside());
    client.say("last words");
    client.end(Ending::notify);
    STRCMP_EQUAL("last words", text(stream).c_str());
    CHECK_TRUE(stream.readable_inside());
    std::uint8_t buffer[10];
    CHECK_TRUE(stream.read(buffer).kind == Kind::eof);
}

TEST(Stream, writeToAClosedPeer)
{
    for (const bool secure : {false, true}) {
        auto [a, b] = secure ? tls(tls13) : plain();
        b.close();
        const IoResult result = a.write(bytes_of("hello"));
        CHECK_TRUE(result.kind == Kind::error);
        LONGS_EQUAL(EPIPE, result.error);
        STRCMP_EQUAL("Broken pipe", a.error_text(result).c_str());
    }
}

TEST(Stream, resetByPeer)
{
    for (const bool secure : {false, true}) {
        auto [a, b] = secure ? tls(tls13, true) : plain(true);
        const linger at_once{1, 0};
        setsockopt(b.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        b.close();
        std::uint8_t buffer[100];
        const IoResult result = a.read(buffer);
        CHECK_TRUE(result.kind == Kind::error);
        LONGS_EQUAL(ECONNRESET, result.error);
        STRCMP_EQUAL("Connection reset by peer", a.error_text(result).c_str());
    }
}

TEST(Stream, tlsReadGathersRecords)
{
    auto [a, b] = tls(tls13);
    for (const char* piece : {"one ", "two ", "three"})
        CHECK_TRUE(a.write(bytes_of(piece)).ok());
    STRCMP_EQUAL("one two three", text(b).c_str());
}

TEST(Stream, decryptedBytesInside)
{
    auto [a, b] = tls(tls13);
    CHECK_TRUE(a.write(bytes_of("hello")).ok());
    std::uint8_t two[2];
    CHECK_TRUE(b.read(two).more);
    CHECK_TRUE(b.readable_inside());
    STRCMP_EQUAL("llo", text(b).c_str());
    CHECK_FALSE(b.readable_inside());
}

TEST(Stream, cipherBytesThatCameAheadAreNotForgotten)
{
    auto [a, b] = tls(tls13);
    CHECK_TRUE(a.write(bytes_of("one ")).ok());
    CHECK_TRUE(a.write(bytes_of("two")).ok());
    std::uint8_t first[4];
    CHECK_TRUE(b.read(first).more);
    CHECK_TRUE(b.readable_inside()); // the second record, not decrypted yet
    STRCMP_EQUAL("two", text(b).c_str());
    CHECK_FALSE(b.readable_inside());
}

TEST(Stream, tlsWriteKeepsWhatTheKernelDoesNotTake)
{
    auto [a, b] = tls(tls13);
    const std::vector<std::uint8_t> block(64 * 1024, 'x');
    std::size_t total = 0;
    IoResult result;
    while (!a.flushing() && (result = a.write(block)).ok())
        total += result.size;
    CHECK_TRUE(a.flushing());
    CHECK_TRUE(a.write(block).kind == Kind::again);
    CHECK_TRUE(a.flush().kind == Kind::again);
    a.shutdown_write(); // close_notify waits behind the data
    std::size_t got = 0;
    std::vector<std::uint8_t> buffer(64 * 1024);
    for (int i = 0; i < 10'000 && (result = b.read(buffer)).kind != Kind::eof; ++i) {
        got += result.size;
        a.flush();
    }
    LONGS_EQUAL(total, got);
    CHECK_FALSE(a.flushing());
    CHECK_TRUE(result.kind == Kind::eof);
}

TEST(Stream, tlsSmallRecordsOfThePeerStillFit)
{
    auto [a, b] = socket_pair();
    RawClient client(a.get(), tls13);
    gnutls_record_set_max_recv_size(client.session, 512);
    auto session = server().accept(b.get());
    net::Handshake result;
    for (int i = 0; i < 100 && result.kind == net::Handshake::Kind::again; ++i) {
        gnutls_handshake(client.session);
        result = session->handshake();
    }
    CHECK_TRUE(result.kind == net::Handshake::Kind::done);
    Stream stream(std::move(b), std::move(session));
    const std::vector<std::uint8_t> block(64 * 1024, 'x');
    const IoResult written = stream.write(block);
    CHECK_TRUE(written.ok());
    CHECK_TRUE(written.size >= 16 * 1024);
    std::size_t got = 0;
    char buffer[1024];
    for (ssize_t n; got < written.size && (n = gnutls_record_recv(client.session, buffer, sizeof buffer)) > 0;) {
        CHECK_TRUE(n <= 512);
        got += static_cast<std::size_t>(n);
        stream.flush();
    }
    LONGS_EQUAL(written.size, got);
}

TEST(Stream, keyUpdateAndGarbage)
{
    auto [a, b] = socket_pair();
    RawClient client(a.get(), tls13);
    auto session = server().accept(b.get());
    net::Handshake result;
    for (int i = 0; i < 100 && result.kind == net::Handshake::Kind::again; ++i) {
        gnutls_handshake(client.session);
        result = session->handshake();
    }
    Stream stream(std::move(b), std::move(session));
    CHECK_TRUE(gnutls_session_key_update(client.session, GNUTLS_KU_PEER) >= 0);
    CHECK_TRUE(gnutls_record_send(client.session, "after", 5) == 5);
    STRCMP_EQUAL("after", text(stream).c_str());
    CHECK_TRUE(stream.write(bytes_of("reply")).ok());
    char reply[10];
    ssize_t got = 0;
    for (int i = 0; i < 5 && got <= 0; ++i)
        got = gnutls_record_recv(client.session, reply, sizeof reply);
    LONGS_EQUAL(5, got);

    LONGS_EQUAL(20, send(a.get(), "\x17\x03\x03\x00\x0f" "123456789012345", 20, 0));
    std::uint8_t buffer[100];
    const IoResult broken = stream.read(buffer);
    CHECK_TRUE(broken.kind == Kind::error);
    LONGS_EQUAL(EPROTO, broken.error);
    STRCMP_CONTAINS("TLS: ", stream.error_text(broken).c_str());
    CHECK_TRUE(stream.write(bytes_of("x")).kind == Kind::error);
}

TEST(Stream, renegotiationIsRefused)
{
    auto [a, b] = socket_pair();
    RawClient client(a.get(), tls12);
    auto session = server().accept(b.get());
    net::Handshake result;
    for (int i = 0; i < 100 && gnutls_handshake(client.session) < 0; ++i)
        result = session->handshake();
    CHECK_TRUE(result.kind == net::Handshake::Kind::done);
    Stream stream(std::move(b), std::move(session));
    std::uint8_t buffer[100];
    LONGS_EQUAL(GNUTLS_E_AGAIN, gnutls_handshake(client.session));
    const IoResult asked = stream.read(buffer);
    CHECK_TRUE(asked.kind == Kind::error);
    STRCMP_EQUAL("TLS: Rehandshake was requested by the peer.", stream.error_text(asked).c_str());
    const int refused = gnutls_handshake(client.session);
    LONGS_EQUAL(GNUTLS_E_WARNING_ALERT_RECEIVED, refused);
    LONGS_EQUAL(GNUTLS_A_NO_RENEGOTIATION, gnutls_alert_get(client.session));
    CHECK_TRUE(stream.write(bytes_of("x")).kind == Kind::error);
}

TEST(Stream, movesBetweenThreads)
{
    auto [a, b] = tls(tls13, true);
    std::thread([&moved = a] {
        Stream here(std::move(moved));
        here.write(bytes_of("from a thread"));
        moved = std::move(here);
    }).join();
    STRCMP_EQUAL("from a thread", text(b).c_str());
    CHECK_TRUE(a.write(bytes_of("and back")).ok());
    STRCMP_EQUAL("and back", text(b).c_str());
}

TEST(Stream, describes)
{
    auto [a, b] = plain(true);
    STRCMP_EQUAL("plain", a.describe().c_str());
    CHECK_FALSE(a.tls());
    auto [c, d] = tls(tls13);
    STRCMP_EQUAL("TLS1.3 TLS_AES_256_GCM_SHA384", c.describe().c_str());
    CHECK_TRUE(d.tls());
}
