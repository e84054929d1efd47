#include "ping/explain.h"
#include "web/response.h"

#include <CppUTest/TestHarness.h>

namespace {

web::Response head(std::string_view text)
{
    web::HeadReader reader;
    base::Bytes input(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    CHECK(reader.take(input) == web::HeadReader::Kind::done);
    return reader.response();
}

} // namespace

TEST_GROUP(PingExplain){};

// EXIT STATUS of rpctunnel-ping(1) as rows: the exit code and the Win32 number of each answer.
TEST(PingExplain, explainsResponses)
{
    struct Row {
        const char* response;
        int exit;
        unsigned win32;
    };
    static constexpr Row rows[] = {
        {"401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"", 4, 5},
        {"401 Unauthorized\r\nWWW-Authenticate: NTLM", 4, 5},
        {"403 Forbidden", 4, 5},
        {"404 Not Found\r\nX-CasErrorCode: MailboxGuidWithDomainNotFound", 5, 1722},
        {"404 Not Found", 8, 1728},
        {"405 Method Not Allowed", 8, 1728},
        {"302 Found\r\nLocation: https://x/", 8, 1728},
        {"502 Bad Gateway", 6, 1722},
        {"503 Service Unavailable", 6, 1722},
        {"503 RPC Error: 6ba", 6, 1722},
        {"503 RPC Error: 5", 7, 5},
        {"503 RPC Error: 6bb", 6, 1723},
        {"503 RPC Error: 6aa", 5, 1706},
        {"503 RPC Error: 6ab", 5, 1707},
        {"503 RPC Error: 6c0", 8, 1728},
        {"503 RPC Error: 6d9", 6, 1753},
        {"503 RPC Error: c0021009", 6, 0xc0021009},
        {"200 OK", 8, 1728},
    };
    ping::Options options;
    options.server = "exch01";
    for (const Row& row : rows) {
        const auto failure = ping::explain_response(head(std::string("HTTP/1.0 ") + row.response + "\r\n\r\n"),
                                                    options);
        LONGS_EQUAL_TEXT(row.exit, static_cast<int>(failure.exit), row.response);
        UNSIGNED_LONGS_EQUAL(row.win32, *failure.win32);
        CHECK_FALSE(failure.meaning.empty());
    }
}

// rpctunneld says so for a limit, and for a directory that it cannot read.
TEST(PingExplain, tooBusyIsNotALimitAlone)
{
    ping::Options options;
    options.server = "exch01";
    const auto failure = ping::explain_response(head("HTTP/1.0 503 RPC Error: 6bb\r\n\r\n"), options);
    STRCMP_EQUAL("The proxy cannot serve this request now.", failure.meaning.c_str());
    for (const char* cause : {"log", "limit", "unable to read its own accounts", "database"})
        STRCMP_CONTAINS(cause, failure.advice.c_str());
}

TEST(PingExplain, explainsThatVersion1IsOff)
{
    ping::Options options;
    options.server = "exch01";
    for (const bool version1 : {false, true}) {
        options.version1 = version1;
        for (const char* status : {"400 x", "405 x", "411 x", "501 x"}) {
            const auto failure = ping::explain_response(head(std::string("HTTP/1.1 ") + status + "\r\n\r\n"), options);
            LONGS_EQUAL(8, static_cast<int>(failure.exit));
            CHECK_EQUAL_TEXT(version1, failure.advice.find("rpc_connect") != std::string::npos, status);
        }
        const auto unavailable = ping::explain_response(head("HTTP/1.0 503 RPC Error: 6ba\r\n\r\n"), options);
        CHECK_EQUAL(version1, unavailable.meaning.find("ncacn_http/1.0") != std::string::npos);
    }
}

TEST(PingExplain, explainsPlainConnections)
{
    ping::Options options;
    options.server = "exch01";
    UNSIGNED_LONGS_EQUAL(1728, *ping::explain_plain_end(false, "reset").win32);
    UNSIGNED_LONGS_EQUAL(1726, *ping::explain_plain_end(true, "reset").win32);
    for (const bool calling : {false, true})
        LONGS_EQUAL(8, static_cast<int>(ping::explain_plain_silence(options, calling).exit));
    STRCMP_EQUAL("nothing within 30 s", ping::explain_no_banner(options, "", "").detail.c_str());
    STRCMP_EQUAL("reset", ping::explain_no_banner(options, "", "reset").detail.c_str());
    STRCMP_EQUAL("\"220 mail\"", ping::explain_no_banner(options, "220 mail", "").detail.c_str());
    LONGS_EQUAL(6, static_cast<int>(ping::explain_no_banner(options, "", "").exit));
}

TEST(PingExplain, explainsRefusals)
{
    rpch::RpcAnswer answer;
    answer.type = rpch::PacketType::bind_nak;
    auto failure = ping::explain_refusal(answer, "exch01:6001");
    LONGS_EQUAL(7, static_cast<int>(failure.exit));
    CHECK(failure.meaning.starts_with("The whole path works: exch01:6001"));
    answer.type = rpch::PacketType::fault;
    answer.status = 5;
    UNSIGNED_LONGS_EQUAL(5, *ping::explain_refusal(answer, "x").win32);
    answer.status = 0x1c010003;
    UNSIGNED_LONGS_EQUAL(1717, *ping::explain_refusal(answer, "x").win32);
}
