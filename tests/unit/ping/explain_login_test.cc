#include "ping/entrance.h"
#include "ping/explain_login.h"

#include <CppUTest/TestHarness.h>

using ping::Scheme;
using Stage = ping::Tried::Stage;

namespace {

web::Response unauthorized(const std::string& headers)
{
    const std::string text = "HTTP/1.1 401 Unauthorized\r\n" + headers + "\r\n";
    web::HeadReader reader;
    base::Bytes input = base::bytes_of(text);
    CHECK(reader.take(input) == web::HeadReader::Kind::done);
    return reader.response();
}

std::string offer(const std::vector<std::string>& schemes)
{
    std::string headers;
    for (const std::string& scheme : schemes)
        headers += "WWW-Authenticate: " + scheme + "\r\n";
    return headers;
}

ping::Options options(bool tls, const char* user = "anna")
{
    ping::Options result;
    result.proxy_host = "mail.example.com";
    result.tls = tls;
    if (user)
        result.identity = {user, "CORP", "Geheim1!"};
    return result;
}

void check_says(const ping::Failure& failure, const std::vector<const char*>& words)
{
    const std::string text = failure.meaning + " " + failure.advice;
    for (const char* word : words)
        CHECK_TEXT(text.find(word) != std::string::npos, (std::string(word) + " is not in: " + text).c_str());
    LONGS_EQUAL(4, static_cast<int>(failure.exit));
    UNSIGNED_LONGS_EQUAL(5, failure.win32.value());
    CHECK(text.find("Geheim") == std::string::npos);
    CHECK_FALSE(failure.detail.empty());
    CHECK_FALSE(failure.advice.empty());
}

} // namespace

TEST_GROUP(PingExplainLogin){};

TEST(PingExplainLogin, listsSchemes)
{
    STRCMP_EQUAL("NTLM, Basic", ping::list_schemes(unauthorized(offer({"NTLM, Basic realm=\"a, b\""}))).c_str());
    STRCMP_EQUAL("none", ping::list_schemes(unauthorized("")).c_str());
}

TEST(PingExplainLogin, choosesTheStrongest)
{
    struct Row {
        std::vector<Scheme> wanted;
        bool tls;
        std::vector<std::string> offered;
        std::optional<Scheme> chosen;
    };
    const Row rows[] = {
        {{}, true, {"Basic", "NTLM", "Negotiate"}, Scheme::negotiate},
        {{}, true, {"Basic", "ntlm"}, Scheme::ntlm},
        {{}, true, {"basic"}, Scheme::basic},
        {{}, false, {"Basic", "NTLM"}, Scheme::ntlm},
        {{}, false, {"Basic"}, std::nullopt}, // a password is not sent readable without being told to
        {{Scheme::basic}, false, {"Basic"}, Scheme::basic},
        {{Scheme::basic}, true, {"Negotiate", "NTLM"}, std::nullopt},
        {{Scheme::basic, Scheme::ntlm}, true, {"Basic", "NTLM", "Negotiate"}, Scheme::ntlm},
        {{}, true, {"Digest"}, std::nullopt},
        {{}, true, {}, std::nullopt},
    };
    for (const Row& row : rows) {
        ping::Options asked = options(row.tls);
        asked.schemes = row.wanted;
        CHECK(ping::choose_scheme(asked, row.offered) == row.chosen);
    }
}

TEST(PingExplainLogin, nothingInCommon)
{
    ping::Options asked = options(false);
    check_says(ping::explain_no_scheme(unauthorized(offer({"Basic realm=\"x\""})), asked),
               {"could read the password", "-F 1", "-H Basic"});
    asked.schemes = {Scheme::ntlm, Scheme::negotiate};
    check_says(ping::explain_no_scheme(unauthorized(offer({"Basic realm=\"x\""})), asked),
               {"does not offer NTLM or Negotiate; it offers Basic.", "Give -H Basic"});
    check_says(ping::explain_no_scheme(unauthorized(offer({})), asked), {"it offers no scheme at all", "-F 1"});
    check_says(ping::explain_no_scheme(unauthorized(offer({"Digest x=y"})), options(true)),
               {"anything that can be spoken here; it offers Digest.", "Enable one of"});
}

