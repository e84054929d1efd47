#include "ping/options.h"

#include "base/text.h"

#include <CppUTest/TestHarness.h>

using ping::Options;
using ping::Parsed;

namespace {

/// Arguments are separated by blanks.
Parsed parse(std::string_view line)
{
    return line.empty() ? ping::parse_options({}) : ping::parse_options(base::split(line, ' '));
}

} // namespace

TEST_GROUP(PingOptions){};

TEST(PingOptions, documentedCommandLine)
{
    const auto [o, error] = parse(
        "/t ncacn_http /s exch /o RpcProxy=front /P anna,dom,x,y /H Basic /F 3 /E /R none -v3 -i10");
    STRCMP_EQUAL("", error.c_str());
    STRCMP_EQUAL("exch:593", o.target().c_str());
    STRCMP_EQUAL("front", o.proxy_host.c_str());
    LONGS_EQUAL(443, o.proxy_port);
    CHECK(o.tls && o.first_scheme_only && o.echo);
    STRCMP_EQUAL("dom\\anna", o.identity->login().c_str());
    STRCMP_EQUAL("x,y", o.identity->password.c_str());
    LONGS_EQUAL(3, o.verbosity);
    LONGS_EQUAL(10, o.count);
}

TEST(PingOptions, longFaceSaysTheSame)
{
    const auto [o, error] = parse(
        "--proxy=https://[::1]:8443/rpcwithcert/rpcproxy.dll --server g@d --endpoint 6001 --count=2 --insecure "
        "-P anna, --password-fd 3 -H 1 --timeout 5 --json");
    STRCMP_EQUAL("", error.c_str());
    STRCMP_EQUAL("::1", o.proxy_host.c_str());
    LONGS_EQUAL(8443, o.proxy_port);
    STRCMP_EQUAL("/rpcwithcert/rpcproxy.dll", o.path.c_str());
    STRCMP_EQUAL("g@d:6001", o.target().c_str());
    STRCMP_EQUAL("anna", o.identity->login().c_str());
    CHECK(o.tls && o.insecure && o.json && o.password == Options::Password::descriptor);
    LONGS_EQUAL(3, o.password_descriptor);
}

TEST(PingOptions, whereTheProxyIs)
{
    struct Row {
        const char* line;
        const char* host;
        int port;
        bool tls;
    };
    static constexpr Row rows[] = {
        {"-E -o RpcProxy=h", "h", 80, false},          {"-E -o rpcproxy=h:8080", "h", 8080, false},
        {"-E -o RpcProxy=h -F 1", "h", 443, true},     {"-E -o RpcProxy=2001:db8::1", "2001:db8::1", 80, false},
        {"-E -o RpcProxy=[::1]:90", "::1", 90, false}, {"-E --proxy http://h/", "h", 80, false},
        {"-E --proxy HTTPS://h:1", "h", 1, true},      {"-E --proxy h:8443 -F ssl", "h", 8443, true},
    };
    for (const Row& row : rows) {
        const auto [o, error] = parse(row.line);
        STRCMP_EQUAL_TEXT("", error.c_str(), row.line);
        STRCMP_EQUAL(row.host, o.proxy_host.c_str());
        LONGS_EQUAL(row.port, o.proxy_port);
        CHECK_EQUAL(row.tls, o.tls);
    }
}

