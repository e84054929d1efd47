#include "http/head.h"

#include <string>

#include <CppUTest/TestHarness.h>

using http::HeadScanner;
using Found = http::HeadScanner::Found;

namespace {

base::Bytes bytes_of(const std::string& text)
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

const std::string line = "RPC_IN_DATA /rpc/rpcproxy.dll?a:1 HTTP/1.1\r\n";
const std::string with_host = line + "Host: x\r\n";

struct Row {
    const char* name;
    std::string head;
    unsigned status;
};

const Row rows[] = {
    {"sound", with_host + "Content-Length: 76\r\n\r\n", 0},
    {"sound, 1.0 without Host", "RPC_IN_DATA /x HTTP/1.0\r\n\r\n", 0},
    {"bytes above ASCII in a value", with_host + "User-Agent: \xe4\xf6\r\n\r\n", 0},
    {"tab in a value", with_host + "Accept: a\tb\r\n\r\n", 0},
    {"empty value", with_host + "Accept:\r\n\r\n", 0},
    {"two lengths", with_host + "Content-Length: 4\r\nContent-Length: 5\r\n\r\n", 400},
    {"two equal lengths", with_host + "Content-Length: 4\r\ncontent-length: 4\r\n\r\n", 400},
    {"list of lengths", with_host + "Content-Length: 4, 4\r\n\r\n", 400},
    {"negative length", with_host + "Content-Length: -1\r\n\r\n", 400},
    {"plus length", with_host + "Content-Length: +4\r\n\r\n", 400},
    {"hexadecimal length", with_host + "Content-Length: 0x10\r\n\r\n", 400},
    {"blank behind the length", with_host + "Content-Length: 4 \r\n\r\n", 400},
    {"tab behind the length", with_host + "Content-Length: 4\t\r\n\r\n", 400},
    {"empty length", with_host + "Content-Length:\r\n\r\n", 400},
    {"length beyond 63 bits", with_host + "Content-Length: 9223372036854775808\r\n\r\n", 400},
    {"length and chunked", with_host + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"chunked and length", with_host + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n", 400},
    {"chunked", with_host + "Transfer-Encoding: chunked\r\n\r\n", 411},
    {"other coding", with_host + "Transfer-Encoding: identity\r\n\r\n", 411},
    {"blank before colon", with_host + "Content-Length : 4\r\n\r\n", 400},
    {"tab before colon", with_host + "Content-Length\t: 4\r\n\r\n", 400},
    {"no name", with_host + ": 4\r\n\r\n", 400},
    {"no colon", with_host + "Content-Length 4\r\n\r\n", 400},
    {"name with a separator", with_host + "Content(Length: 4\r\n\r\n", 400},
    {"folded line", with_host + "Accept: a\r\n b\r\n\r\n", 400},
    {"folded with tab", with_host + "Accept: a\r\n\tb\r\n\r\n", 400},
    {"fold after the request line", line + " Host: x\r\n\r\n", 400},
    {"no Host", line + "\r\n", 400},
    {"two Hosts", with_host + "Host: y\r\n\r\n", 400},
    {"two Authorizations", with_host + "Authorization: Basic eA==\r\nAuthorization: Basic eQ==\r\n\r\n", 400},
    {"two words", "GET /x\r\nHost: x\r\n\r\n", 400},
    {"one word", "GET\r\nHost: x\r\n\r\n", 400},
    {"four words", "GET /x y HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"two blanks", "GET  /x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"tab in the request line", "GET\t/x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"leading blank", " GET /x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"trailing blank", "GET /x HTTP/1.1 \r\nHost: x\r\n\r\n", 400},
    {"method with a separator", "G(T /x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"target above ASCII", "GET /\xe4 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"empty request line", "\r\n", 400},
    {"no version", "GET /x FTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"version in lower case", "GET /x http/1.1\r\nHost: x\r\n\r\n", 400},
    {"version of two digits", "GET /x HTTP/1.10\r\nHost: x\r\n\r\n", 400},
    {"HTTP 0.9", "GET /x HTTP/0.9\r\nHost: x\r\n\r\n", 505},
    {"HTTP 1.2", "GET /x HTTP/1.2\r\nHost: x\r\n\r\n", 505},
    {"HTTP 2.0", "PRI * HTTP/2.0\r\n\r\n", 505},
    {"version 1 has no Host", "RPC_CONNECT a:1 HTTP/1.1\r\n\r\n", 0},
    {"version 1, chunked", "RPC_CONNECT a:1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"other expectation", with_host + "Expect: tea\r\n\r\n", 417},
};

} // namespace

TEST_GROUP(Head) {};

TEST(Head, everyRowGetsItsStatus)
{
    for (const Row& row : rows)
        UNSIGNED_LONGS_EQUAL_TEXT(row.status, http::check_head(row.head).status, row.name);
}

TEST(Head, refusalNamesReasonMethodAndTarget)
{
    const std::string head = with_host + "Content-Length: 4\r\nContent-Length: 4\r\n\r\n";
    const http::HeadCheck check = http::check_head(head);
    STRCMP_EQUAL("more than one Content-Length", check.reason);
    CHECK(check.method == "RPC_IN_DATA");
    CHECK(check.target == "/rpc/rpcproxy.dll?a:1");
}

TEST(Head, manyFieldsAreRefused)
{
    std::string head = with_host;
    for (unsigned i = 1; i < http::max_header_fields; ++i)
        head += "A: b\r\n";
    LONGS_EQUAL(0, http::check_head(head + "\r\n").status);
    LONGS_EQUAL(431, http::check_head(head + "A: b\r\n\r\n").status);
}

TEST(Head, connectionStaysOpenAsTheClientWishes)
{
    const struct {
        const char* version;
        const char* fields;
        bool keep_alive;
    } wishes[] = {
        {"1.1", "", true},
        {"1.1", "Connection: close\r\n", false},
        {"1.1", "Connection: foo, Close\r\n", false},
        {"1.1", "Connection: keep-alive\r\nConnection: close\r\n", false},
        {"1.0", "", false},
        {"1.0", "Connection: keep-alive\r\n", true},
        {"1.0", "Connection: Keep-Alive, foo\r\n", true},
        {"1.0", "Connection: close, keep-alive\r\n", false},
    };
    for (const auto& wish : wishes) {
        const std::string head = std::string("GET /x HTTP/") + wish.version + "\r\nHost: x\r\n" + wish.fields + "\r\n";
        CHECK_EQUAL_TEXT(wish.keep_alive, http::check_head(head).facts.keep_alive, head.c_str());
    }
}

TEST(Head, factsOfAChannelRequest)
{
    const auto facts = http::check_head(with_host + "Expect: 100-Continue\r\nContent-Length:  1073741824\r\n\r\n").facts;
    CHECK_TRUE(facts.expect_continue);
    CHECK_FALSE(facts.http10);
    LONGLONGS_EQUAL(1073741824, facts.content_length);
}

TEST(Head, http10HasNoExpectations)
{
    const auto check = http::check_head("GET /x HTTP/1.0\r\nExpect: 100-continue\r\n\r\n");
    LONGS_EQUAL(0, check.status);
    CHECK_TRUE(check.facts.http10);
    CHECK_FALSE(check.facts.expect_continue);
}

TEST(Head, realClients)
{
    const struct {
        const char* head;
        bool http10, expects;
    } clients[] = {
        {"RPC_IN_DATA /rpc/rpcproxy.dll?labsrv:6001 HTTP/1.1\r\nHost: 127.0.0.1:18091\r\nAccept-Encoding: identity\r\n"
         "User-Agent: MSRPC\r\nCache-Control: no-cache\r\nConnection: Keep-Alive\r\nExpect: 100-continue\r\n"
         "Accept: application/rpc\r\nPragma: No-cache\r\nContent-Length: 1073741824\r\n"
         "Authorization: Basic bGFidXNlcjpMYWJQYXNzMSE=\r\n\r\n", // impacket
         false, true},
        {"RPC_IN_DATA /rpc/rpcproxy.dll?labsrv:6001 HTTP/1.0\r\nAccept: application/rpc\r\nUser-Agent: MSRPC\r\n"
         "Host: 127.0.0.1\r\nConnection: keep-alive\r\nContent-Length: 1073741824\r\nCache-Control: no-cache\r\n"
         "Pragma: no-cache\r\n\r\n", // Samba
         true, false},
        {"RPC_IN_DATA /rpc/rpcproxy.dll?labsrv:6001 HTTP/1.1\r\nAccept: application/rpc\r\nHost: 127.0.0.44\r\n"
         "User-Agent: MSRPC\r\nPragma: no-cache\r\nCache-Control: no-cache\r\nContent-Length: 1073741824\r\n"
         "Connection: Keep-Alive\r\n\r\n", // Wine
         false, false},
        {"RPC_IN_DATA /rpc/rpcproxy.dll?localhost:3388 HTTP/1.1\r\nCache-Control: no-cache\r\n"
         "Pragma: ResourceTypeUuid=44e265dd-7daf-42cd-8560-3cdb6e7a2729, "
         "SessionId=fbd9c34f-397d-471d-a109-1b08cc554624\r\n"
         "Accept: application/rpc\r\nUser-Agent: MSRPC\r\nHost: 127.0.0.1\r\nConnection: Keep-Alive\r\n"
         "Content-Length: 1073741824\r\nAuthorization: NTLM TlRMTVNTUAABAAAA\r\n\r\n", // FreeRDP
         false, false},
    };
    for (const auto& client : clients) {
        const http::HeadCheck check = http::check_head(client.head);
        LONGS_EQUAL_TEXT(0, check.status, check.reason);
        CHECK_EQUAL(client.http10, check.facts.http10);
        CHECK_EQUAL(client.expects, check.facts.expect_continue);
        CHECK_TRUE(check.facts.keep_alive);
        LONGLONGS_EQUAL(1073741824, check.facts.content_length);
    }
}

TEST_GROUP(HeadScanner)
{
    HeadScanner scanner;
    Found scan(const std::string& text) { return scanner.scan(bytes_of(text)); }
};

TEST(HeadScanner, findsTheEndWhateverThePieces)
{
    const std::string text = "A\r\nB\r\n\r\nbody";
    for (std::size_t step = 1; step <= text.size(); ++step) {
        scanner.reset();
        Found found = Found::more;
        for (std::size_t size = step; found == Found::more; size += step)
            found = scan(text.substr(0, size));
        CHECK(found == Found::complete);
        LONGS_EQUAL(8, scanner.size());
    }
}

TEST(HeadScanner, onlyTheWholeEndIsTheEnd)
{
    CHECK(scan("A\r\nB\r\n\r") == Found::more);
    CHECK(scan("A\r\nB\r\n\r\n") == Found::complete);
}

TEST(HeadScanner, refusesAtOnceWhatNoHeadHolds)
{
    const struct {
        std::string text;
        const char* error;
    } bad[] = {
        {"A\n", "line feed without carriage return"},
        {"A\r\nB\n", "line feed without carriage return"},
        {"A\r\n\n", "line feed without carriage return"},
        {"A\rB", "carriage return without line feed"},
        {"A\r\r", "carriage return without line feed"},
        {"A\r\n\rB", "carriage return without line feed"},
        {std::string("A\0", 2), "control byte in the head"},
        {"A\x7f", "control byte in the head"},
        {"\x16\x03\x01", "control byte in the head"}, // TLS on a plain port
    };
    for (const auto& row : bad) {
        scanner.reset();
        CHECK(scan(row.text) == Found::bad);
        STRCMP_EQUAL(row.error, scanner.error());
    }
}