TEST(PingExplainLogin, whatA401Means)
{
    struct Row {
        Stage stage;
        Scheme scheme;
        std::vector<std::string> offered;
        std::vector<const char*> says;
    };
    const Row rows[] = {
        {Stage::nothing, Scheme::basic, {"Basic"}, {"demands authentication; it offers Basic.", "Give -P user,domain,*"}},
        {Stage::last, Scheme::basic, {"Basic"}, {"refuses the user name or the password of CORP\\anna", "disabled"}},
        {Stage::leg, Scheme::ntlm, {"Basic"}, {"does not offer NTLM here; it offers Basic.", "Give -H Basic"}},
        {Stage::leg, Scheme::ntlm, {"NTLM"}, {"has no challenge for the first message", "takes the header Authorization away"}},
        {Stage::last, Scheme::ntlm, {"NTLM"}, {"refuses the NTLM login of CORP\\anna.", "the password", "NT hash"}},
        {Stage::last, Scheme::ntlm, {"NTLM", "Basic"}, {"-H Basic with the same password tells the two apart"}},
        {Stage::last, Scheme::negotiate, {"Negotiate"}, {"refuses the Negotiate login of CORP\\anna."}},
        {Stage::last, Scheme::ntlm, {"NTLM TlRM"}, {"has forgotten its challenge", "keep one connection for each client's own"}},
        {Stage::held, Scheme::ntlm, {"NTLM"}, {"login does not last", "keep one connection for each client's own"}},
    };
    for (const Row& row : rows) {
        ping::Tried tried;
        tried.stage = row.stage;
        tried.scheme = row.scheme;
        const auto failure = ping::explain_unauthorized(unauthorized(offer(row.offered)), options(true), tried);
        check_says(failure, row.says);
        LONGS_EQUAL(401, failure.http_status);
    }
}

TEST(PingExplainLogin, whatElseCanBeWrongWithALogin)
{
    const auto advice = [](bool tls, bool bound, std::int64_t clock, const char* header) {
        ping::Tried tried;
        tried.stage = Stage::last;
        tried.scheme = Scheme::ntlm;
        tried.bound = bound;
        tried.clock_ahead_s = clock;
        return ping::explain_unauthorized(unauthorized(offer({"NTLM"}) + header), options(tls), tried).advice;
    };
    STRCMP_CONTAINS("--no-channel-binding shows", advice(true, true, 0, "").c_str());
    STRCMP_CONTAINS("may demand extended protection, which this login did not have.", advice(true, false, 0, "").c_str());
    STRCMP_CONTAINS("which needs TLS: add -F 1", advice(false, false, 0, "").c_str());
    STRCMP_CONTAINS("clock of this machine is 6 minutes ahead of the proxy's", advice(true, true, 360, "").c_str());
    STRCMP_CONTAINS("clock of this machine is 60 minutes behind the proxy's", advice(true, true, -3600, "").c_str());
    CHECK(advice(true, true, 300, "").find("clock") == std::string::npos);
    STRCMP_CONTAINS("(Via: 1.1 front)", advice(true, true, 0, "Via: 1.1 front\r\n").c_str());
}

TEST(PingExplainLogin, brokenAndLostLogins)
{
    check_says(ping::explain_broken_login("the challenge is malformed", Scheme::ntlm),
               {"NTLM cannot go on: the challenge is malformed", "-v 3"});
    STRCMP_EQUAL("Do that.", ping::explain_broken_login("x", Scheme::ntlm, "Do that.").advice.c_str());
    check_says(ping::explain_lost_login("reset", Scheme::negotiate, options(true)),
               {"middle of the Negotiate login: reset", "keep it open"});
    check_says(ping::explain_lost_login("", Scheme::ntlm, options(true)),
               {"does not answer a message of the NTLM login", "--timeout"});
}

TEST(PingExplainLogin, certificateThatIsMissingOrNotTaken)
{
    ping::Options asked = options(true);
    const auto missing = ping::explain_certificate("alert (Certificate is required).", asked);
    LONGS_EQUAL(3, static_cast<int>(missing.exit));
    STRCMP_EQUAL("The proxy demands a client certificate, and ends the connection without one: alert (Certificate is required).",
                 missing.meaning.c_str());
    STRCMP_CONTAINS("--cert and --key", missing.advice.c_str());
    asked.certificate_file = "anna.pem";
    STRCMP_EQUAL("The proxy does not take the client certificate anna.pem: alert.",
                 ping::explain_certificate("alert", asked).meaning.c_str());
}

TEST(PingExplainLogin, certificateThatLogsNobodyIn)
{
    ping::Options asked = options(true, nullptr);
    asked.schemes = {Scheme::certificate};
    asked.path = "/rpcwithcert/rpcproxy.dll";
    check_says(ping::explain_unauthorized(unauthorized(offer({"NTLM"})), asked, {}),
               {"does not take the client certificate for a login; it offers NTLM.", "/rpcwithcert/rpcproxy.dll"});
}
