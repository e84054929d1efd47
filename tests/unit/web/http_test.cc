#include "web/body.h"
#include "web/request.h"
#include "web/response.h"

#include <CppUTest/TestHarness.h>

using web::BodyReader;
using web::HeadReader;
using web::Response;

namespace {

base::Bytes bytes(std::string_view text)
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// The head in `text`, or a response with status 0.
Response head(std::string_view text)
{
    HeadReader reader;
    base::Bytes input = bytes(text);
    return reader.take(input) == HeadReader::Kind::done ? reader.response() : Response{};
}

/// The body that `wire` codes, fed in pieces of `step` bytes, with "|end", "|bad" or "|more" behind it.
std::string decode(const Response& response, std::string_view wire, std::size_t step)
{
    BodyReader reader;
    reader.begin(response);
    std::string out;
    for (std::size_t at = 0; at <= wire.size(); at += step) {
        base::Bytes input = bytes(wire.substr(at, step));
        for (;;) {
            const auto piece = reader.next(input);
            if (piece.kind == BodyReader::Kind::end)
                return out + "|end";
            if (piece.kind == BodyReader::Kind::bad)
                return out + "|bad";
            if (piece.kind == BodyReader::Kind::more)
                break;
            out.append(piece.bytes.begin(), piece.bytes.end());
        }
    }
    return out + "|more";
}

} // namespace

TEST_GROUP(Web){};

// MS-RPCH 2.1.2.1.1: these headers and no others.
TEST(Web, writesARequest)
{
    web::Request request{"RPC_OUT_DATA", "/rpc/rpcproxy.dll?exch01:6001", "mail.example.com", 76,
                          web::basic_authorization("D\\anna", "p:w")};
    STRCMP_EQUAL("RPC_OUT_DATA /rpc/rpcproxy.dll?exch01:6001 HTTP/1.1\r\n"
                 "Host: mail.example.com\r\n"
                 "Accept: application/rpc\r\n"
                 "User-Agent: MSRPC\r\n"
                 "Cache-Control: no-cache\r\n"
                 "Connection: Keep-Alive\r\n"
                 "Pragma: No-cache\r\n"
                 "Authorization: Basic RFxhbm5hOnA6dw==\r\n"
                 "Content-Length: 76\r\n\r\n",
                 request.head().c_str());
    CHECK(request.head(false).find("Authorization: Basic (hidden)\r\n") != std::string::npos);
    request.authorization = "NTLM TlRM";
    CHECK(request.head(false).find("Authorization: NTLM (hidden)\r\n") != std::string::npos);
    CHECK(request.head(false).find("TlRM") == std::string::npos);
}

// MS-RPCH 2.1.1.1.1: no length, no type.
TEST(Web, writesARequestOfVersion1)
{
    web::Request request{"RPC_CONNECT", "/rpc/rpcproxy.dll?exch01:6001", "mail.example.com", std::nullopt, {}};
    STRCMP_EQUAL("RPC_CONNECT /rpc/rpcproxy.dll?exch01:6001 HTTP/1.1\r\n"
                 "Host: mail.example.com\r\n"
                 "User-Agent: RPC\r\n"
                 "Pragma: No-cache\r\n\r\n",
                 request.head().c_str());
}

TEST(Web, hostHeader)
{
    STRCMP_EQUAL("h", web::host_header("h", 443, true).c_str());
    STRCMP_EQUAL("h:80", web::host_header("h", 80, true).c_str());
    STRCMP_EQUAL("[::1]:8080", web::host_header("::1", 8080, false).c_str());
}

TEST(Web, readsAHead)
{
    const Response r = head("HTTP/1.1 200 Success\r\nContent-TYPE: application/rpc\r\ncontent-length: 20\r\n\r\nrest");
    LONGS_EQUAL(200, r.status);
    STRCMP_EQUAL("200 Success", r.line().c_str());
    UNSIGNED_LONGS_EQUAL(20, *r.content_length);
    CHECK(r.header("Content-Type") == "application/rpc");
    CHECK(r.keeps_connection());
}

TEST(Web, leavesTheBodyAlone)
{
    HeadReader reader;
    base::Bytes input = bytes("HTTP/1.0 200\r\n\r\nbody");
    CHECK(reader.take(input) == HeadReader::Kind::done);
    LONGS_EQUAL(4, input.size());
    CHECK_FALSE(reader.response().keeps_connection());
}

TEST(Web, skipsInterimResponses)
{
    LONGS_EQUAL(401, head("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 No\r\n\r\n").status);
}