TEST(PingOptions, refuses)
{
    struct Row {
        const char* line;
        const char* says;
    };
    static constexpr Row rows[] = {
        {"", "server is missing"},
        {"-s a", "RPC proxy is missing"},
        {"-o -P a,b,c", "the value of -o is missing"},
        {"-o RpcProxy=h -s -e 6001", "the value of -s is missing"},
        {"-o RpcProxy=h -s /e 6001", "the value of -s is missing"},
        {"--server --json", "the value of --server is missing"},
        {"--server=", "the value of --server is empty"},
        {"-s", "the value of -s is missing"},
        {"-o RpcProxy= -s a", "-o RpcProxy= is missing"},
        {"-o Proxy=h -s a", "not \"Proxy=h\""},
        {"-o HttpProxy=h -s a", "not available in this version"},
        {"-o RpcProxy=h:0 -s a", "not host[:port]"},
        {"-o RpcProxy=h:65536 -s a", "not host[:port]"},
        {"-o RpcProxy=[::1 -s a", "not host[:port]"},
        {"-o RpcProxy=u@h -s a", "credentials belong in -P"},
        {"-o RpcProxy=h --proxy h -s a", "both name"},
        {"--proxy ftp://h -s a", "http or https"},
        {"--proxy http://h -F 1 -s a", "-F asks for TLS"},
        {"--proxy http://h/p?q -s a", "ends with its path"},
        {"-s a -s b", "-s is given twice"},
        {"-s a --server b", "say the same thing twice"},
        {"-t ncacn_np", "only ncacn_http"},
        {"-s a:6001 -o RpcProxy=h", "belongs in -e"},
        {"-s a%0a -o RpcProxy=h", "no name for a URL: byte 0x25 (%) at position 2"},
        {"-s a\r -o RpcProxy=h", "no name for a URL: byte 0x0d (carriage return) at position 2"},
        {"-s a -o RpcProxy=h\t", "is not host[:port]: byte 0x09 (tab) at position 2"},
        {"-s \xc2\xa0" "a --direct", "byte 0xc2 (no-break space) at position 1"},
        {"-s a -e 6001\r -o RpcProxy=h", "not \"6001\r\" with byte 0x0d (carriage return) at position 5"},
        {"-H 1 -P a\r,b,c -E -o RpcProxy=h", "of -P has byte 0x0d (carriage return) at position 2"},
        {"-s a -e 0 -o RpcProxy=h", "1 to 65535"},
        {"-s a -e 65536 -o RpcProxy=h", "1 to 65535"},
        {"-s a -e x -o RpcProxy=h", "1 to 65535"},
        {"-E -e 1 -o RpcProxy=h", "-e needs -s"},
        {"-i 0 -E -o RpcProxy=h", "1 to 1000000"},
        {"-v 4 -E -o RpcProxy=h", "1 to 3"},
        {"-v 2 --json -E -o RpcProxy=h", "does not go with -v"},
        {"-F 4 -E -o RpcProxy=h", "-F takes"},
        {"-F 2 -E -o RpcProxy=h", "-F 2 needs -H"},
        {"-H 1 -E -o RpcProxy=h", "-H needs -P"},
        {"-H 1 -P a,b -E -o RpcProxy=h", "three fields"},
        {"-H 1 -P a -E -o RpcProxy=h", "three fields"},
        {"-H 1 -P ,b,c -E -o RpcProxy=h", "names no user"},
        {"-H 1 -P a:b,,c -E -o RpcProxy=h", "colon"},
        {"-H 1 -P a,b,c --password-fd 3 -E -o RpcProxy=h", "both give a password"},
        {"--password-fd 3 -E -o RpcProxy=h", "needs -P"},
        {"-H 3 -P a,b,c -E -o RpcProxy=h", "-H takes Basic"},
        {"-H Basic, -P a,b,c -E -o RpcProxy=h", "not \"\""},
        {"--http-auth NTML -P a,b,c -E -o RpcProxy=h", "--http-auth takes Basic or 1, NTLM or 2"},
        {"-H NTLM -E -o RpcProxy=h", "-H needs -P"},
        {"-H Negotiate,NTLM -E -o RpcProxy=h", "only Negotiate alone"},
        {"-H 65536 -E -F 1 -o RpcProxy=h", "-H Certificate needs --cert and --key"},
        {"-H 65536,1 --cert c --key k -P a,b,c -E -F 1 -o RpcProxy=h", "Certificate goes alone"},
        {"-H 65536 --cert c --key k -P a,b,c -E -F 1 -o RpcProxy=h", "sends no password"},
        {"--cert c -E -F 1 -o RpcProxy=h", "--cert and --key go together"},
        {"--cert c --key k -E -o RpcProxy=h", "--cert needs TLS"},
        {"--no-channel-binding -E -o RpcProxy=h", "--no-channel-binding needs TLS"},
        {"--v1 -s a -P a,b,c -o RpcProxy=h", "say -H Basic"},
        {"--v1 -s a -H NTLM -P a,b,c -o RpcProxy=h", "say -H Basic"},
        {"--ntlm-v1 -o RpcProxy=h", "--ntlm-v1 needs -P"},
        {"--ntlm-v1 -H NTLM -P a,b,c -o RpcProxy=h", "does not go with -H"},
        {"--ntlm-v1 -E -P a,b,c -o RpcProxy=h", "does not go with -E"},
        {"--ntlm-v1 -P a,b,\xc3\xa9 -o RpcProxy=h", "password is ASCII"},
        {"--ntlm-v1 --direct -s a", "--ntlm-v1 is for a proxy"},
        {"--ca-file /x -E -o RpcProxy=h", "--ca-file needs TLS"},
        {"-b -E -o RpcProxy=h", "-b needs TLS"},
        {"--ca-file /x --insecure -F 1 -E -o RpcProxy=h", "contradict"},
        {"-B msstd: -F 1 -E -o RpcProxy=h", "value of -B is empty"},
        {"-R default -E -o RpcProxy=h", "only \"none\""},
        {"--v1 -E -o RpcProxy=h", "--v1 has no echo"},
        {"--v1 -s a -F 1 -o RpcProxy=h", "--v1 has no TLS"},
        {"--v1 -s a --proxy https://h", "--v1 has no TLS"},
        {"--v1 -s a", "RPC proxy is missing"},
        {"--direct", "server is missing"},
        {"--direct -s a -o RpcProxy=h", "-o is for a proxy"},
        {"--direct -s a --proxy h", "--proxy is for a proxy"},
        {"--direct -s a -H 1 -P a,b,c", "-P is for a proxy"},
        {"--direct -s a -F 1", "-F is for a proxy"},
        {"--direct -s a --v1", "--v1 is for a proxy"},
        {"--direct -E", "-E is for a proxy"},
        {"--direct -s a --insecure", "needs TLS"},
        {"--direct -s g@d", "needs a host"},
        {"--direct -s [::1]:6001", "needs a host"},
        {"-u 9", "-u is not available in this version"},
        {"/I a,b,c", "/I is not available in this version"},
        {"-d", "only in Microsoft's rpcping"},
        {"-x", "unknown option -x"},
        {"--nonsense", "unknown option --nonsense"},
        {"--json=1", "takes no value"},
        {"-Ex", "unknown option -Ex"},
        {"word", "is no option"},
        {"-", "is no option"},
    };
    for (const Row& row : rows) {
        const std::string error = parse(row.line).error;
        CHECK_TEXT(error.find(row.says) != std::string::npos, (std::string(row.line) + " says: " + error).c_str());
    }
}

