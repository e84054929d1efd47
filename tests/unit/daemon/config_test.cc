#include "daemon/config.h"

#include "daemon/option_table.h"

#include <CppUTest/TestHarness.h>

using namespace rpctunneld;

namespace {

// The least that is a whole configuration.
const std::string whole = "database = d.db\nlisten = 127.0.0.1:80\nbasic_without_tls = yes\n";

} // namespace

TEST_GROUP(config)
{
    Config good(const std::string& text)
    {
        ConfigResult result = parse_config(whole + text, "/etc/x/r.conf");
        if (!result.errors.empty())
            FAIL(result.errors[0].c_str());
        return std::move(result.config);
    }
    void bad(const std::string& text, const char* error)
    {
        const ConfigResult result = parse_config(text, "/etc/x/r.conf");
        CHECK_TEXT(!result.errors.empty(), error);
        STRCMP_EQUAL(error, result.errors[0].c_str());
    }
};

TEST(config, every_default_is_in_its_own_range)
{
    for (const Option& option : option_table()) {
        Config config;
        if (*option.fallback != '\0')
            STRCMP_EQUAL_TEXT("", option.set(config, option.fallback, "/").c_str(), option.name);
    }
}

TEST(config, defaults)
{
    const Config config = good("");
    LONGS_EQUAL(65536, config.receive_window);
    LONGS_EQUAL(120'000, config.connection_timeout.count());
    LONGS_EQUAL(1 << 30, config.channel_lifetime);
    LONGS_EQUAL(900'000, config.valid_ports_interval.count());
    STRCMP_EQUAL("rpctunnel", config.realm.c_str());
    STRCMP_EQUAL("basic", config.auth.at(0).c_str());
    CHECK_FALSE(config.require_banner);
    CHECK(config.rpc_connect == http::RpcConnect::no);
    CHECK(config.log_level == base::log::Level::info);
}

TEST(config, blanks_comments_and_line_ends)
{
    const Config config = good("\n   \t\n# realm = x\n  realm\t=  A#1 b  # comment\r\n#\nworkers=3");
    STRCMP_EQUAL("A#1 b", config.realm.c_str());
    LONGS_EQUAL(3, config.workers);
}

TEST(config, lists_repeat_their_name)
{
    const Config config = good("listen = [::1]:0\nlisten_tls = 0.0.0.0:443\ntls_certificate = a.pem\ntls_key = /k/a.key\n"
                               "tls_certificate = b.pem\ntls_key = b.key\n");
    LONGS_EQUAL(2, config.listen.size());
    STRCMP_EQUAL("[::1]:0", config.listen[1].text().c_str());
    STRCMP_EQUAL("/etc/x/b.pem", config.tls_certificate.at(1).c_str());
    STRCMP_EQUAL("/k/a.key", config.tls_key.at(0).c_str());
}

TEST(config, files_count_from_the_folder_of_the_configuration)
{
    STRCMP_EQUAL("/etc/x/d.db", good("").database.c_str());
    STRCMP_EQUAL("/run/y.pid", good("pid_file = ../../run/y.pid").pid_file.c_str());
}

TEST(config, errors_name_file_and_line)
{
    static const struct {
        const char* text;
        const char* error;
    } rows[] = {
        {"\nlisten 80", "/etc/x/r.conf:2: this is not \"name = value\""},
        {"lisen = 127.0.0.1:80", "/etc/x/r.conf:1: unknown option \"lisen\"; did you mean \"listen\"?"},
        {"Realm = x", "/etc/x/r.conf:1: unknown option \"Realm\"; did you mean \"realm\"?"},
        {"control = /run/x", "/etc/x/r.conf:1: unknown option \"control\""},
        {" = x", "/etc/x/r.conf:1: unknown option \"\""},
        {"realm =", "/etc/x/r.conf:1: realm: the value is missing"},
        {"realm = a\"b", "/etc/x/r.conf:1: realm: a realm is printable ASCII without quote and backslash; byte 0x22 (double quote) at position 10"},
        {"realm = a\nlisten = 1.2.3.4:5\nrealm = b", "/etc/x/r.conf:3: realm is given twice, first in line 1"},
        {"listen = 80", "/etc/x/r.conf:1: listen: \"80\" is no address with port, as 0.0.0.0:80 or [::]:443"},
        {"listen = localhost:80", "/etc/x/r.conf:1: listen: \"localhost:80\" is no address with port, as 0.0.0.0:80 or [::]:443"},
        {"listen = [::]:80\nlisten = [::]:80", "/etc/x/r.conf:2: listen: \"[::]:80\" is given twice"},
        {"auth = ntlm digest", "/etc/x/r.conf:1: auth: \"digest\" is no authentication scheme; there are negotiate, ntlm, basic"},
        {"auth = ntlm basic NTLM", "/etc/x/r.conf:1: auth: \"ntlm\" is named twice"},
        {"auth = basic Basic", "/etc/x/r.conf:1: auth: \"basic\" is named twice"},
        {"pairing_listen = 6001", "/etc/x/r.conf:1: pairing_listen: \"6001\" is no address with port, as 0.0.0.0:6001 or [::]:6001"},
        {"\npairing_listen = exch01:6001 exch01:6001",
         "/etc/x/r.conf:2: pairing_listen: \"exch01:6001\" is no address with port, as 0.0.0.0:6001 or [::]:6001"},
        {"pairing_listen = [::]:6001 exch01", "/etc/x/r.conf:1: pairing_listen: \"exch01\" is no target: the target has no port: server:port is expected"},
        {"pairing_listen = [::]:6001 exch01:6001\npairing_listen = [::]:6001 exch02:6001",
         "/etc/x/r.conf:2: pairing_listen: \"[::]:6001\" is given twice"},
        {"pairing_nodes = node1:6010", "/etc/x/r.conf:1: pairing_nodes: \"node1:6010\" is no address with port, as 0.0.0.0:80 or [::]:443"},
        {"pairing_nodes = 192.0.2.1:6010\npairing_nodes = 192.0.2.1:6010",
         "/etc/x/r.conf:2: pairing_nodes: \"192.0.2.1:6010\" is given twice"},
        {"connect_from = gateway", "/etc/x/r.conf:1: connect_from: \"gateway\" is no address of one host, as 192.0.2.7 or 2001:db8::7"},
        {"\nconnect_from = 192.0.2.7:80", "/etc/x/r.conf:2: connect_from: \"192.0.2.7:80\" is no address of one host, as 192.0.2.7 or 2001:db8::7"},
        {"connect_from = ::", "/etc/x/r.conf:1: connect_from: \"::\" is no address of one host, as 192.0.2.7 or 2001:db8::7"},
        {"connect_from = ::1\nconnect_from = [::1]", "/etc/x/r.conf:2: connect_from: \"[::1]\" is given twice"},
        {"basic_without_tls = 1", "/etc/x/r.conf:1: basic_without_tls: \"1\" is neither yes nor no"},
        {"workers = 257", "/etc/x/r.conf:1: workers: \"257\" is not in the range 0..256"},
        {"workers = two", "/etc/x/r.conf:1: workers: \"two\" is no number"},
        {"receive_window = 8191", "/etc/x/r.conf:1: receive_window: \"8191\" is not in the range 8KiB..256KiB"},
        {"receive_window = 262145", "/etc/x/r.conf:1: receive_window: \"262145\" is not in the range 8KiB..256KiB"},
        {"connection_timeout = 119s", "/etc/x/r.conf:1: connection_timeout: \"119s\" is not in the range 2min..4h"},
        {"connection_timeout = 120", "/etc/x/r.conf:1: connection_timeout: \"120\" is no duration in ms, s, min, h, d"},
        {"valid_ports_interval = 5ms", "/etc/x/r.conf:1: valid_ports_interval: \"5ms\" is not in the range 0 or 1s..7d"},
        {"log_level = loud", "/etc/x/r.conf:1: log_level: \"loud\" is none of error, warning, notice, info, debug"},
        {"extended_protection = yes", "/etc/x/r.conf:1: extended_protection: \"yes\" is none of off, allow, require"},
        {"database = d\nlisten = [::]:80\nbasic_without_tls = yes\nextended_protection = allow",
         "/etc/x/r.conf:4: extended_protection needs ntlm or negotiate in auth: Basic is bound to nothing"},
        {"database = d\nlisten = [::]:80\nauth = ntlm\nextended_protection = require",
         "/etc/x/r.conf:4: extended_protection = require goes with listen_tls alone: a plain listener has nothing to bind a login to"},
        {"winbind = maybe", "/etc/x/r.conf:1: winbind: \"maybe\" is neither yes nor no"},
        {"winbind_threads = 0", "/etc/x/r.conf:1: winbind_threads: \"0\" is not in the range 1..64"},
        {"admit = everybody", "/etc/x/r.conf:1: admit: this is not \"realm NAME\", \"domain NAME\" or \"group NAME\""},
        {"database = d\nlisten = [::]:80\nbasic_without_tls = yes\nwinbind = yes\nadmit = domain CORP",
         "/etc/x/r.conf:4: winbind needs ntlm or negotiate in auth"},
        {"database = d\nlisten = [::]:80\nauth = ntlm\nwinbind = yes",
         "/etc/x/r.conf:4: nobody of a domain could come in: winbind needs admit, as admit = domain CORP"},
        {"database = d\nlisten = [::]:80\nauth = ntlm\nadmit = group CORP\\Staff",
         "/etc/x/r.conf:4: admit needs winbind = yes: nothing else tells of users without a local account"},
        {"database = d\nlisten = [::]:80\nauth = ntlm\nadmit = realm CORP.EXAMPLE",
         "/etc/x/r.conf:4: a realm needs Kerberos, which is not part of this version"},
        {"rpc_connect = yes", "/etc/x/r.conf:1: rpc_connect: \"yes\" is none of no, authenticated, anonymous"},
        {"", "/etc/x/r.conf: database is missing"},
        {"database = d", "/etc/x/r.conf: there is no listener: give listen or listen_tls"},
        {"database = d\nlisten_tls = [::]:443", "/etc/x/r.conf:2: listen_tls needs tls_certificate and tls_key"},
        {"database = d\nlisten_tls = [::]:443\ntls_certificate = c",
         "/etc/x/r.conf:3: every tls_certificate needs a tls_key: there are 1 and 0"},
        {"database = d\nlisten = [::]:80",
         "/etc/x/r.conf:2: nobody could log in: Basic on a plain listener needs basic_without_tls = yes"},
        {"database = d\nlisten = [::]:80\nrpc_connect = authenticated\nlisten_tls = [::]:443\ntls_certificate = c\ntls_key = k",
         "/etc/x/r.conf:3: nobody could log in: rpc_connect = authenticated needs basic_without_tls = yes"},
        {"database = d\nlisten_tls = [::]:443\ntls_certificate = c\ntls_key = k\nrpc_connect = anonymous",
         "/etc/x/r.conf:5: rpc_connect needs listen: version 1 of the protocol is never served over TLS"},
        {"database = d\nlisten = [::]:80\nbasic_without_tls = yes\ngroup = g", "/etc/x/r.conf:4: group needs user"},
    };
    for (const auto& row : rows)
        bad(row.text, row.error);
}

// The last column of an editor's line is what a person can find again.
TEST(config, errors_name_the_odd_byte_of_their_line)
{
    static const struct {
        const char* text;
        const char* error;
    } rows[] = {
        {"\xef\xbb\xbflisten = 1.2.3.4:5", "/etc/x/r.conf:1: unknown option \"\xef\xbb\xbflisten\"; did you mean \"listen\"?;"
                                          " byte 0xef (byte order mark) at position 1"},
        {"\xef\xbb\xbf# text", "/etc/x/r.conf:1: this is not \"name = value\"; byte 0xef (byte order mark) at position 1"},
        {"listen = \"1.2.3.4:5\"", "/etc/x/r.conf:1: listen: \"\"1.2.3.4:5\"\" is no address with port, as 0.0.0.0:80 or [::]:443;"
                                 " byte 0x22 (double quote) at position 10"},
        {"workers = 3\xc2\xa0", "/etc/x/r.conf:1: workers: \"3\xc2\xa0\" is no number; byte 0xc2 (no-break space) at position 12"},
        {"workers = x # \xc3\xbc", "/etc/x/r.conf:1: workers: \"x\" is no number"},
        {"database = \"d.db\"", "/etc/x/r.conf:1: database: \"\"d.db\"\" is no file name; byte 0x22 (double quote) at position 12"},
        {"tls_key = 'k'", "/etc/x/r.conf:1: tls_key: \"'k'\" is no file name; byte 0x27 (single quote) at position 11"},
        {"database = d\rb", "/etc/x/r.conf:1: database: \"d\rb\" is no file name; byte 0x0d (carriage return) at position 13"},
        {"user = \"rpctunnel\"", "/etc/x/r.conf:1: user: \"\"rpctunnel\"\" is no name of a user or group; byte 0x22 (double quote) at position 8"},
        {"user = rpctunnel\xe2\x80\x8b", "/etc/x/r.conf:1: user: \"rpctunnel\xe2\x80\x8b\" is no name of a user or group;"
                                       " byte 0xe2 (zero width space) at position 17"},
    };
    for (const auto& row : rows)
        bad(row.text, row.error);
    STRCMP_EQUAL("/etc/x/a \xc3\xbc'b'.pem", good("tls_key = a \xc3\xbc'b'.pem\ntls_certificate = c").tls_key.at(0).c_str());
}

TEST(config, whom_version_1_is_served_to)
{
    CHECK(good("rpc_connect = authenticated").rpc_connect == http::RpcConnect::authenticated);
    CHECK(good("rpc_connect = anonymous").rpc_connect == http::RpcConnect::anonymous);
    // Then a plain listener is of use though nobody could log in on it.
    CHECK(parse_config("database = d\nlisten = [::]:80\nrpc_connect = anonymous", "f").errors.empty());
}

// Basic alone is not for plain listeners.
TEST(config, schemes_in_their_order)
{
    for (const char* schemes : {"ntlm", "basic Negotiate", "negotiate  ntlm basic"}) {
        const auto result = rpctunneld::parse_config("database = d\nlisten = 127.0.0.1:80\nrpc_connect = authenticated\nauth = " +
                                                         std::string(schemes), "/etc/x/r.conf");
        CHECK_TRUE_TEXT(result.errors.empty(), schemes);
        STRCMP_EQUAL(schemes == std::string("ntlm") ? "ntlm" : schemes == std::string("basic Negotiate") ? "basic" : "negotiate",
                     result.config.auth.at(0).c_str());
    }
}

TEST(config, pairing_ports_and_nodes)
{
    const Config config = good("pairing_listen = 0.0.0.0:6001 exch01.example.com:6001\npairing_listen = [::1]:0\t \n"
                               "pairing_listen = [::1]:0 exch02:6002\npairing_nodes = [::1]:6010\npairing_nodes = 192.0.2.1:6010\n");
    LONGS_EQUAL(3, config.pairing_listen.size());
    STRCMP_EQUAL("0.0.0.0:6001", config.pairing_listen[0].address.text().c_str());
    STRCMP_EQUAL("exch01.example.com:6001", config.pairing_listen[0].target.c_str());
    STRCMP_EQUAL("", config.pairing_listen[1].target.c_str());
    STRCMP_EQUAL("exch02:6002", config.pairing_listen[2].target.c_str()); // port 0 is another one every time
    LONGS_EQUAL(2, config.pairing_nodes.size());
    STRCMP_EQUAL("192.0.2.1:6010", config.pairing_nodes[1].text().c_str());
    LONGS_EQUAL(0, good("").pairing_listen.size() + good("").pairing_nodes.size());
    good("pairing_listen = 0.0.0.0:6001 exch01:6001"); // for other products' proxies, without nodes
}

TEST(config, nodes_need_a_port_and_a_port_needs_nodes_or_a_target)
{
    bad(whole + "pairing_listen = [::]:6010",
        "/etc/x/r.conf:4: pairing_listen needs a target, as 0.0.0.0:6001 exch01:6001, or pairing_nodes");
    bad(whole + "pairing_nodes = 192.0.2.1:6010", "/etc/x/r.conf:4: pairing_nodes needs a pairing_listen without a target");
    bad(whole + "pairing_listen = [::]:6010 exch01:6001\npairing_nodes = 192.0.2.1:6010",
        "/etc/x/r.conf:5: pairing_nodes needs a pairing_listen without a target");
}

// The node that this is: by the very address, or by a port for all addresses when the host is one of this machine.
TEST(config, own_node)
{
    const struct {
        const char* text;
        int node; // -1: none
    } rows[] = {
        {"pairing_listen = 192.0.2.1:6010\npairing_nodes = 192.0.2.1:6010", 0},
        {"pairing_listen = 192.0.2.2:6010\npairing_nodes = 192.0.2.1:6010\npairing_nodes = 192.0.2.2:6010", 1},
        {"pairing_listen = 192.0.2.2:6011\npairing_nodes = 192.0.2.1:6010\npairing_nodes = 192.0.2.2:6010", -1},
        {"pairing_listen = 0.0.0.0:6010\npairing_nodes = 192.0.2.1:6010\npairing_nodes = 127.0.0.1:6010", 1},
        {"pairing_listen = 0.0.0.0:6010\npairing_nodes = 127.0.0.1:6011", -1},
        {"pairing_listen = 0.0.0.0:6010\npairing_nodes = 192.0.2.1:6010", -1},
        {"pairing_listen = 127.0.0.1:6010 exch01:6001\npairing_listen = 127.0.0.1:6011\npairing_nodes = 127.0.0.1:6010", -1},
    };
    for (const auto& row : rows) {
        const auto own = good(row.text).own_node();
        LONGS_EQUAL_TEXT(row.node, own ? static_cast<int>(*own) : -1, row.text);
    }
    CHECK_FALSE(good("").own_node().has_value());
}

TEST(config, source_addresses)
{
    const Config config = good("connect_from = 192.0.2.7\nconnect_from = 2001:db8::7\n");
    LONGS_EQUAL(2, config.connect_from.size());
    STRCMP_EQUAL("192.0.2.7:0", config.connect_from[0].text().c_str());
    STRCMP_EQUAL("[2001:db8::7]:0", config.connect_from[1].text().c_str());
    LONGS_EQUAL(1, compare(good(""), config).restart.size());
}

TEST(config, every_error_is_told)
{
    LONGS_EQUAL(3, parse_config("a\nb = c\nworkers = x\n", "f").errors.size());
}

TEST(config, ranges_include_their_ends)
{
    LONGS_EQUAL(8192, good("receive_window = 8KiB").receive_window);
    LONGS_EQUAL(262144, good("receive_window = 262144").receive_window);
    LONGS_EQUAL(14'400'000, good("connection_timeout = 4h").connection_timeout.count());
    LONGS_EQUAL(0, good("valid_ports_interval = 0").valid_ports_interval.count());
    LONGS_EQUAL(0, good("drain_time = 0").drain_time.count());
}

TEST(config, missing_file_and_folder)
{
    STRCMP_EQUAL("/nonexistent/r.conf: No such file or directory", read_config("/nonexistent/r.conf").errors.at(0).c_str());
    STRCMP_EQUAL("/etc: Is a directory", read_config("/etc").errors.at(0).c_str());
}

TEST(config, nearest_name)
{
    STRCMP_EQUAL("tls_certificate", nearest_option("tls_certifcate")->name);
    STRCMP_EQUAL("valid_ports_interval", nearest_option("validports_interval")->name);
    POINTERS_EQUAL(nullptr, nearest_option("neighbours"));
    POINTERS_EQUAL(nullptr, nearest_option(std::string(100'000, 'x')));
}

TEST(config, what_a_reload_can_change)
{
    const Config before = good("drain_time = 5s\nworkers = 2\nrealm = a");
    LONGS_EQUAL(0, compare(before, before).at_once.size() + compare(before, before).restart.size());
    const ConfigChange change = compare(before, good("drain_time = 6s\nworkers = 3\nrealm = a"));
    LONGS_EQUAL(1, change.at_once.size());
    STRCMP_EQUAL("drain_time", change.at_once[0].c_str());
    LONGS_EQUAL(1, change.restart.size());
    STRCMP_EQUAL("workers", change.restart[0].c_str());
}

TEST(config, table_as_text_has_five_columns)
{
    const std::string text = options_text();
    std::size_t lines = 0, tabs = 0;
    for (const char c : text) {
        lines += c == '\n';
        tabs += c == '\t';
    }
    LONGS_EQUAL(option_table().size(), lines);
    LONGS_EQUAL(4 * lines, tabs);
    STRNCMP_EQUAL("listen\taddress, may be repeated\t\t\t", text.c_str(), 34);
}