TEST(Web, refusesBadHeads)
{
    for (const char* bad :
         {"SSH-2.0-x\r\n\r\n", "HTTP/2 200 x\r\n\r\n", "HTTP/1.1 2x0 x\r\n\r\n", "HTTP/1.1 099 x\r\n\r\n",
          "HTTP/1.1 200 x\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200x\r\n\r\n", "\x16\x03\x01", "\r\n\r\n"}) {
        HeadReader reader;
        base::Bytes input = bytes(bad);
        CHECK_TEXT(reader.take(input) == HeadReader::Kind::bad, bad);
    }
    HeadReader reader;
    const std::string endless = "HTTP/1.1 200 " + std::string(HeadReader::limit, 'a');
    base::Bytes input = bytes(endless);
    CHECK(reader.take(input) == HeadReader::Kind::bad);
}

TEST(Web, readsSchemes)
{
    const Response r = head(
        "HTTP/1.1 401 x\r\nWWW-Authenticate: Negotiate\r\nwww-authenticate: NTLM, Basic realm=\"a, b\"\r\n"
        "WWW-Authenticate: Digest realm=\"c\", nonce=\"d\"\r\n\r\n");
    const std::vector<std::string> expected{"Negotiate", "NTLM", "Basic", "Digest"};
    CHECK(r.schemes() == expected);
}

TEST(Web, findsWhatASchemeSays)
{
    const Response r = head("HTTP/1.1 401 x\r\nWWW-Authenticate: NTLM\r\nWWW-Authenticate: negotiate  oYG2== , Basic realm=\"NTLM, x\"\r\n"
                            "WWW-Authenticate: NTLM TlRM\r\n\r\n");
    STRCMP_EQUAL("oYG2==", std::string(r.challenge("Negotiate").value()).c_str());
    STRCMP_EQUAL("TlRM", std::string(r.challenge("ntlm").value()).c_str());
    STRCMP_EQUAL("realm=\"NTLM, x\"", std::string(r.challenge("Basic").value()).c_str());
    CHECK_FALSE(r.challenge("Digest").has_value());
    CHECK_FALSE(r.challenge("Nego").has_value());
    CHECK(head("HTTP/1.1 401 x\r\nWWW-Authenticate: NTLM\r\n\r\n").challenge("NTLM")->empty());
}

TEST(Web, readsTheDate)
{
    LONGLONGS_EQUAL(784111777, head("HTTP/1.1 401 x\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n").date().value());
    for (const char* bad : {"", "Date: now\r\n", "Date: Sun, 06 Nov 1994 08:49:37\r\n", "Date: Sun, 06 Nov 1994 08:49:37 GMT+1\r\n"})
        CHECK_FALSE_TEXT(head(std::string("HTTP/1.1 401 x\r\n") + bad + "\r\n").date().has_value(), bad);
}

TEST(Web, readsRpcErrors)
{
    struct Row {
        const char* reason;
        long long expected;
    };
    static constexpr Row rows[] = {{"RPC Error: 6ba", 0x6ba},
                                   {"RPC Error: 6BA, EEInfo: AAAA", 0x6ba},
                                   {"RPC Error: c0021009", 0xc0021009},
                                   {"Service Unavailable", -1},
                                   {"RPC Error: ", -1},
                                   {"RPC Error: xyz", -1}};
    for (const Row& row : rows) {
        const auto error = head(std::string("HTTP/1.0 503 ") + row.reason + "\r\n\r\n").rpc_error();
        const long long value = error ? static_cast<long long>(*error) : -1LL;
        LONGLONGS_EQUAL(row.expected, value);
    }
}

TEST(Web, takesTheCodingOff)
{
    struct Row {
        const char* header;
        const char* wire;
        const char* expected;
    };
    static constexpr Row rows[] = {
        {"Content-Length: 3", "abcd", "abc|end"},
        {"Content-Length: 0", "abcd", "|end"},
        {"Content-Length: 9", "abcd", "abcd|more"},
        {"X: y", "abcd", "abcd|more"},
        {"Transfer-Encoding: chunked", "3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n", "abcd|end"},
        {"Transfer-Encoding: chunked", "3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n", "abc|end"},
        {"Transfer-Encoding: chunked", "3\r\nabcd", "abc|bad"},
        {"Transfer-Encoding: chunked", "x\r\n", "|bad"},
        {"Transfer-Encoding: chunked", "\r\n", "|bad"},
        {"Transfer-Encoding: chunked", "1000000000000000\r\n", "|bad"},
    };
    for (const Row& row : rows)
        for (const std::size_t step : {1u, 2u, 3u, 1000u})
            STRCMP_EQUAL(
                row.expected,
                decode(head(std::string("HTTP/1.1 200 x\r\n") + row.header + "\r\n\r\n"), row.wire, step).c_str());
}