TEST(PingOptions, passwords)
{
    CHECK(parse("-H 1 -P a,b,* -E -o RpcProxy=h").options.password == Options::Password::prompt);
    CHECK(parse("-H 1 -P a,b,** -E -o RpcProxy=h").options.password == Options::Password::given);
    CHECK(parse("-H 1 -P a,b,* --password-fd 0 -E -o RpcProxy=h").options.password == Options::Password::descriptor);
    STRCMP_EQUAL("", parse("-H 1 -P a,b, -E -o RpcProxy=h").options.identity->password.c_str());
}

TEST(PingOptions, schemesAndNumbers)
{
    using ping::Scheme;
    CHECK(parse("-P a,b,c -E -o RpcProxy=h").options.schemes.empty());
    CHECK((parse("-H 2,basic,NEGOTIATE -P a,b,c -E -o RpcProxy=h").options.schemes ==
           std::vector{Scheme::ntlm, Scheme::basic, Scheme::negotiate}));
    STRCMP_EQUAL("", parse("-H NTLM -P a:b,b,c -E -o RpcProxy=h").error.c_str());
    const auto [o, error] = parse("-H 65536 --cert c.pem --key k.pem -E -F 1 -o RpcProxy=h");
    STRCMP_EQUAL("", error.c_str());
    CHECK(o.schemes == std::vector{Scheme::certificate});
    STRCMP_EQUAL("/rpcwithcert/rpcproxy.dll", o.path.c_str());
    STRCMP_EQUAL("/x", parse("--cert c --key k -E --proxy https://h/x").options.path.c_str());
    CHECK(o.channel_binding && !parse("--no-channel-binding -E -F 1 -o RpcProxy=h").options.channel_binding);
    CHECK(parse("--ntlm-v1 -P a,b,c -o RpcProxy=h").options.ntlm_v1);
}

TEST(PingOptions, msstdIsIgnored)
{
    STRCMP_EQUAL("mail.example.com",
                 parse("-E -F 1 -o RpcProxy=h -B MSSTD:mail.example.com").options.certificate_subject.c_str());
}

TEST(PingOptions, version1AndNoProxyAtAll)
{
    const Options version1 = parse("--v1 -o RpcProxy=h:8080 -s exch -e 6001 -H 1 -P a,,b").options;
    CHECK(version1.version1 && !version1.direct && version1.identity);
    STRCMP_EQUAL("h", version1.proxy_host.c_str());
    for (const auto& [line, host] : {std::pair{"--direct -s exch -e 6001", "exch"}, {"--direct -s ::1 -e 6001", "::1"},
                                     {"--direct -s [::1] -e 6001 -R none", "::1"}}) {
        const auto [o, error] = parse(line);
        STRCMP_EQUAL_TEXT("", error.c_str(), line);
        CHECK(o.direct && !o.version1);
        STRCMP_EQUAL(host, o.proxy_host.c_str());
        LONGS_EQUAL(6001, o.proxy_port);
    }
}

TEST(PingOptions, helpAndVersionNeedNothingElse)
{
    for (const char* line : {"--help", "-?", "/?"})
        CHECK(parse(line).options.action == Options::Action::help);
    CHECK(parse("--version").options.action == Options::Action::version);
}
