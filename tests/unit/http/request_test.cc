#include "http/request.h"

#include <CppUTest/TestHarness.h>

using http::Door;

TEST_GROUP(Request) {};

TEST(Request, doorsAreComparedWithoutCase)
{
    const struct {
        const char* target;
        Door door;
        const char* query;
    } rows[] = {
        {"/rpc/rpcproxy.dll?srv:6001", Door::rpc, "srv:6001"},
        {"/Rpc/RpcProxy.dll?srv:6001", Door::rpc, "srv:6001"},
        {"/RPCWITHCERT/rpcproxy.dll?srv:6001", Door::rpc_with_certificate, "srv:6001"},
        {"/rpc/rpcproxy.dll", Door::rpc, ""},
        {"/rpc/rpcproxy.dll?a?b", Door::rpc, "a?b"},
        {"/rpc/rpcproxy.dll?a%2Bb+c:1", Door::rpc, "a%2Bb+c:1"},
        {"http://mail.example.com/rpc/rpcproxy.dll?srv:6001", Door::rpc, "srv:6001"},
        {"HTTPS://mail:443/rpc/rpcproxy.dll?srv:6001", Door::rpc, "srv:6001"},
        {"http://mail?srv:6001", Door::none, "srv:6001"},
        {"http://mail", Door::none, ""},
        {"/rpc/rpcproxy.dll/", Door::none, ""},
        {"//rpc/rpcproxy.dll", Door::none, ""},
        {"/rpc/../rpc/rpcproxy.dll", Door::none, ""},
        {"/rpc%2frpcproxy.dll", Door::none, ""},
        {"/", Door::none, ""},
        {"*", Door::none, ""},
    };
    for (const auto& row : rows) {
        const http::TargetParts parts = http::split_target(row.target);
        CHECK_TEXT(parts.door == row.door, row.target);
        STRCMP_EQUAL_TEXT(row.query, std::string(parts.query).c_str(), row.target);
    }
}

TEST(Request, targetOfRpcConnectHasNoFixedPath)
{
    const struct {
        const char* target;
        const char* names;
    } rows[] = {
        {"/rpc/rpcproxy.dll?srv:6001", "srv:6001"}, {"/?srv:6001", "srv:6001"},
        {"/any/path?srv:6001?x", "srv:6001?x"},     {"srv:6001", "srv:6001"},
        {"[::1]:6001", "[::1]:6001"},               {"http://proxy/x?srv:6001", "srv:6001"},
        {"/rpc/rpcproxy.dll", ""},                  {"/srv:6001", ""},
        {"http://srv:6001", ""},                    {"*", "*"},
    };
    for (const auto& row : rows)
        STRCMP_EQUAL_TEXT(row.names, std::string(http::rpc_connect_target(row.target)).c_str(), row.target);
}

TEST(Request, minConnTimeoutIsBroughtIntoItsRange)
{
    const struct {
        const char* value;
        int seconds; // 0 = none
    } rows[] = {
        {"MinConnTimeout=300", 300},
        {"minconntimeout = 300", 300},
        {"MinConnTimeout=0", 120},
        {"MinConnTimeout=120", 120},
        {"MinConnTimeout=14400", 14400},
        {"MinConnTimeout=14401", 14400},
        {"MinConnTimeout=4294967296", 0},
        {"MinConnTimeout=", 0},
        {"MinConnTimeout=12x", 0},
        {"MinConnTimeout=-1", 0},
        {"MinConnTimeout", 0},
        {"No-cache", 0},
        {"No-cache,MinConnTimeout=200", 200},
        {"MinConnTimeout=x, MinConnTimeout=200, MinConnTimeout=900", 200},
    };
    for (const auto& row : rows)
        LONGS_EQUAL_TEXT(row.seconds, http::parse_pragma({row.value}).min_conn_timeout.value_or(0), row.value);
}

TEST(Request, directivesComeFromAllPragmaLines)
{
    const http::Pragma pragma = http::parse_pragma({"no-cache",
                                                    "ResourceTypeUuid=44E265DD-7daf-42cd-8560-3cdb6e7a2729, "
                                                    "SessionId=fbd9c34f-397d-471d-a109-1b08cc554624",
                                                    "MinConnTimeout=240"});
    STRCMP_EQUAL("44e265dd-7daf-42cd-8560-3cdb6e7a2729", pragma.resource_type.c_str());
    STRCMP_EQUAL("fbd9c34f-397d-471d-a109-1b08cc554624", pragma.session.c_str());
    LONGS_EQUAL(240, pragma.min_conn_timeout.value_or(0));
}

TEST(Request, whatIsNoUuidIsIgnored)
{
    const char* const values[] = {
        "SessionId=",
        "SessionId=x",
        "SessionId={fbd9c34f-397d-471d-a109-1b08cc554624}",
        "SessionId=fbd9c34f0397d-471d-a109-1b08cc554624",
        "SessionId=fbd9c34f-397d-471d-a109-1b08cc55462g",
    };
    for (const char* value : values)
        STRCMP_EQUAL_TEXT("", http::parse_pragma({value}).session.c_str(), value);
}
